// The hot store on Redis: records, the jobs that wait for delivery, and the audit events on their
// way to where they are kept. Any number of processes share it.
//
// Every key is in one of a fixed number of partitions, whose keys share a hash tag ({p0}, {p1}, …),
// so that a state, its jobs and its events are written by one script on one node. A record is in
// the partition of its key's hash, and what is written with it goes there too.
#pragma once

#include <memory>
#include <vector>

#include "audit/pump.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "delivery/lane_news.h"
#include "delivery/queue.h"
#include "net/redis_client.h"
#include "otp/store.h"
#include "storage/backend.h"

namespace otpd::storage {

struct RedisBackendConfig {
  net::RedisConfig redis;
  std::string prefix = "otpd";    // of every key: several otpd may share a server
  std::uint32_t partitions = 64;  // fixed by the first start
  bool replicated = true;         // a commit is answered when a replica has it (see net::RedisCall)
  Retention retention;
  // Events that may wait per partition; beyond, commits that write events are refused as
  // overloaded, so that the audit log stays complete.
  std::uint64_t max_backlog = 100'000;
  std::size_t cache_records = 10'000;  // for Store::recall
};

// Owns its ports. The queue takes the oldest jobs of a partition first; between partitions the
// order is only nearly that. Safe from any thread. `purge` is not needed: Redis forgets by itself.
class RedisBackend {
 public:
  virtual ~RedisBackend() = default;
  virtual otp::Store& store() = 0;
  virtual delivery::Queue& queue() = 0;
  virtual audit::EventStream& events() = 0;
  virtual delivery::HealthBoard& health() = 0;
};

// Connects, loads nothing, and checks the number of partitions against the one of the first start,
// which it writes if it is the first. Blocks until that is known; `loops` must run and, like
// `clock` and `metrics`, outlive it. Failures: unavailable, timeout, invalid (another number of
// partitions; the message says which).
Result<std::unique_ptr<RedisBackend>> open_redis_backend(
    const RedisBackendConfig& config, std::vector<boost::asio::io_context*> loops,
    const Clock& clock, Metrics& metrics);

}  // namespace otpd::storage
