// Result: the answer of anything that can fail for a reason outside the rules.
//
// Outcomes of the domain (wrong code, limited) are values of their own and never travel as an
// Error; a bug does not travel at all, it crashes.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace otpd {

// What went wrong, in the terms a caller can act on.
enum class Failure : std::uint8_t {
  invalid,      // the input cannot be used; the message says which part and why
  unavailable,  // a backend or peer cannot be reached; trying later may help
  timeout,      // a deadline passed before the answer came
  overloaded,   // a bounded queue is full; refused at once
  corrupt,      // stored bytes do not decode
  internal,     // anything else; the message is for the log
};

struct Error {
  Failure kind = Failure::internal;
  std::string message;  // for operators; never holds a code, a token, a key or an address
};

template <class T>
using Result = std::expected<T, Error>;

// Shorthand for `return fail(Failure::timeout, "…")` inside a function that returns a Result.
inline std::unexpected<Error> fail(Failure kind, std::string message) {
  return std::unexpected(Error{kind, std::move(message)});
}

}  // namespace otpd
