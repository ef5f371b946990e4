#include "otp/device.h"

#include "base/visible_text.h"

namespace otpd::otp {

bool is_device_label(std::string_view text) {
  return is_visible_line(text, k_max_device_letters);
}

}  // namespace otpd::otp
