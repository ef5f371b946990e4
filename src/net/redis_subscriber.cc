#include "net/redis_subscriber.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/log.h"

namespace otpd::net {
namespace {

constexpr std::size_t k_redis_news_bytes = 4'096;
constexpr Millis k_redis_longest_rest{60'000};
constexpr Millis k_redis_search_rest{100};  // while nobody serves a channel
constexpr Millis k_redis_longest_backoff{1'000};
// A listener that ends sooner did not work.
constexpr Millis k_redis_lasting_listener{250};

}  // namespace

RedisSubscriber::RedisSubscriber(Executor loop, std::shared_ptr<const RedisConfig> config,
                                 std::shared_ptr<RedisRouter> router,
                                 std::vector<std::string> channels,
                                 std::function<void(const std::string&)> heard)
    : loop_(loop),
      config_(std::move(config)),
      router_(std::move(router)),
      channels_(std::move(channels)),
      heard_(std::move(heard)),
      random_(static_cast<std::uint64_t>(Steady::now().time_since_epoch().count())),
      timer_(loop) {}

void RedisSubscriber::start() {
  boost::asio::post(loop_, [self = shared_from_this()] {
    self->router_->on_change([weak = std::weak_ptr(self)] {
      if (const auto subscriber = weak.lock()) subscriber->wake();
    });
    boost::asio::co_spawn(self->loop_, [self] { return self->tend(); }, boost::asio::detached);
  });
}

void RedisSubscriber::close() {
  over_ = true;
  timer_.cancel();
  for (const auto& listener : listeners_) end(*listener);
}

void RedisSubscriber::end(Listener& listener) {
  listener.over = true;
  if (listener.link) listener.link->close();
}

void RedisSubscriber::wake() {
  woken_ = true;
  timer_.cancel();
}

Task<void> RedisSubscriber::tend() {
  const auto self = shared_from_this();
  while (!over_) {
    (void)co_await router_->ready(Steady::now() + config_->connect_timeout);
    if (over_) break;
    woken_ = false;
    const bool all = place();
    co_await rest(all ? k_redis_longest_rest : k_redis_search_rest);
    if (failures_ > 0 && !over_) co_await sleep_for(backoff());
  }
}

// Listens to what nobody listens to. Whether there is a node for every channel.
bool RedisSubscriber::place() {
  bool all = true;
  std::vector<std::shared_ptr<Listener>> fresh;
  for (const auto& listener : listeners_) {
    const bool elsewhere = std::ranges::any_of(listener->channels, [&](const auto& channel) {
      const RedisNode* master = router_->master_of(channel);
      return master != nullptr && *master != listener->node;
    });
    if (elsewhere) end(*listener);
  }
  for (const std::string& channel : channels_) {
    if (is_covered(channel)) continue;
    const RedisNode* master = router_->master_of(channel);
    if (master == nullptr) {
      all = false;
      continue;
    }
    const auto serves = [&](const auto& listener) { return listener->node == *master; };
    auto found = std::ranges::find_if(fresh, serves);
    if (found == fresh.end()) {
      fresh.push_back(std::make_shared<Listener>(Listener{.node = *master}));
      found = fresh.end() - 1;
    }
    (*found)->channels.push_back(channel);
  }
  for (const auto& listener : fresh) {
    listeners_.push_back(listener);
    boost::asio::co_spawn(
        loop_, [self = shared_from_this(), listener] { return self->listen(listener); },
        boost::asio::detached);
  }
  return all;
}

bool RedisSubscriber::is_covered(const std::string& channel) const {
  return std::ranges::any_of(listeners_, [&](const auto& listener) {
    return std::ranges::find(listener->channels, channel) != listener->channels.end();
  });
}

Task<void> RedisSubscriber::rest(Millis longest) {
  if (woken_ || over_) co_return;
  boost::system::error_code cancelled;
  timer_.expires_after(longest);
  co_await timer_.async_wait(boost::asio::redirect_error(use_task, cancelled));
}

Millis RedisSubscriber::backoff() {
  Millis longest{20};
  for (std::uint32_t i = 1; i < failures_ && longest < k_redis_longest_backoff; ++i) longest *= 2;
  longest = std::min(longest, k_redis_longest_backoff);
  return longest - Millis(random_.u64() % static_cast<std::uint64_t>(longest.count() / 2));
}

Task<void> RedisSubscriber::listen(std::shared_ptr<Listener> listener) {
  const auto self = shared_from_this();
  const auto begun = Steady::now();
  const std::string why = co_await hear(listener);
  end(*listener);
  std::erase(listeners_, listener);
  if (over_) co_return;
  const bool worked = listener->subscribed && Steady::now() - begun >= k_redis_lasting_listener;
  if (failures_ == 0) {
    log::warn("no subscription at Redis",
              {{"host", listener->node.host}, {"port", listener->node.port}, {"reason", why}});
  }
  failures_ = worked ? 0 : failures_ + 1;
  router_->mistrust(listener->node);
  wake();
}

// Returns why it hears nothing (any more).
Task<std::string> RedisSubscriber::hear(std::shared_ptr<Listener> listener) {
  auto link = co_await connect_redis(config_, listener->node);
  if (!link) co_return link.error().message;
  listener->link = std::move(*link);
  if (listener->over) co_return "its slots moved";
  std::string words;
  for (const std::string& channel : listener->channels) {
    append_redis_words(words, {"SSUBSCRIBE", channel});
  }
  const auto link_alive = listener->link;
  const auto written = co_await link_alive->write(words);
  if (!written) co_return written.error().message;
  boost::asio::co_spawn(
      loop_, [self = shared_from_this(), listener] { return self->watch(listener); },
      boost::asio::detached);
  co_return co_await read_all(listener);
}

Task<std::string> RedisSubscriber::read_all(std::shared_ptr<Listener> listener) {
  RedisReader reader;
  std::string room(k_redis_news_bytes, '\0');
  for (;;) {
    const auto count = co_await listener->link->read_some(boost::asio::buffer(room));
    if (!count) co_return count.error().message;
    listener->alive = true;
    const auto fed = reader.feed(std::string_view(room).substr(0, *count));
    if (!fed) co_return fed.error().message;
    for (;;) {
      const auto answer = reader.next();
      if (!answer) co_return answer.error().message;
      if (!*answer) break;
      const std::string why = on_answer(**answer, *listener);
      if (!why.empty()) co_return why;
    }
  }
}

std::string RedisSubscriber::on_answer(const RedisAnswer& answer, Listener& listener) {
  if (answer.is_error) return answer.reply.text;
  const auto& items = answer.reply.items;
  if (items.size() < 2) return "";  // the answer to PING
  const std::string& what = items[0].text;
  if (what == "sunsubscribe") return "a slot moved";
  if (what == "ssubscribe") {
    listener.subscribed = true;
    failures_ = 0;
  }
  const bool news = what == "smessage" || what == "ssubscribe";
  if (news && !listener.over) heard_(items[1].text);
  return listener.over ? "it was closed" : "";
}

// Asks whether the node is still there; silence for a call_timeout ends the listener.
Task<void> RedisSubscriber::watch(std::shared_ptr<Listener> listener) {
  std::string ping;
  append_redis_words(ping, {"PING"});
  for (;;) {
    co_await sleep_for(config_->call_timeout);
    if (listener->over) co_return;
    if (!listener->alive) break;
    listener->alive = false;
    const auto link = listener->link;
    const auto written = co_await link->write(ping);
    if (!written) break;
  }
  end(*listener);
}

}  // namespace otpd::net
