// Store: the port to what otpd remembers. A store knows keys, versions and bytes; every rule is
// elsewhere.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace otpd::otp {

// The name of a record: a kind letter and a keyed hash, opaque to stores.
using Key = std::string;

// A record as loaded. Version 0 means that there is none (and `bytes` is empty); every commit
// gives a record a version that it never had before.
struct Record {
  std::string bytes;
  std::uint64_t version = 0;
};

// A message to deliver, entering the queue.
struct NewJob {
  std::string id;  // 16 bytes; enqueueing an id that is there already changes nothing
  Key key;         // the recipient's record
  TimePoint due_at;
  TimePoint expires_at;  // the code's end: nothing is sent at or after it
  std::string sealed;    // address and code, sealed; the only copy
};

// What becomes of a leased job.
struct JobEnd {
  enum class How : std::uint8_t {
    done,   // remove it
    retry,  // give it back, due at `due_at`
    dead,   // keep it as a dead letter with `reason`, until its retention ends
  };
  std::string id;
  std::uint64_t lease = 0;  // the lease under which it was taken; a stale lease changes nothing
  How how = How::done;
  TimePoint due_at;
  std::string reason;  // from a fixed set; no address, no code
};

// What is written in the same atomic step as a state. (The transactional outbox: a crash at any
// instruction leaves either all of it or nothing.)
struct Effects {
  std::vector<NewJob> enqueue;
  std::vector<JobEnd> finish;
  std::vector<audit::Event> events;
};

enum class CommitResult : std::uint8_t { done, conflict };

class Store {
 public:
  virtual ~Store() = default;

  // The record, or version 0. Failures: unavailable, timeout, overloaded.
  virtual Task<Result<Record>> load(Key key) = 0;

  // The record if the store has it at hand, without asking its backend and without waiting. It may
  // be outdated, as a commit will tell. Safe from any thread.
  virtual std::optional<Record> recall(const Key& key) = 0;

  // If the record's version is still `expected`: replaces its bytes (empty: deletes it) and
  // writes the effects, all durably or not at all, and answers `done`. Otherwise changes nothing
  // and answers `conflict`. `expires_at` is when the store may collect the record as garbage;
  // never a rule. After a failure the caller does not know whether it was written.
  virtual Task<Result<CommitResult>> commit(Key key, std::uint64_t expected, std::string bytes,
                                            TimePoint expires_at, Effects effects) = 0;

  // Writes effects that go with no state (an audit line of a refusal).
  virtual Task<Result<void>> append(Effects effects) = 0;

  // Whether the store can serve: a cheap question to the backend itself.
  virtual Task<Result<void>> ping() = 0;
};

}  // namespace otpd::otp
