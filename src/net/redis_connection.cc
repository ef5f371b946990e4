#include "net/redis_connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/log.h"

namespace otpd::net {
namespace {

constexpr std::size_t k_redis_read_bytes = 16 * 1024;
constexpr Millis k_redis_first_pause{20};
constexpr Millis k_redis_longest_pause{1'000};
// A connection that ends sooner did not work.
constexpr Millis k_redis_lasting{250};

}  // namespace

RedisConnection::RedisConnection(Executor loop, std::shared_ptr<const RedisConfig> config,
                                 RedisNode node, bool replicating, RedisConnectionMetrics metrics)
    : loop_(loop),
      config_(std::move(config)),
      node_(std::move(node)),
      replicating_(replicating),
      metrics_(metrics),
      random_(static_cast<std::uint64_t>(Steady::now().time_since_epoch().count())),
      pause_timer_(loop),
      beat_timer_(loop),
      deadline_timer_(loop) {
  ping_.words = {"PING"};
}

void RedisConnection::start() {
  if (running_ || over_) return;
  running_ = true;
  boost::asio::co_spawn(
      loop_, [self = shared_from_this()] { return self->run(); }, boost::asio::detached);
}

void RedisConnection::close() {
  if (over_) return;
  over_ = true;
  state_ = State::down;
  end_link("the Redis client was closed");
  fail_all("the Redis client was closed");
  pause_timer_.cancel();
  deadline_timer_.cancel();
}

Task<void> RedisConnection::run() {
  const auto self = shared_from_this();
  while (!over_) {
    const auto begun = Steady::now();
    const std::string why = co_await serve();
    if (over_) break;
    const bool worked = link_ && !suspected_ && Steady::now() - begun >= k_redis_lasting;
    if (worked || failures_ == 0) {
      log::warn("no connection to Redis",
                {{"host", node_.host}, {"port", node_.port}, {"reason", why}});
    }
    failures_ = worked ? 0 : failures_ + 1;
    state_ = worked ? State::fresh : State::down;
    leave(why);
    if (!worked) co_await pause();
  }
}

// Returns why there is no connection (any more).
Task<std::string> RedisConnection::serve() {
  auto link = co_await connect_redis(config_, node_);
  if (!link) co_return link.error().message;
  if (over_) {
    (*link)->close();
    co_return "closed";
  }
  if (was_up_) metrics_.reconnects.add();
  if (was_up_ || failures_ > 0) {
    log::info("connected to Redis", {{"host", node_.host}, {"port", node_.port}});
  }
  was_up_ = true;
  link_ = std::move(*link);
  why_.clear();
  suspected_ = false;
  state_ = State::up;
  flush_soon();
  boost::asio::co_spawn(
      loop_, [self = shared_from_this(), up = link_] { return self->beat(up); },
      boost::asio::detached);
  co_return co_await read_all(link_);
}

Task<void> RedisConnection::beat(std::shared_ptr<Link> link) {
  while (link == link_ && why_.empty()) {
    boost::system::error_code cancelled;
    beat_timer_.expires_after(config_->call_timeout);
    co_await beat_timer_.async_wait(boost::asio::redirect_error(use_task, cancelled));
    if (link != link_ || !why_.empty()) co_return;
    if (!is_idle()) continue;
    const auto deadline = Steady::now() + config_->call_timeout;
    enqueue({.call = &ping_, .deadline = deadline}, [](const RedisHeard&) {});
  }
}

Task<std::string> RedisConnection::read_all(std::shared_ptr<Link> link) {
  RedisReader reader;
  std::string room(k_redis_read_bytes, '\0');
  for (;;) {
    const auto count = co_await link->read_some(boost::asio::buffer(room));
    if (!count) co_return why_.empty() ? count.error().message : why_;
    const auto fed = reader.feed(std::string_view(room).substr(0, *count));
    if (!fed) co_return fed.error().message;
    for (;;) {
      auto answer = reader.next();
      if (!answer) co_return answer.error().message;
      if (!*answer) break;
      if (!on_answer(std::move(**answer))) co_return "Redis answers what nobody asked";
      if (!why_.empty()) co_return why_;  // whoever heard it may have ended us
    }
  }
}

Task<void> RedisConnection::pause() {
  Millis longest = k_redis_first_pause;
  for (std::uint32_t i = 1; i < failures_ && longest < k_redis_longest_pause; ++i) longest *= 2;
  longest = std::min(longest, k_redis_longest_pause);
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  boost::system::error_code cancelled;
  pause_timer_.expires_after(longest - Millis(random_.u64() % (half + 1)));
  co_await pause_timer_.async_wait(boost::asio::redirect_error(use_task, cancelled));
}

// The connection has ended, or there was none.
void RedisConnection::leave(const std::string& why) {
  end_link(why);
  link_.reset();
  fail_all(why);
}

void RedisConnection::end_link(std::string why) {
  if (!link_) return;
  if (why_.empty()) why_ = std::move(why);
  beat_timer_.cancel();
  link_->close();
}

}  // namespace otpd::net
