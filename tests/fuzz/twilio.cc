// Carriers' answers: every one is classified, and what is kept of it is short.
#include "providers/twilio.h"

#include "fuzz.h"
#include "providers/smtp.h"
#include "providers/sns.h"
#include "providers/vonage.h"
#include "providers/webhook.h"
#include "providers/whatsapp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  std::string_view rest = fuzz::text_of(data, size);
  const int status = rest.empty() ? 0 : static_cast<unsigned char>(rest[0]) * 3;
  const net::Headers headers{{"Retry-After", std::string(fuzz::take_line(rest))}};
  const TimePoint now(Millis(1'800'000'000'000));
  const delivery::Outcome over_http[] = {
      providers::classify_twilio(status, headers, rest, now),
      providers::classify_vonage(status, headers, rest, now),
      providers::classify_sns(status, headers, rest, now),
      providers::classify_whatsapp(status, headers, rest, now),
      providers::classify_webhook({status, headers, std::string(rest)}, "job", now),
  };
  const auto check = [](const delivery::Outcome& outcome) {
    fuzz::require(outcome.message_id.size() <= 256, "a message id is short");
    fuzz::require(outcome.reason.size() <= 256, "a reason is short");
    fuzz::require(!outcome.retry_after || *outcome.retry_after >= Millis(0), "no wait is negative");
  };
  check(providers::classify_smtp(status, rest));
  for (const auto& outcome : over_http) {
    check(outcome);
    const bool yes = outcome.kind == delivery::Outcome::Kind::accepted;
    fuzz::require(!yes || status / 100 == 2, "only a 2xx is a yes");
    fuzz::require(yes == outcome.reason.empty(), "every no has a reason");
  }
  return 0;
}
