// Write: what a commit or an append becomes: one call of the write script per partition.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "net/redis_client.h"
#include "otp/store.h"
#include "storage/redis/names.h"
#include "storage/redis/values.h"

namespace otpd::storage::redis {

// A record's new state.
struct NewState {
  const otp::Key* key;
  std::uint64_t expected;
  std::uint64_t version;  // of the new bytes
  const std::string* bytes;
  TimePoint expires_at;
};

// What goes to one partition, in one step. Refers to the effects that it was planned from.
struct Write {
  Partition partition = 0;
  std::optional<NewState> state;
  std::vector<const otp::NewJob*> enqueue;
  std::vector<const otp::JobEnd*> finish;
  std::vector<const audit::Event*> events;

  bool has_jobs() const { return !enqueue.empty() || !finish.empty(); }
};

// With the state go all new jobs, all events and the ends of its partition's jobs, in the first
// write; the others are ends of jobs elsewhere.
std::vector<Write> plan_commit(const NewState& state, const otp::Effects& effects,
                               std::uint32_t partitions);
std::vector<Write> plan_commit(const NewState&, otp::Effects&&, std::uint32_t) = delete;
// Every new job goes to its key's partition, every end to its lease's; the events go with the first
// of them. Nothing for effects that change nothing.
std::vector<Write> plan_append(const otp::Effects& effects, std::uint32_t partitions);
std::vector<Write> plan_append(otp::Effects&&, std::uint32_t) = delete;

struct WriteRules {
  TimePoint now;
  std::uint64_t max_backlog;
  Millis dead_letters;  // how long they are kept
};

// The call, without its word on replicas.
net::RedisCall write_call(const Write& write, const Names& names, const WriteRules& rules);

// How long Redis keeps what is of no use after `expires_at`, from `now` on by otpd's clock.
Millis life(TimePoint expires_at, TimePoint now, Millis slack);
inline constexpr Millis k_record_slack = std::chrono::minutes(1);
// A job that nobody took stays for the courier to bury it, even if all couriers are away for long.
inline constexpr Millis k_job_slack = std::chrono::days(1);

}  // namespace otpd::storage::redis
