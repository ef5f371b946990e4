// QrCode: text as a picture that a phone's camera reads (ISO/IEC 18004, error correction level M).
#pragma once

#include <string>
#include <string_view>

namespace otpd::gateway {

inline constexpr std::size_t k_max_qr_bytes = 2'000;

struct QrCode {
  std::string svg;  // an <svg> element that scales to any size, dark on white
  std::string png;  // the bytes of a grey PNG, 8 pixels a module
};

// `text` is at most k_max_qr_bytes long.
QrCode draw_qr_code(std::string_view text);

}  // namespace otpd::gateway
