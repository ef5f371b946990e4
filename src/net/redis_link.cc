#include "net/redis_link.h"

#include "net/connection_set.h"
#include "net/redis_command.h"

namespace otpd::net {
namespace {

constexpr std::size_t k_greeting_read_bytes = 1024;

// Reads until `count` answers are there; the reason why the node refuses us, or none.
Task<Result<void>> read_redis_greeting(Link& link, std::size_t count) {
  RedisReader reader;
  std::string room(k_greeting_read_bytes, '\0');
  for (std::size_t i = 0; i < count;) {
    const auto size = co_await link.read_some(boost::asio::buffer(room));
    if (!size) co_return std::unexpected(size.error());
    const auto fed = reader.feed(std::string_view(room).substr(0, *size));
    if (!fed) co_return fed;
    for (;;) {
      const auto answer = reader.next();
      if (!answer) co_return std::unexpected(answer.error());
      if (!*answer) break;
      const auto refused = redis_greeting_refused(i++, count, **answer);
      if (refused) co_return fail(Failure::unavailable, *refused);
    }
  }
  co_return Result<void>{};
}

}  // namespace

std::size_t append_redis_greeting(std::string& out, const RedisConfig& config) {
  const std::string_view password = config.password.reveal();
  if (!password.empty()) {
    if (config.user.empty()) {
      append_redis_words(out, {"AUTH", password});
    } else {
      append_redis_words(out, {"AUTH", config.user, password});
    }
  }
  append_redis_words(out, {"CLIENT", "SETNAME", "otpd"});
  append_redis_words(out, {"PING"});
  return password.empty() ? 2 : 3;
}

std::optional<std::string> redis_greeting_refused(std::size_t i, std::size_t count,
                                                  const RedisAnswer& answer) {
  if (!answer.is_error) return std::nullopt;
  const std::string& words = answer.reply.text;
  const bool is_auth = count == 3 && i == 0;
  if (is_auth) return words;
  if (i + 2 == count) return std::nullopt;  // without a name, then
  for (const std::string_view harmless : {"LOADING", "MASTERDOWN", "NOPERM", "BUSY"}) {
    if (words.starts_with(harmless)) return std::nullopt;
  }
  return words;
}

Task<Result<std::shared_ptr<Link>>> connect_redis(std::shared_ptr<const RedisConfig> config,
                                                  RedisNode node) {
  const auto deadline = Steady::now() + config->connect_timeout;
  auto link = co_await connect_link(
      {.host = node.host, .port = node.port, .tls = config->tls, .ca_file = config->ca_file},
      config->connect_timeout);
  if (!link) co_return link;
  Timer patience(co_await this_executor(), deadline);
  patience.async_wait([weak = std::weak_ptr(*link)](boost::system::error_code cancelled) {
    const auto late = weak.lock();
    if (!cancelled && late) late->close();
  });
  std::string words;
  const std::size_t answers = append_redis_greeting(words, *config);
  const auto written = co_await (*link)->write(words);
  wipe(words);
  if (!written) co_return std::unexpected(written.error());
  const auto greeted = co_await read_redis_greeting(**link, answers);
  if (greeted) co_return link;
  (*link)->close();
  if (Steady::now() >= deadline) co_return fail(Failure::timeout, "Redis does not answer");
  co_return std::unexpected(greeted.error());
}

}  // namespace otpd::net
