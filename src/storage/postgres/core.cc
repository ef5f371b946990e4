#include "storage/postgres/core.h"

#include "storage/postgres/schema.h"

namespace otpd::storage::postgres {
namespace {

PostgresConfig copy_of(const PostgresConfig& config) {
  return {.url = config.url.clone(),
          .retention = config.retention,
          .connections = config.connections,
          .queue_limit = config.queue_limit,
          .connect_timeout = config.connect_timeout,
          .call_timeout = config.call_timeout};
}

}  // namespace

Core::Core(const PostgresConfig& c, const Clock& k, Metrics& metrics)
    : config(copy_of(c)), clock(k), pool(config, metrics, migrate) {}

void Core::stop() {
  jobs_bell->close();
  pool.stop();
}

}  // namespace otpd::storage::postgres
