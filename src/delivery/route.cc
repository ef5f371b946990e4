#include "delivery/route.h"

#include <algorithm>

namespace otpd::delivery {

void RouteTable::add(const std::string& channel, const std::string& prefix, Legs legs) {
  channels_[channel].insert_or_assign(prefix, std::move(legs));
}

const Legs* RouteTable::find(std::string_view channel, std::string_view address) const {
  const auto prefixes = channels_.find(channel);
  if (prefixes == channels_.end()) return nullptr;
  const Legs* longest = nullptr;
  std::size_t length = 0;
  for (const auto& [prefix, legs] : prefixes->second) {
    if (!address.starts_with(prefix)) continue;
    if (longest != nullptr && prefix.size() < length) continue;
    longest = &legs;
    length = prefix.size();
  }
  return longest;
}

std::set<std::string, std::less<>> RouteTable::channels() const {
  std::set<std::string, std::less<>> names;
  for (const auto& [channel, prefixes] : channels_) names.insert(channel);
  return names;
}

std::set<std::string, std::less<>> RouteTable::lanes() const {
  std::set<std::string, std::less<>> names;
  for (const auto& [channel, prefixes] : channels_) {
    for (const auto& [prefix, legs] : prefixes) {
      for (const Leg& leg : legs) names.insert(leg.lane);
    }
  }
  return names;
}

std::vector<std::string_view> order_of(const Legs& legs, Random& random) {
  std::vector<const Leg*> left;
  std::uint64_t sum = 0;
  for (const Leg& leg : legs) {
    left.push_back(&leg);
    sum += leg.weight;
  }
  std::vector<std::string_view> order;
  while (!left.empty()) {
    std::size_t chosen = 0;
    if (sum > 0) {
      // The bias of a 64-bit modulo is 2^-32 at most.
      std::uint64_t draw = random.u64() % sum;
      while (draw >= left[chosen]->weight) draw -= left[chosen++]->weight;
    }
    sum -= left[chosen]->weight;
    order.push_back(left[chosen]->lane);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  return order;
}

}  // namespace otpd::delivery
