// Carriers' answers: every one is classified, and what is kept of it is short.
#include "providers/twilio.h"

#include "fuzz.h"
#include "providers/smtp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  std::string_view rest = fuzz::text_of(data, size);
  const int status = rest.empty() ? 0 : static_cast<unsigned char>(rest[0]) * 3;
  const net::Headers headers{{"Retry-After", std::string(fuzz::take_line(rest))}};
  const auto twilio =
      providers::classify_twilio(status, headers, rest, TimePoint(Millis(1'800'000'000'000)));
  const auto smtp = providers::classify_smtp(status, rest);
  for (const auto& outcome : {twilio, smtp}) {
    fuzz::require(outcome.message_id.size() <= 256, "a message id is short");
    fuzz::require(outcome.reason.size() <= 256, "a reason is short");
    fuzz::require(!outcome.retry_after || *outcome.retry_after >= Millis(0), "no wait is negative");
  }
  fuzz::require(twilio.kind != delivery::Outcome::Kind::accepted || status / 100 == 2,
                "only a 2xx is a yes");
  return 0;
}
