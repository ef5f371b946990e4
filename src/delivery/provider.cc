#include "delivery/provider.h"

namespace otpd::delivery {

Message Message::clone() const {
  return {.job_id = job_id,
          .channel = channel,
          .to = to.clone(),
          .subject = subject,
          .text = text.clone(),
          .code = code.clone(),
          .purpose = purpose,
          .locale = locale,
          .country = country,
          .reference = reference,
          .callback_url = callback_url,
          .valid_for = valid_for};
}

}  // namespace otpd::delivery
