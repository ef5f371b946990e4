// Captcha payloads: whatever is in them, what was not signed is no proof.
#include "base/encoding.h"
#include "fuzz.h"
#include "gateway/captcha_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  static const auto keys = otp::CaptchaKeys::derive("index key", "default");
  const nlohmann::json body{{"captcha", base64_encode(fuzz::text_of(data, size))}};
  gateway::Members members(body);
  otp::SendRequest request;
  gateway::read_captcha(members, {}, request);
  const auto& answer = request.captcha;
  fuzz::require(answer.has_value() != members.refused(), "it is taken or refused");
  if (!answer) return 0;
  fuzz::require(!otp::check_captcha(keys, *answer, TimePoint{}), "nothing of these is signed");
  if (const auto* solution = std::get_if<otp::CaptchaSolution>(&*answer)) {
    const auto again = nlohmann::json::parse(solution->challenge.json(), nullptr, false);
    fuzz::require(again.is_object() && again.size() == 2, "what is signed is one JSON object");
  }
  return 0;
}
