// Outlook: what this process knows about when which partition has a job to take.
//
// It knows from the doorbell that there may be one now, and from a look at all partitions when the
// next ones will be due. Knowing nothing of a partition means that it is not asked until the next
// look; knowing too much costs one needless question.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "storage/redis/names.h"

namespace otpd::storage::redis {

// Safe from any thread.
class Outlook {
 public:
  // Of partitions that are equally promising, the search begins at `first`: if every process has
  // another, they do not run after each other.
  Outlook(std::uint32_t partitions, Partition first) : known_(partitions), next_(first) {}

  // There may be a job by now.
  void heard(Partition partition);

  // A job will be due then.
  void expect(Partition partition, TimePoint due);

  // The next job will be due, and the first lease will run out then; nothing: none is known.
  void saw(Partition partition, std::optional<TimePoint> due, std::optional<TimePoint> lease_ends);

  struct Pick {
    Partition partition = 0;
    bool end_leases = false;  // one ran out
    bool operator==(const Pick&) const = default;
  };
  // Up to `most` partitions that have something to take at `now`, the most overdue first. What was
  // known of them is forgotten: whoever picks them looks.
  std::vector<Pick> pick(TimePoint now, std::size_t most);

  // When there will be something to take, as far as is known.
  std::optional<TimePoint> next() const;

 private:
  struct Known {
    std::optional<TimePoint> due;
    std::optional<TimePoint> lease_ends;
    std::optional<TimePoint> first() const;
  };

  mutable std::mutex mutex_;
  std::vector<Known> known_;
  std::size_t next_;  // where the search begins
};

}  // namespace otpd::storage::redis
