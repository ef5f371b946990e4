// Secret: bytes that must not be printed, copied by accident, or left behind in memory.
#pragma once

#include <string>
#include <string_view>

namespace otpd {

// Owns secret bytes (a code, a token, a key, a recipient's address). Moves, never copies
// silently; wipes its memory when it dies or is overwritten. There is deliberately no stream
// operator, no fmt formatter and no conversion: `reveal()` is the one word to grep for.
class Secret {
 public:
  Secret() = default;
  // Takes the bytes over; the caller's string is wiped.
  explicit Secret(std::string&& bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // A view of the bytes; valid while this Secret lives and is not moved from.
  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  // A second owner of the same bytes, on purpose.
  Secret clone() const { return Secret(std::string(bytes_)); }

 private:
  std::string bytes_;
};

// Overwrites the whole buffer of `bytes` with zeros in a way the optimiser keeps, and empties it.
void wipe(std::string& bytes) noexcept;

}  // namespace otpd
