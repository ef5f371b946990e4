#include "providers/smpp_parts.h"

#include <algorithm>
#include <utility>

namespace otpd::providers {

using delivery::Receipt;

std::uint64_t SmppParts::begin() {
  sending_.insert(++last_ticket_);
  return last_ticket_;
}

std::vector<Receipt> SmppParts::finish(std::uint64_t ticket, const std::vector<std::string>& ids) {
  sending_.erase(ticket);
  if (!ids.empty() && std::ranges::find(ids, "") == ids.end()) {
    if (texts_.size() == k_max_texts) forget_oldest();
    texts_.push_back(ids);
    outstanding_[ids.front()] = {ids.begin(), ids.end()};
    for (const std::string& id : ids) first_of_[id] = ids.front();
  }
  std::vector<Receipt> out;
  std::deque<Held> still_held;
  for (Held& held : held_) {
    const bool known = first_of_.contains(held.receipt.message_id);
    const bool may_belong = !sending_.empty() && *sending_.begin() <= held.newest_ticket;
    if (known || !may_belong) {
      apply(std::move(held.receipt), out);
    } else {
      still_held.push_back(std::move(held));
    }
  }
  held_ = std::move(still_held);
  return out;
}

std::vector<Receipt> SmppParts::take(Receipt receipt) {
  std::vector<Receipt> out;
  const bool known = first_of_.contains(receipt.message_id);
  if (!known && !sending_.empty() && held_.size() < k_max_held) {
    held_.push_back({last_ticket_, std::move(receipt)});
  } else {
    apply(std::move(receipt), out);
  }
  return out;
}

void SmppParts::apply(Receipt receipt, std::vector<Receipt>& out) {
  const auto found = first_of_.find(receipt.message_id);
  if (found == first_of_.end()) {
    out.push_back(std::move(receipt));
    return;
  }
  const std::string first_id = found->second;
  const auto text = outstanding_.find(first_id);
  if (text == outstanding_.end()) return;  // its end was told
  if (receipt.state == Receipt::State::delivered) text->second.erase(receipt.message_id);
  const bool ended = receipt.state == Receipt::State::failed || text->second.empty();
  if (!ended) return;
  outstanding_.erase(text);
  receipt.message_id = first_id;
  out.push_back(std::move(receipt));
}

void SmppParts::forget_oldest() {
  const auto& ids = texts_.front();
  outstanding_.erase(ids.front());
  for (const std::string& id : ids) {
    const auto found = first_of_.find(id);
    if (found != first_of_.end() && found->second == ids.front()) first_of_.erase(found);
  }
  texts_.pop_front();
}

}  // namespace otpd::providers
