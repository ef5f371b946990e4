// Carriers' receipts: without the signature nothing is believed; with it, whatever stands in them,
// what is kept is short and clean.
#include "base/encoding.h"
#include "crypto/primitives.h"
#include "crypto/standard_webhooks.h"
#include "fuzz.h"
#include "net/form.h"
#include "providers/http_provider.h"
#include "providers/twilio_receipts.h"
#include "providers/vonage_receipts.h"
#include "providers/whatsapp.h"

namespace otpd::fuzz {
namespace {

constexpr TimePoint k_now{Seconds(1'700'000'000)};
const std::string k_url = "https://otp.example.com/callbacks/x";
using Headers = std::vector<std::pair<std::string, std::string>>;

const delivery::ReceiptReader& twilio() {
  static const auto reader = providers::make_twilio_receipts(Secret("token"));
  return *reader;
}
const delivery::ReceiptReader& vonage() {
  static const auto reader =
      providers::make_vonage_receipts(Secret("secret"), providers::VonageSignature::sha256);
  return *reader;
}
const delivery::ReceiptReader& whatsapp() {
  static const auto reader = providers::make_whatsapp_receipts(Secret("app"), Secret("word"));
  return *reader;
}
const delivery::ReceiptReader& described() {
  static const auto reader =
      providers::make_http_receipts({.proof = providers::ReceiptProof::hmac_sha256_hex,
                                     .header = "X-Proof",
                                     .secret = Secret("secret"),
                                     .id_pointer = "/a/0/id",
                                     .state_pointer = "/s",
                                     .reason_pointer = "/why",
                                     .delivered = {"ok"},
                                     .failed = {"bad"}})
          .value();
  return *reader;
}

void read(const delivery::ReceiptReader& reader, std::string_view method, std::string_view query,
          std::string_view body, const Headers& headers, bool proven) {
  const delivery::CallbackRequest callback{method, k_url, query, body, headers};
  const auto receipts = reader.read(callback, k_now);
  (void)reader.answer_to(callback);
  require(proven || !receipts, "nothing is believed without a proof");
  if (!receipts) return;
  for (const auto& receipt : *receipts) {
    require(!receipt.message_id.empty() && receipt.message_id.size() <= 128, "an id is short");
    require(receipt.reason.size() <= 64, "a reason is short");
    require((receipt.state == delivery::Receipt::State::failed) == !receipt.reason.empty(),
            "only a failure has a reason");
  }
}

std::string hmac_of(std::string_view secret, std::string_view body) {
  return hex_encode(crypto::hmac_sha256(secret, body));
}

void read_forms(std::string_view body) {
  const std::string type = "application/x-www-form-urlencoded";
  const auto fields = net::form_decode(body, 1'000).value_or(net::FormFields{});
  const std::string signature = providers::twilio_signature("token", k_url, fields);
  read(twilio(), "POST", "", body, {{"Content-Type", type}}, false);
  read(twilio(), "POST", "", body, {{"Content-Type", type}, {"X-Twilio-Signature", signature}},
       true);

  const std::string query = std::string(body) + "&timestamp=1700000000";
  const auto signed_fields = net::form_decode(query, 1'000).value_or(net::FormFields{});
  const std::string sig =
      providers::vonage_signature("secret", providers::VonageSignature::sha256, signed_fields);
  read(vonage(), "GET", query, "", {}, false);
  read(vonage(), "GET", query + "&sig=" + sig, "", {}, true);
  read(vonage(), "POST", "", query + "&sig=" + sig, {{"Content-Type", type}}, true);
}

void read_json(std::string_view body) {
  const std::string type = "application/json";
  read(whatsapp(), "POST", body, body, {{"Content-Type", type}}, false);
  read(whatsapp(), "POST", "", body,
       {{"Content-Type", type}, {"X-Hub-Signature-256", "sha256=" + hmac_of("app", body)}}, true);
  read(whatsapp(), "GET", body, "", {}, false);
  read(described(), "POST", "", body, {{"Content-Type", type}}, false);
  read(described(), "POST", "", body,
       {{"Content-Type", type}, {"X-Proof", hmac_of("secret", body)}}, true);
  // The claims of a token whose signature holds.
  const std::string content = base64url_encode(R"({"alg":"HS256"})") + "." + base64url_encode(body);
  const std::string token =
      content + "." + base64url_encode(crypto::hmac_sha256("secret", content));
  read(vonage(), "POST", "", body, {{"Content-Type", type}, {"Authorization", "Bearer " + token}},
       true);
  read(vonage(), "POST", "", body,
       {{"Content-Type", type}, {"Authorization", "Bearer " + std::string(body.substr(0, 200))}},
       false);
}

}  // namespace
}  // namespace otpd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = otpd::fuzz::text_of(data, size);
  otpd::fuzz::read_forms(body);
  otpd::fuzz::read_json(body);
  return 0;
}
