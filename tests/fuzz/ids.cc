// Encodings, ids and tokens: one text for one value.
#include "otp/ids.h"

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "base/uuid.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::require(base64url_decode(base64url_encode(text)) == text, "base64url both ways");
  fuzz::require(hex_decode(hex_encode(text)) == text, "hex both ways");
  if (const auto bytes = base64url_decode(text)) {
    fuzz::require(base64url_encode(*bytes) == text, "base64url is canonical");
  }
  if (const auto id = otp::VerificationId::parse(text)) {
    fuzz::require(id->text() == text, "a verification id has one text");
  }
  if (const auto token = otp::LinkToken::parse(text)) {
    fuzz::require(token->text().reveal() == text, "a link token has one text");
  }
  if (const auto token = otp::SessionToken::parse(text)) {
    fuzz::require(token->text().reveal() == text, "a session token has one text");
  }
  if (const auto uuid = parse_uuid(text)) fuzz::require(parse_uuid(*uuid) == *uuid, "a UUID");
  if (const auto time = parse_rfc3339(text)) {
    fuzz::require(parse_rfc3339(rfc3339(*time)) == *time, "a time both ways");
  }
  return 0;
}
