// Partitions: the months of otp_events.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "audit/event.h"
#include "storage/postgres/session.h"

namespace otpd::storage::postgres {

// Months since the year 0, of the UTC calendar.
using Month = int;
Month month_of(TimePoint time);
TimePoint begin_of(Month month);
// "otp_events_202711".
std::string partition_name(Month month);

// Remembers which months have their partition. Safe from any thread.
class Partitions {
 public:
  // Makes the partitions that these events need and that are not there yet, each in a transaction
  // of its own, without blocking readers and writers of the others. A failure sticks to the
  // session.
  void ensure(Session& session, const std::vector<audit::Event>& events);
  void ensure(Session& session, Month month);

  // Forgets what it knows: a partition may have been dropped.
  void forget();

 private:
  bool knows(Month month);

  std::mutex mutex_;
  std::set<Month> known_;  // of the years 1970 to 9999
};

// Drops the partitions that can hold no line later than `before`, and says which line was each
// chain's last there. How many lines they held (an estimate for a large one). A failure sticks.
std::uint64_t drop_partitions(Session& session, TimePoint before);

}  // namespace otpd::storage::postgres
