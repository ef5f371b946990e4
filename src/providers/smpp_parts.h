// SmppParts: the receipts of texts that went out as several messages.
//
// A text is known by the id of its first message. It is delivered when the receipt of its last
// outstanding message says so, and failed when that of any does. Nothing of it is told twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "delivery/receipt.h"

namespace otpd::providers {

// For one thread.
class SmppParts {
 public:
  static constexpr std::size_t k_max_texts = 10'000;  // more, and the oldest are forgotten
  static constexpr std::size_t k_max_held = 10'000;

  // A text of several messages is about to be sent. The ticket is for finish().
  std::uint64_t begin();

  // The SMSC took all its messages under these ids; or not all (`ids` is empty). Returns the
  // receipts that can be told now.
  std::vector<delivery::Receipt> finish(std::uint64_t ticket, const std::vector<std::string>& ids);

  // The SMSC took a text of one message under this id, which may have been another text's before.
  void take_id(const std::string& id) { first_of_.erase(id); }

  // A receipt came; returns what can be told now. One that belongs to no known text is told as it
  // is, but only when no text that was being sent as it came can still turn out to be its own.
  std::vector<delivery::Receipt> take(delivery::Receipt receipt);

 private:
  struct Held {
    std::uint64_t newest_ticket;
    delivery::Receipt receipt;
  };
  void apply(delivery::Receipt receipt, std::vector<delivery::Receipt>& out);
  void forget_oldest();

  std::uint64_t last_ticket_ = 0;
  std::set<std::uint64_t> sending_;
  std::deque<Held> held_;
  std::map<std::string, std::string> first_of_;               // message -> text
  std::map<std::string, std::set<std::string>> outstanding_;  // text -> messages without receipt
  std::deque<std::vector<std::string>> texts_;  // in order of age, the messages of each
};

}  // namespace otpd::providers
