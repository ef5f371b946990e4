// RedisSubscriber: what is published on some sharded channels (SPUBLISH), wherever their slots are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/redis_router.h"

namespace otpd::net {

// One connection to each master that serves one of the channels. A connection that ends, is silent
// beyond the call_timeout, or loses a slot is given up, and its channels are looked for anew with
// backoff and jitter. For one loop; make it as a shared_ptr.
class RedisSubscriber : public std::enable_shared_from_this<RedisSubscriber> {
 public:
  // `heard(channel)`: as RedisClient::subscribe.
  RedisSubscriber(Executor loop, std::shared_ptr<const RedisConfig> config,
                  std::shared_ptr<RedisRouter> router, std::vector<std::string> channels,
                  std::function<void(const std::string&)> heard);

  // From any thread.
  void start();
  // For good; nothing is heard any more.
  void close();

 private:
  struct Listener {
    RedisNode node;
    std::vector<std::string> channels;
    std::shared_ptr<Link> link;  // once it is connected
    bool over = false;
    bool alive = false;  // something came since the last look
    bool subscribed = false;
  };

  Task<void> tend();
  bool place();
  bool is_covered(const std::string& channel) const;
  Task<void> rest(Millis longest);
  Millis backoff();
  void wake();
  void end(Listener& listener);
  Task<void> listen(std::shared_ptr<Listener> listener);
  Task<std::string> hear(std::shared_ptr<Listener> listener);
  Task<std::string> read_all(std::shared_ptr<Listener> listener);
  Task<void> watch(std::shared_ptr<Listener> listener);
  // Why the listener is of no more use; empty: it goes on.
  std::string on_answer(const RedisAnswer& answer, Listener& listener);

  const Executor loop_;
  const std::shared_ptr<const RedisConfig> config_;
  const std::shared_ptr<RedisRouter> router_;
  const std::vector<std::string> channels_;
  std::function<void(const std::string&)> heard_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  SeededRandom random_;
  std::uint32_t failures_ = 0;  // listeners in a row that did not last
  bool woken_ = false;
  bool over_ = false;
  Timer timer_;
};

}  // namespace otpd::net
