#include "base/random.h"

namespace otpd {

void SeededRandom::fill(std::span<std::uint8_t> out) {
  std::uint64_t block = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) {
      state_ += 0x9e3779b97f4a7c15U;
      block = state_;
      block = (block ^ (block >> 30)) * 0xbf58476d1ce4e5b9U;
      block = (block ^ (block >> 27)) * 0x94d049bb133111ebU;
      block ^= block >> 31;
    }
    out[i] = static_cast<std::uint8_t>(block >> (8 * (i % 8)));
  }
}

}  // namespace otpd
