#include "people.h"

#include <array>

namespace otpd::bench {
namespace {

// In each of these areas every number from 200 0000 to 999 9999 is valid.
constexpr std::array k_areas = {"415", "212", "213", "312", "404", "512", "617", "702"};
constexpr std::size_t k_first_number = 2'000'000;

}  // namespace

std::string phone_of(std::size_t index) {
  return std::string("+1") + k_areas[index % k_areas.size()] +
         std::to_string(k_first_number + index / k_areas.size());
}

std::string address_of(std::size_t index) {
  const auto byte = [index](unsigned shift) { return std::to_string((index >> shift) & 0xff); };
  return std::to_string(16 + (index >> 24)) + "." + byte(16) + "." + byte(8) + "." + byte(0);
}

}  // namespace otpd::bench
