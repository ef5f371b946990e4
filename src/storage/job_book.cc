#include "storage/job_book.h"

#include <algorithm>

namespace otpd::storage {

void JobBook::add(otp::NewJob job, std::uint32_t attempts) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = entries_.try_emplace(job.id);
  if (!is_new) return;
  Entry& entry = found->second;
  entry.job = std::move(job);
  entry.attempts = attempts;
  entry.arrival = next_arrival_++;
  due_.emplace(due_place(entry), &entry);
}

Taken JobBook::take(TimePoint now, Millis lease, std::size_t max) {
  const std::lock_guard lock(mutex_);
  end_leases(now);
  Taken taken;
  while (taken.jobs.size() < max && !due_.empty() && due_.begin()->first.first <= now) {
    Entry& entry = *due_.begin()->second;
    due_.erase(due_.begin());
    taken.jobs.push_back(hand_out(entry, now + lease));
  }
  if (!taken.jobs.empty()) {
    ++next_lease_;
    return taken;
  }
  for (const Places* places : {&due_, &held_}) {
    if (places->empty()) continue;
    const TimePoint first = places->begin()->first.first;
    taken.next_ready = std::min(taken.next_ready.value_or(first), first);
  }
  return taken;
}

// Under the lock.
delivery::Job JobBook::hand_out(Entry& entry, TimePoint until) {
  entry.lease = next_lease_;
  entry.leased_until = until;
  ++entry.attempts;
  held_.emplace(held_place(entry), &entry);
  return {.id = entry.job.id,
          .key = entry.job.key,
          .sealed = entry.job.sealed,
          .due_at = entry.job.due_at,
          .expires_at = entry.job.expires_at,
          .attempt = entry.attempts,
          .lease = entry.lease};
}

// Under the lock. The holder may still end the job until somebody else takes it.
void JobBook::end_leases(TimePoint now) {
  while (!held_.empty() && held_.begin()->first.first <= now) {
    Entry& entry = *held_.begin()->second;
    held_.erase(held_.begin());
    due_.emplace(due_place(entry), &entry);
  }
}

std::optional<JobBook::SetAside> JobBook::set_aside(const std::string& id, std::uint64_t lease) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (lease == 0 || found == entries_.end() || found->second.lease != lease) return std::nullopt;
  const bool was_placed =
      held_.erase(held_place(found->second)) > 0 || due_.erase(due_place(found->second)) > 0;
  if (!was_placed) return std::nullopt;  // set aside already
  return SetAside{&found->second.job, found->second.attempts};
}

void JobBook::settle(const otp::JobEnd& end, bool committed) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(end.id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!committed) {
    held_.emplace(held_place(entry), &entry);
  } else if (end.how == otp::JobEnd::How::retry) {
    entry.lease = 0;
    entry.job.due_at = end.due_at;
    due_.emplace(due_place(entry), &entry);
  } else {
    entries_.erase(found);
  }
}

delivery::QueueStats JobBook::stats(TimePoint now) {
  const std::lock_guard lock(mutex_);
  end_leases(now);
  delivery::QueueStats stats;
  stats.waiting = due_.size();
  stats.leased = entries_.size() - due_.size();
  if (!due_.empty()) stats.oldest_due = std::max(now - due_.begin()->first.first, Millis(0));
  return stats;
}

std::size_t JobBook::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

bool BookChanges::settle(JobBook& book, otp::Effects& effects, bool committed) {
  bool ready = false;
  for (const std::size_t i : ended_) {
    book.settle(effects.finish[i], committed);
    ready = ready || effects.finish[i].how == otp::JobEnd::How::retry;
  }
  if (!committed) return false;
  for (const std::size_t i : entered_) book.add(std::move(effects.enqueue[i]));
  return ready || !entered_.empty();
}

}  // namespace otpd::storage
