// Inbox: every message that the simulated carriers accepted.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "face.h"

namespace otpd::sim {

struct Message {
  std::uint64_t id = 0;  // grows; also across restarts
  std::string to;
  std::string from;
  std::string channel;  // sms, voice, whatsapp or email
  std::string subject;  // of a mail
  std::string text;
  TimePoint received_at;
  Face face = Face::twilio;  // that took it
};

struct InboxQuery {
  std::optional<std::string> to;       // only messages to this address
  std::optional<std::uint64_t> after;  // only messages with a greater id
  std::size_t limit = 100;
};

struct InboxStats {
  std::uint64_t accepted = 0;    // and shown in the inbox
  std::uint64_t duplicates = 0;  // of those, with the address and text of one that is still held
  std::uint64_t rejected = 0;    // refused, or cut off by a fault
  std::uint64_t lost = 0;        // accepted and never seen again, on purpose
  std::uint64_t receipts_delivered = 0;
  std::uint64_t receipts_failed = 0;  // nobody took them
};

// Holds the newest `capacity` messages. Safe from any thread.
class Inbox {
 public:
  // `start` seeds the ids and the epoch.
  explicit Inbox(TimePoint start, std::size_t capacity = 100'000);

  // Takes a message (its id is set here) and returns the id.
  std::uint64_t add(Message message);
  // Adds one to a count of that face, such as &InboxStats::rejected.
  void count(Face face, std::uint64_t InboxStats::* what);

  // Newest first. Costs what it returns, however many messages there are.
  std::vector<Message> find(const InboxQuery& query) const;
  // Forgets all messages and counts.
  void clear();
  // Of all faces together, and of one.
  InboxStats stats() const;
  InboxStats stats(Face face) const;
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
  std::array<InboxStats, k_faces> stats_{};
};

}  // namespace otpd::sim
