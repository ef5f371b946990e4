// Shared: what the ports of one Redis backend have in common, and every call in flight keeps alive.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "crypto/primitives.h"
#include "net/redis_client.h"
#include "storage/doorbell.h"
#include "storage/redis/backend.h"
#include "storage/redis/names.h"
#include "storage/redis/outlook.h"
#include "storage/sqlite/record_cache.h"

namespace otpd::storage::redis {

// How long what belongs to no single record lives in Redis after anybody last used it.
inline constexpr Millis k_shared_life = std::chrono::days(400);

// Safe from any thread.
class Shared {
 public:
  Shared(const RedisBackendConfig& config, std::vector<boost::asio::io_context*> loops,
         const Clock& clock_to_use, Metrics& metrics);

  // As RedisClients::call.
  Task<Result<net::RedisReply>> call(net::RedisCall call);

  // A call of `script` in that partition.
  net::RedisCall script_call(const net::RedisScript& script, Partition partition,
                             std::vector<std::string> keys,
                             const std::vector<std::string>& args) const;

  // Makes sure that what the partition shares is there and lives on; asks Redis once an hour.
  Task<void> keep(Partition partition);
  // Keep asks again: something was not there.
  void distrust(Partition partition) { kept_until_[partition] = 0; }

  // Whether all partitions are to be looked at again; only one of those who ask is told so.
  bool is_time_to_look();
  Millis until_look() const;

  // A number that is not 0.
  std::uint64_t draw_version();
  std::uint32_t draw_lease_number();

  std::uint32_t partitions() const { return static_cast<std::uint32_t>(names.size()); }

  const bool replicated;
  const Retention retention;
  const std::uint64_t max_backlog;
  const Clock& clock;
  const std::vector<Names> names;
  const std::shared_ptr<Doorbell> bell = std::make_shared<Doorbell>();
  Outlook outlook;
  sqlite::RecordCache cache;
  Counter refused;
  net::RedisClients clients;

 private:
  crypto::SystemRandom random_;
  // By the steady clock, in ms.
  std::vector<std::atomic<std::int64_t>> kept_until_;
  std::atomic<std::int64_t> look_at_ = 0;
};

// For an answer that no script of ours gives.
std::unexpected<Error> strange_answer();

}  // namespace otpd::storage::redis
