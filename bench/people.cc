#include "people.h"

#include <array>

namespace otpd::bench {
namespace {

// In each of these areas every number from 200 0000 to 999 9999 is valid.
constexpr std::array k_areas = {"415", "212", "213", "312", "404", "512", "617", "702"};
constexpr std::size_t k_first_number = 2'000'000;
// They are called one block of 10,000 after the other, as people would be.
constexpr std::size_t k_block = 10'000;
constexpr std::size_t k_blocks = 8'000'000 / k_block;

}  // namespace

std::string phone_of(std::size_t index) {
  const std::size_t nth = index / k_areas.size();
  return std::string("+1") + k_areas[index % k_areas.size()] +
         std::to_string(k_first_number + nth % k_blocks * k_block + nth / k_blocks);
}

std::string address_of(std::size_t index) {
  const auto byte = [index](unsigned shift) { return std::to_string((index >> shift) & 0xff); };
  return std::to_string(16 + (index >> 24)) + "." + byte(16) + "." + byte(8) + "." + byte(0);
}

}  // namespace otpd::bench
