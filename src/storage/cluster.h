// The stores of a cluster put together: hot state and queue in Redis, the audit log and what must
// never vanish in PostgreSQL.
#pragma once

#include <memory>
#include <vector>

#include "delivery/lane_news.h"
#include "storage/postgres/backend.h"
#include "storage/redis/backend.h"

namespace otpd::storage {

struct ClusterConfig {
  RedisBackendConfig redis;
  PostgresConfig postgres;
  bool strict = false;  // a StrictStore: PostgreSQL has the last word on every consumed code
};

// As Backend. `purge` is the tending of PostgreSQL; Redis forgets by itself.
class ClusterBackend : public Backend {
 public:
  virtual audit::EventStream& events() = 0;
  virtual audit::EventSink& sink() = 0;
  virtual delivery::HealthBoard& health() = 0;
  // A cheap question to PostgreSQL.
  virtual Task<Result<void>> ping_postgres() = 0;
};

// As open_redis_backend and open_postgres_backend.
Result<std::unique_ptr<ClusterBackend>> open_cluster_backend(
    const ClusterConfig& config, std::vector<boost::asio::io_context*> loops, const Clock& clock,
    Metrics& metrics);

}  // namespace otpd::storage
