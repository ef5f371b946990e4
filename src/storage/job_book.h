// JobBook: the jobs that wait for delivery, and who holds which of them.
//
// One process owns a backend, so a lease needs no place on the disk: who held one died with the
// process. A job enters the book when the commit that enqueued it is durable, and leaves it when
// the commit that ended it is.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "delivery/queue.h"
#include "otp/store.h"

namespace otpd::storage {

// The answer of one look at the queue.
struct Taken {
  std::vector<delivery::Job> jobs;
  std::optional<TimePoint> next_ready;  // if `jobs` is empty: when the next one can be taken
};

// Safe from any thread.
class JobBook {
 public:
  // Leases are numbered from `first` on (not 0). Before the first take.
  void number_leases_from(std::uint64_t first) { next_lease_ = first; }

  // A job that waits; `attempts` is how often it was tried. Nothing if the id is there already.
  void add(otp::NewJob job, std::uint32_t attempts = 0);

  // Up to `max` due jobs, oldest first, under one lease until `now + lease`.
  Taken take(TimePoint now, Millis lease, std::size_t max);

  // A job whose end is being committed, and how often it was tried; until settle().
  struct SetAside {
    const otp::NewJob* job;
    std::uint32_t attempts;
  };
  // Sets a job aside for the commit of its end, if `lease` is the one it was last taken under:
  // nobody can take it until settle(). Nothing if the lease is stale: then nothing may be changed.
  std::optional<SetAside> set_aside(const std::string& id, std::uint64_t lease);

  // After the commit of `end`, whose job was set aside: removes it or gives it back, or undoes
  // set_aside() if nothing was committed.
  void settle(const otp::JobEnd& end, bool committed);

  // Without `dead`.
  delivery::QueueStats stats(TimePoint now);

  std::size_t size() const;

 private:
  struct Entry {
    otp::NewJob job;
    std::uint32_t attempts = 0;
    std::uint64_t lease = 0;  // the last one; 0: never taken since it entered or was given back
    TimePoint leased_until;
    std::uint64_t arrival = 0;  // orders jobs of the same instant
  };
  // The job's place in due_ or held_.
  using Place = std::pair<TimePoint, std::uint64_t>;
  using Places = std::map<Place, Entry*>;

  static Place due_place(const Entry& entry) { return {entry.job.due_at, entry.arrival}; }
  static Place held_place(const Entry& entry) { return {entry.leased_until, entry.arrival}; }
  void end_leases(TimePoint now);
  delivery::Job hand_out(Entry& entry, TimePoint until);

  mutable std::mutex mutex_;
  std::uint64_t next_lease_ = 1;
  std::uint64_t next_arrival_ = 0;
  std::unordered_map<std::string, Entry> entries_;
  Places due_;   // by due time: those that nobody holds
  Places held_;  // by the end of the lease; those set aside are in neither
};

// What the effects of one operation do to the book, between the transaction and its end.
class BookChanges {
 public:
  // Remembers that effects.enqueue[i] is new.
  void entered(std::size_t i) { entered_.push_back(i); }
  // Remembers that the job of effects.finish[i] was set aside.
  void ended(std::size_t i) { ended_.push_back(i); }

  // Carries the changes out, or undoes them; takes the new jobs over. True if a job may be ready.
  bool settle(JobBook& book, otp::Effects& effects, bool committed);

 private:
  std::vector<std::size_t> entered_;
  std::vector<std::size_t> ended_;
};

}  // namespace otpd::storage
