// Repeat: the same caller asks the same right answer again, because a form was submitted twice,
// and is answered the same. Pure rules.
//
// A code stays single-use: a repeat opens nothing, it only hears once more what was said. The
// first thing that is not that answer ends it, so that it is worth one guess at the most.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "otp/state.h"

namespace otpd::otp {

// A repeat is answered for less than this after the first answer, as either clock sees it.
inline constexpr Seconds k_repeat_for{10};
inline constexpr std::uint32_t k_max_repeats = 16;

// Who asks, and with which code or link: keyed hashes.
struct Asker {
  std::string caller;  // empty: nobody who could be known again
  std::string answer;
  std::string request;  // drawn for each request
};

// Who asks, as a keyed hash: the caller of an API key is known by it, everybody else by the
// address. Empty for nobody who could be known again.
std::string known_caller(std::string_view index_key, std::string_view application,
                         std::string_view caller, std::string_view client_ip);

Asker make_asker(std::string_view index_key, std::string_view application, std::string_view caller,
                 std::string_view client_ip, std::string_view answer, Random& random);

// Remembers of a verification that was just approved who is to be answered again, with which
// session (the secret of its token, sealed; empty if none was opened).
void remember_answer(Verification& approved, const Asker& asker, std::string sealed_session);

enum class Repeat : std::uint8_t {
  none,     // not the one who got the answer, or too late: nothing changed
  granted,  // the same again
  refused,  // the same caller with another answer, or the request that was answered, which was
            // not to be (its commit was taken back): the remembered answer is forgotten
};

// What that question about a verification (or none) is. The state is to be written, and before
// anything is answered, unless `none`: parallel guesses would otherwise all be compared.
Repeat repeat(Verification* target, const Asker& asker, TimePoint now);

// Forgets the answers that nobody can have again.
void forget_answers(RecipientState& state, TimePoint now);

}  // namespace otpd::otp
