// GSM 03.38: the alphabets of text messages, and how a long text becomes several messages.
//
// Sources: 3GPP TS 23.038 (the alphabets), TS 23.040 section 9.2.3.24.1 (concatenation).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace otpd::net {

enum class SmsAlphabet : std::uint8_t {
  gsm7,  // one septet in each octet, not packed; the extension table's characters take two
  ucs2,  // UTF-16, big endian
};

// One text as one or more messages' user data. If there are several, each starts with the
// user-data header `05 00 03 reference total number`.
struct SmsText {
  SmsAlphabet alphabet = SmsAlphabet::gsm7;
  std::vector<Secret> parts;
  bool has_header() const { return parts.size() > 1; }
};

inline constexpr std::size_t k_sms_max_parts = 255;  // the header counts in one octet

// What fits: GSM-7 if it can say every character, else UCS-2. An extension pair and a surrogate
// pair are never split. `reference` tells the parts of one text from those of another.
// Failure::invalid: `utf8` is not UTF-8, or does not fit into `max_parts` (1 to 255) messages.
Result<SmsText> encode_sms(std::string_view utf8, std::uint8_t reference, std::size_t max_parts);

// The text of unpacked GSM-7 octets or of UTF-16 bytes, without a user-data header, as UTF-8; or
// nothing if it is no such text.
std::optional<std::string> decode_gsm7(std::string_view octets);
std::optional<std::string> decode_ucs2(std::string_view bytes);

}  // namespace otpd::net
