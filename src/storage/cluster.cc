#include "storage/cluster.h"

#include <optional>
#include <utility>

#include "storage/routed_store.h"
#include "storage/strict_store.h"

namespace otpd::storage {
namespace {

class JoinedBackend final : public ClusterBackend {
 public:
  JoinedBackend(std::unique_ptr<RedisBackend> redis, std::unique_ptr<PostgresBackend> postgres)
      : postgres_(std::move(postgres)),
        redis_(std::move(redis)),
        routed_(redis_->store(), postgres_->store()) {}

  void make_strict(const Clock& clock, Metrics& metrics) {
    strict_.emplace(routed_, postgres_->ledger(), clock, metrics);
  }

  otp::Store& store() override { return strict_ ? static_cast<otp::Store&>(*strict_) : routed_; }
  delivery::Queue& queue() override { return redis_->queue(); }
  audit::AuditLog& audit() override { return postgres_->audit(); }
  audit::EventStream& events() override { return redis_->events(); }
  audit::EventSink& sink() override { return postgres_->sink(); }
  delivery::HealthBoard& health() override { return redis_->health(); }

  Task<Result<Purged>> purge(TimePoint now) override { co_return co_await postgres_->purge(now); }
  Task<Result<void>> ping_postgres() override { co_return co_await postgres_->store().ping(); }

 private:
  std::unique_ptr<PostgresBackend> postgres_;
  std::unique_ptr<RedisBackend> redis_;
  RoutedStore routed_;
  std::optional<StrictStore> strict_;
};

}  // namespace

Result<std::unique_ptr<ClusterBackend>> open_cluster_backend(
    const ClusterConfig& config, std::vector<boost::asio::io_context*> loops, const Clock& clock,
    Metrics& metrics) {
  auto postgres = open_postgres_backend(config.postgres, clock, metrics);
  if (!postgres) return std::unexpected(postgres.error());
  auto redis = open_redis_backend(config.redis, std::move(loops), clock, metrics);
  if (!redis) return std::unexpected(redis.error());
  auto joined = std::make_unique<JoinedBackend>(std::move(*redis), std::move(*postgres));
  if (config.strict) joined->make_strict(clock, metrics);
  return joined;
}

}  // namespace otpd::storage
