#include "storage/redis/outlook.h"

#include <algorithm>
#include <utility>

namespace otpd::storage::redis {
namespace {

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a || !b) return a ? a : b;
  return std::min(a, b);
}

}  // namespace

std::optional<TimePoint> Outlook::Known::first() const {
  return earlier(due, lease_ends);
}

void Outlook::heard(Partition partition) {
  const std::lock_guard lock(mutex_);
  known_[partition].due = TimePoint::min();
}

void Outlook::expect(Partition partition, TimePoint due) {
  const std::lock_guard lock(mutex_);
  known_[partition].due = earlier(known_[partition].due, due);
}

void Outlook::saw(Partition partition, std::optional<TimePoint> due,
                  std::optional<TimePoint> lease_ends) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[partition];
  // It may have rung since the look.
  known.due = earlier(known.due, due);
  known.lease_ends = lease_ends;
}

std::vector<Outlook::Pick> Outlook::pick(TimePoint now, std::size_t most) {
  struct Candidate {
    std::pair<TimePoint, std::size_t> rank;
    Pick pick;
  };
  const std::lock_guard lock(mutex_);
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const std::size_t at = (next_ + i) % known_.size();
    const Known& known = known_[at];
    const auto since = known.first();
    if (!since || *since > now) continue;
    found.push_back({{*since, i},
                     {.partition = static_cast<Partition>(at),
                      .end_leases = known.lease_ends.value_or(TimePoint::max()) <= now}});
  }
  std::ranges::sort(found, {}, &Candidate::rank);
  if (found.size() > most) found.resize(most);
  std::vector<Pick> picks;
  for (const Candidate& candidate : found) {
    picks.push_back(candidate.pick);
    known_[candidate.pick.partition] = {};
    next_ = (candidate.pick.partition + 1) % known_.size();
  }
  return picks;
}

std::optional<TimePoint> Outlook::next() const {
  const std::lock_guard lock(mutex_);
  std::optional<TimePoint> next;
  for (const Known& known : known_) next = earlier(next, known.first());
  return next;
}

}  // namespace otpd::storage::redis
