// Random: the only source of randomness, so that tests can seed it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace otpd {

class Random {
 public:
  virtual ~Random() = default;

  // Fills `out` with random bytes. Cannot fail. Safe from any thread.
  virtual void fill(std::span<std::uint8_t> out) = 0;

  // `size` random bytes.
  std::string bytes(std::size_t size) {
    std::string out(size, '\0');
    fill({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
    return out;
  }

  // 64 random bits.
  std::uint64_t u64() {
    std::uint64_t value = 0;
    fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }
};

// A deterministic source for tests and simulations (SplitMix64). Never for a secret.
// For one thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::uint64_t state_;
};

}  // namespace otpd
