// Inbox: every message that the simulated carriers accepted.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace otpd::sim {

struct Message {
  std::uint64_t id = 0;  // grows; also across restarts
  std::string to;
  std::string from;
  std::string channel;  // "sms" or "email"
  std::string subject;  // of a mail
  std::string text;
  TimePoint received_at;
};

struct InboxQuery {
  std::optional<std::string> to;       // only messages to this address
  std::optional<std::uint64_t> after;  // only messages with a greater id
  std::size_t limit = 100;
};

struct InboxStats {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;  // accepted with the address and text of one that is still held
  std::uint64_t rejected = 0;
};

// Holds the newest `capacity` messages. Safe from any thread.
class Inbox {
 public:
  // `start` seeds the ids and the epoch.
  explicit Inbox(TimePoint start, std::size_t capacity = 100'000);

  // Takes a message (its id is set here) and returns the id.
  std::uint64_t add(Message message);
  void count_rejected();

  // Newest first. Costs what it returns, however many messages there are.
  std::vector<Message> find(const InboxQuery& query) const;
  // Forgets all messages and counts.
  void clear();
  InboxStats stats() const;
  // Another number after `clear` and in every process: what was known of the inbox is outdated.
  std::uint64_t epoch() const;

 private:
  const Message& at(std::uint64_t id) const { return messages_[id - first_id_]; }
  void drop_oldest();

  mutable std::mutex mutex_;
  std::size_t capacity_;
  std::uint64_t first_id_;  // of messages_.front()
  std::uint64_t epoch_;
  std::deque<Message> messages_;
  std::unordered_map<std::string, std::deque<std::uint64_t>> ids_by_to_;
  std::unordered_map<std::size_t, std::uint32_t> held_by_content_;
  InboxStats stats_;
};

}  // namespace otpd::sim
