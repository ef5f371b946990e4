#include "net/redis_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/redis_subscriber.h"

namespace otpd::net {
namespace {

// How much later than the client itself another loop gives up waiting for it.
constexpr Millis k_redis_hop_margin{100};

class RoutedRedisClient final : public RedisClient {
 public:
  RoutedRedisClient(Executor loop, RedisConfig config, Metrics& metrics)
      : loop_(loop),
        config_(std::make_shared<const RedisConfig>(std::move(config))),
        router_(std::make_shared<RedisRouter>(loop, config_, metrics)) {}
  ~RoutedRedisClient() override { close(); }
  RoutedRedisClient(const RoutedRedisClient&) = delete;
  RoutedRedisClient& operator=(const RoutedRedisClient&) = delete;

  Task<Result<RedisReply>> call(RedisCall call) override { return router_->call(std::move(call)); }
  Task<Result<void>> ping() override { return router_->ping(); }
  void subscribe(std::vector<std::string> channels,
                 std::function<void(const std::string&)> heard) override {
    subscriber_ = std::make_shared<RedisSubscriber>(loop_, config_, router_, std::move(channels),
                                                    std::move(heard));
    subscriber_->start();
  }
  void close() override {
    if (subscriber_) subscriber_->close();
    router_->close();
  }

 private:
  const Executor loop_;
  const std::shared_ptr<const RedisConfig> config_;
  std::shared_ptr<RedisRouter> router_;
  std::shared_ptr<RedisSubscriber> subscriber_;  // once there is a subscription
};

}  // namespace

RedisConfig clone(const RedisConfig& config) {
  return {.nodes = config.nodes,
          .cluster = config.cluster,
          .user = config.user,
          .password = config.password.clone(),
          .tls = config.tls,
          .ca_file = config.ca_file,
          .connect_timeout = config.connect_timeout,
          .call_timeout = config.call_timeout,
          .replica_timeout = config.replica_timeout,
          .topology_every = config.topology_every,
          .max_waiting = config.max_waiting};
}

std::unique_ptr<RedisClient> RedisClient::make(boost::asio::io_context& loop, RedisConfig config,
                                               Metrics& metrics) {
  return std::make_unique<RoutedRedisClient>(loop.get_executor(), std::move(config), metrics);
}

struct RedisClients::Member {
  boost::asio::io_context* loop;
  std::unique_ptr<RedisClient> client;
  Millis patience;

  // Runs `ask(client)` on the member's loop for a coroutine of another one.
  template <class T, class Ask>
  Task<Result<T>> elsewhere(Ask ask) {
    co_return co_await await_callback<T>(patience, [&](Callback<Result<T>> done) {
      auto body = [](RedisClient& on, Ask asked, Callback<Result<T>> finish) -> Task<void> {
        finish(co_await asked(on));
      };
      boost::asio::co_spawn(loop->get_executor(), body(*client, std::move(ask), std::move(done)),
                            boost::asio::detached);
    });
  }
};

RedisClients::RedisClients(std::vector<boost::asio::io_context*> loops, const RedisConfig& config,
                           Metrics& metrics) {
  for (boost::asio::io_context* loop : loops) {
    members_.push_back({loop, RedisClient::make(*loop, clone(config), metrics),
                        config.call_timeout + k_redis_hop_margin});
  }
}

RedisClients::~RedisClients() = default;

Task<Result<RedisReply>> RedisClients::call(RedisCall call) {
  const auto here = co_await this_executor();
  for (Member& member : members_) {
    if (&member.loop->get_executor().context() == &here.context()) {
      co_return co_await member.client->call(std::move(call));
    }
  }
  co_return co_await members_.front().elsewhere<RedisReply>(
      [asked = std::move(call)](RedisClient& client) mutable {
        return client.call(std::move(asked));
      });
}

Task<Result<void>> RedisClients::ping() {
  const auto here = co_await this_executor();
  for (Member& member : members_) {
    if (&member.loop->get_executor().context() == &here.context()) {
      co_return co_await member.client->ping();
    }
  }
  co_return co_await members_.front().elsewhere<void>(
      [](RedisClient& client) { return client.ping(); });
}

void RedisClients::subscribe(std::vector<std::string> channels,
                             std::function<void(const std::string&)> heard) {
  const Member& first = members_.front();
  boost::asio::post(*first.loop, [client = first.client.get(), channels = std::move(channels),
                                  heard = std::move(heard)]() mutable {
    client->subscribe(std::move(channels), std::move(heard));
  });
}

}  // namespace otpd::net
