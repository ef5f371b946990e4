// Whether a text fits the alphabet of plain text messages.
#pragma once

#include <string_view>

namespace otpd::providers {

// Whether every character is in the default alphabet of GSM 03.38 (3GPP TS 23.038) or its
// extension table; others need UCS-2.
bool is_gsm_text(std::string_view utf8);

}  // namespace otpd::providers
