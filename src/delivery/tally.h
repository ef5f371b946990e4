// Tally: messages counted by lane and country, whence each carrier's conversion.
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"

namespace otpd::delivery {

// Safe from any thread.
class Tally {
 public:
  enum class What : std::uint8_t { accepted, delivered, failed, verified };

  explicit Tally(Metrics& metrics) : metrics_(metrics) {}

  // `country` is of a phone, or empty; nothing is counted without a lane.
  void count(What what, std::string_view lane, std::string_view country) const;

 private:
  Metrics& metrics_;
};

}  // namespace otpd::delivery
