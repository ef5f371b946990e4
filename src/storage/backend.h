// Backend: one place where everything is kept, behind the three ports that the rest of the house
// knows: records, the jobs that wait for delivery, and the audit log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "audit/log.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/task.h"
#include "delivery/queue.h"
#include "otp/store.h"

namespace otpd::storage {

// How long things are kept that no rule needs any more.
struct Retention {
  Millis audit = std::chrono::days(365);  // PCI DSS 10.5.1: a year
  Millis dead_letters = std::chrono::days(7);
};

// What a purge removed.
struct Purged {
  std::uint64_t records = 0;
  std::uint64_t blanked = 0;  // dead letters whose sealed message was wiped
  std::uint64_t dead_letters = 0;
  std::uint64_t events = 0;
  Millis longest_slice{0};  // the longest time for which commits had to wait for the purge
};

// Owns its ports; they live as long as it does. Safe from any thread. Destroying it writes and
// answers what waits, then refuses with Failure::unavailable; the event loops of the callers must
// still exist then (running or not), the callers' coroutines may outlive it.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual otp::Store& store() = 0;
  // A take that waits looks again when a job enters or is given back, and when the next job is due
  // by the clock given to the factory. It does not notice that a virtual clock was moved: wait in
  // steps as short as that should be noticed.
  virtual delivery::Queue& queue() = 0;
  virtual audit::AuditLog& audit() = 0;

  // Removes what `now` and the retention say is garbage: expired records (up to ten minutes later
  // than they ask for), the sealed messages of dead letters whose code expired, old dead letters,
  // old audit lines. Jobs that nobody took stay: they are the courier's to bury. Works in slices
  // between the commits, so it may take minutes; a call while another purge runs removes nothing.
  // Failures: as a commit.
  virtual Task<Result<Purged>> purge(TimePoint now) = 0;
};

// Keeps everything in memory: for tests and simulations. Every call answers at once on the
// caller's thread. `clock` must outlive it.
std::unique_ptr<Backend> make_memory_backend(const Clock& clock, const Retention& retention = {});

struct SqliteConfig {
  std::string path;  // the database file; its folder must exist
  Retention retention;
  std::size_t queue_limit = 4096;  // calls that wait for a thread; more are refused at once
  std::size_t batch_limit = 256;   // commits in one transaction
  // A transaction begins this long after the one before it, or once `pace_limit` commits wait: a
  // quiet store answers at once, and a busy one does not spend more on transactions than on work.
  Millis pace{10};
  std::size_t pace_limit = 16;
  std::size_t jobs_limit = 250'000;    // jobs that wait, in memory; more are refused as overloaded
  std::size_t cache_bytes = 16 << 20;  // recently committed records kept in memory
  std::size_t key_index_bytes = 64 << 20;  // at most, to know in memory which records exist
  std::uint64_t max_file_bytes = 0;        // the database's greatest size; 0: as the disk allows
  Millis call_timeout{5000};               // after which a call answers Failure::timeout
};

// Opens the SQLite file at `config.path`, making it (mode 0600) or migrating it if need be, and
// holds it exclusively until destroyed: a second opener, in this process or another, is refused.
// An acknowledged commit survives the loss of power. `clock` and `metrics` must outlive it.
// Failures: unavailable (in use, folder or file not writable), corrupt (not a database), invalid
// (a database of something else, or of a newer schema).
Result<std::unique_ptr<Backend>> open_sqlite_backend(const SqliteConfig& config, const Clock& clock,
                                                     Metrics& metrics);

}  // namespace otpd::storage
