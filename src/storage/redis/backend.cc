#include "storage/redis/backend.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>
#include <utility>

#include "storage/redis/events.h"
#include "storage/redis/health_board.h"
#include "storage/redis/opening.h"
#include "storage/redis/queue.h"
#include "storage/redis/shared.h"
#include "storage/redis/store.h"

namespace otpd::storage {
namespace {

using redis::Shared;

constexpr std::uint32_t k_most_partitions = 16'384;  // a cluster has no more slots

class SharedRedisBackend final : public RedisBackend {
 public:
  SharedRedisBackend(const std::shared_ptr<Shared>& shared, const std::string& prefix)
      : shared_(shared),
        store_(redis::make_redis_store(shared)),
        queue_(redis::make_redis_queue(shared)),
        events_(redis::make_redis_events(shared)),
        health_(redis::make_redis_health_board(shared, prefix)) {}
  ~SharedRedisBackend() override { shared_->bell->close(); }
  SharedRedisBackend(const SharedRedisBackend&) = delete;
  SharedRedisBackend& operator=(const SharedRedisBackend&) = delete;

  otp::Store& store() override { return *store_; }
  delivery::Queue& queue() override { return *queue_; }
  audit::EventStream& events() override { return *events_; }
  delivery::HealthBoard& health() override { return *health_; }

 private:
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<otp::Store> store_;
  std::unique_ptr<delivery::Queue> queue_;
  std::unique_ptr<audit::EventStream> events_;
  std::unique_ptr<delivery::HealthBoard> health_;
};

struct Opening {
  boost::asio::io_context& loop;
  const RedisBackendConfig& config;
  Metrics& metrics;
  std::promise<Result<void>> answer;
};

// With a client of its own, which ends on its loop before the answer is given.
Task<void> check(Opening& opening) {
  Result<void> fits;
  {
    const auto client =
        net::RedisClient::make(opening.loop, net::clone(opening.config.redis), opening.metrics);
    fits = co_await redis::check_redis(*client, opening.config);
    client->close();
  }
  opening.answer.set_value(std::move(fits));
}

}  // namespace

Result<std::unique_ptr<RedisBackend>> open_redis_backend(
    const RedisBackendConfig& config, std::vector<boost::asio::io_context*> loops,
    const Clock& clock, Metrics& metrics) {
  if (config.partitions == 0 || config.partitions > k_most_partitions) {
    return fail(Failure::invalid, "the number of partitions must be from 1 to 16384");
  }
  Opening opening{*loops.front(), config, metrics, {}};
  boost::asio::co_spawn(loops.front()->get_executor(), check(opening), boost::asio::detached);
  if (auto fits = opening.answer.get_future().get(); !fits) return std::unexpected(fits.error());
  return std::make_unique<SharedRedisBackend>(
      std::make_shared<Shared>(config, std::move(loops), clock, metrics), config.prefix);
}

}  // namespace otpd::storage
