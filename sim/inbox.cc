#include "inbox.h"

#include <functional>

namespace otpd::sim {
namespace {

constexpr std::uint64_t InboxStats::* k_counts[] = {
    &InboxStats::accepted, &InboxStats::duplicates,         &InboxStats::rejected,
    &InboxStats::lost,     &InboxStats::receipts_delivered, &InboxStats::receipts_failed};

std::size_t content_hash(const Message& message) {
  return std::hash<std::string>{}(message.to + '\n' + message.text);
}

std::uint64_t id_at(TimePoint time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) * 1000;
}

}  // namespace

Inbox::Inbox(TimePoint start, std::size_t capacity)
    : capacity_(capacity), first_id_(id_at(start) + 1), epoch_(id_at(start)) {}

std::uint64_t Inbox::add(Message message) {
  const std::lock_guard lock(mutex_);
  if (messages_.size() == capacity_) drop_oldest();
  message.id = first_id_ + messages_.size();
  InboxStats& stats = stats_[index_of(message.face)];
  ++stats.accepted;
  if (++held_by_content_[content_hash(message)] > 1) ++stats.duplicates;
  ids_by_to_[message.to].push_back(message.id);
  messages_.push_back(std::move(message));
  return messages_.back().id;
}

void Inbox::drop_oldest() {
  const Message& oldest = messages_.front();
  const auto ids = ids_by_to_.find(oldest.to);
  ids->second.pop_front();
  if (ids->second.empty()) ids_by_to_.erase(ids);
  const auto held = held_by_content_.find(content_hash(oldest));
  if (--held->second == 0) held_by_content_.erase(held);
  messages_.pop_front();
  ++first_id_;
}

void Inbox::count(Face face, std::uint64_t InboxStats::* what) {
  const std::lock_guard lock(mutex_);
  ++(stats_[index_of(face)].*what);
}

std::vector<Message> Inbox::find(const InboxQuery& query) const {
  const std::lock_guard lock(mutex_);
  std::vector<Message> found;
  const std::uint64_t after = query.after.value_or(0);
  if (query.to) {
    const auto ids = ids_by_to_.find(*query.to);
    if (ids == ids_by_to_.end()) return found;
    for (auto id = ids->second.rbegin(); id != ids->second.rend(); ++id) {
      if (*id <= after || found.size() == query.limit) break;
      found.push_back(at(*id));
    }
    return found;
  }
  for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
    if (message->id <= after || found.size() == query.limit) break;
    found.push_back(*message);
  }
  return found;
}

void Inbox::clear() {
  const std::lock_guard lock(mutex_);
  first_id_ += messages_.size();
  ++epoch_;
  messages_.clear();
  ids_by_to_.clear();
  held_by_content_.clear();
  stats_ = {};
}

InboxStats Inbox::stats() const {
  const std::lock_guard lock(mutex_);
  InboxStats sum;
  for (const InboxStats& stats : stats_) {
    for (const auto member : k_counts) sum.*member += stats.*member;
  }
  return sum;
}

InboxStats Inbox::stats(Face face) const {
  const std::lock_guard lock(mutex_);
  return stats_[index_of(face)];
}

std::uint64_t Inbox::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

}  // namespace otpd::sim
