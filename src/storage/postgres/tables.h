// Tables: records, jobs and consumed codes, on one session. Failures stick to the session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "delivery/queue.h"
#include "otp/store.h"
#include "storage/postgres/session.h"

namespace otpd::storage::postgres {

otp::Record load_record(Session& session, const otp::Key& key);

// Store::commit's part that is about the record; false: a conflict, and nothing was written.
bool put_record(Session& session, const otp::Key& key, std::uint64_t expected,
                const std::string& bytes, TimePoint expires_at);

// The jobs of some effects: first all that enter, then all that end, each by id, so that no two
// transactions wait for one another. True if a job may have become ready.
bool write_jobs(Session& session, const otp::Effects& effects, TimePoint now);

// One look at the queue.
struct JobsTaken {
  std::vector<delivery::Job> jobs;
  std::optional<TimePoint> next_ready;  // if `jobs` is empty: when the next one can be taken
};
JobsTaken take_jobs(Session& session, TimePoint now, Millis lease, std::size_t max);

delivery::QueueStats queue_stats(Session& session, TimePoint now);
std::vector<delivery::DeadLetter> dead_letters(Session& session, std::size_t max);
bool requeue_job(Session& session, const std::string& id, TimePoint now);

// True for the first call with this id.
bool consume_once(Session& session, const std::string& verification_id, TimePoint now);

// Purge steps: each removes at most `max` rows that are `before` or at it, and says how many.
std::uint64_t purge_records(Session& session, TimePoint before, std::size_t max);
std::uint64_t blank_letters(Session& session, TimePoint before, std::size_t max);
std::uint64_t purge_letters(Session& session, TimePoint before, std::size_t max);
std::uint64_t purge_consumed(Session& session, TimePoint before, std::size_t max);

}  // namespace otpd::storage::postgres
