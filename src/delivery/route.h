// Routes: which lanes may carry a message, and in which order they are asked. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace otpd::delivery {

struct Leg {
  std::string lane;
  std::uint32_t weight = 0;  // 0 for all: in the order given
};
using Legs = std::vector<Leg>;

// By channel and the beginning of the address. Immutable once built; safe from any thread.
class RouteTable {
 public:
  // `prefix` is the beginning of an E.164 number ("+49", "+1684"), or empty: all others.
  void add(const std::string& channel, const std::string& prefix, Legs legs);

  // The legs of the longest prefix that `address` begins with; null if the channel has none.
  const Legs* find(std::string_view channel, std::string_view address) const;

  // The channels that have a route anywhere.
  std::set<std::string, std::less<>> channels() const;
  // The names of all lanes.
  std::set<std::string, std::less<>> lanes() const;

 private:
  using Prefixes = std::map<std::string, Legs, std::less<>>;
  std::map<std::string, Prefixes, std::less<>> channels_;
};

// The lanes in the order in which they are to be asked: as given, or, with weights, drawn so that
// each leads as often as its share of all weights; a leg of weight 0 among others comes last.
std::vector<std::string_view> order_of(const Legs& legs, Random& random);

}  // namespace otpd::delivery
