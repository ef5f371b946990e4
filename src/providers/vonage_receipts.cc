#include "providers/vonage_receipts.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "crypto/primitives.h"
#include "net/http_message.h"
#include "providers/callback_body.h"
#include "providers/json_body.h"

namespace otpd::providers {
namespace {

using delivery::CallbackRequest;
using delivery::Receipt;
using State = delivery::Receipt::State;

constexpr std::size_t k_max_vonage_jwt_bytes = 4 * 1024;
constexpr std::size_t k_max_receipt_id_bytes = 64;
constexpr std::size_t k_max_err_code_bytes = 8;
constexpr std::string_view k_bearer = "Bearer ";

std::string lower_hex(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

State vonage_state(std::string_view word) {
  if (word == "delivered") return State::delivered;
  const bool failed = word == "failed" || word == "rejected" || word == "expired";
  return failed ? State::failed : State::on_its_way;  // accepted, buffered, unknown
}

Result<std::vector<Receipt>> vonage_receipt(const net::FormFields& fields) {
  const std::string_view id = only_field(fields, "messageId");
  const std::string_view word = only_field(fields, "status");
  const std::string_view code = only_field(fields, "err-code");
  if (!is_token(id, k_max_receipt_id_bytes, "-_") || word.empty()) {
    return unbelievable("no messageId or no status");
  }
  Receipt receipt{.state = vonage_state(word), .message_id = std::string(id), .reason = {}};
  if (receipt.state == State::failed) {
    receipt.reason = is_token(code, k_max_err_code_bytes) ? code : word;
  }
  return std::vector{std::move(receipt)};
}

// The members of a flat JSON object; the order does not matter.
std::optional<net::FormFields> json_fields(std::string_view body) {
  const nlohmann::json object = read_json(body);
  if (!object.is_object() || object.size() > k_max_callback_fields) return std::nullopt;
  net::FormFields fields;
  for (const auto& [name, value] : object.items()) {
    if (value.is_structured()) return std::nullopt;
    fields.emplace_back(name, plain_text(value, k_max_json_bytes));
  }
  return fields;
}

std::optional<net::FormFields> vonage_fields(const CallbackRequest& callback) {
  if (callback.method == "GET") return query_fields(callback);
  if (callback.method != "POST") return std::nullopt;
  if (has_media_type(callback, "application/x-www-form-urlencoded")) return body_fields(callback);
  if (has_media_type(callback, "application/json")) return json_fields(callback.body);
  return std::nullopt;
}

class VonageReceipts final : public delivery::ReceiptReader {
 public:
  VonageReceipts(Secret secret, VonageSignature method)
      : secret_(std::move(secret)), method_(method) {}

  Result<std::vector<Receipt>> read(const CallbackRequest& callback, TimePoint now) const override {
    const bool by_token = net::count_headers(callback.headers, "Authorization") > 0;
    if (by_token && !is_token_good(callback, now)) return unbelievable("the token is wrong");
    const auto fields = vonage_fields(callback);
    if (!fields) return unbelievable("cannot be read");
    if (!by_token && !is_signed(*fields, now)) return unbelievable("the signature is wrong");
    return vonage_receipt(*fields);
  }

 private:
  bool is_signed(net::FormFields fields, TimePoint now) const {
    const std::string given = lower_hex(only_field(fields, "sig"));
    std::erase_if(fields, [](const auto& field) { return field.first == "sig"; });
    const auto at = unix_time(only_field(fields, "timestamp"));
    return !given.empty() && at && is_fresh(*at, now) &&
           crypto::equal_constant_time(given, vonage_signature(secret_.reveal(), method_, fields));
  }

  // RFC 7519 with one algorithm only. Nothing of it is read before its signature holds.
  bool is_token_good(const CallbackRequest& callback, TimePoint now) const {
    std::string_view token = only_header(callback, "Authorization");
    if (!token.starts_with(k_bearer) || token.size() > k_max_vonage_jwt_bytes) return false;
    token.remove_prefix(k_bearer.size());
    const std::size_t dot = token.rfind('.');
    if (dot == token.npos) return false;
    const std::string_view content = token.substr(0, dot);
    const auto signature = base64url_decode(token.substr(dot + 1));
    if (!signature ||
        !crypto::equal_constant_time(*signature, crypto::hmac_sha256(secret_.reveal(), content))) {
      return false;
    }
    return callback.method == "POST" && are_claims_good(content, callback.body, now);
  }

  static bool are_claims_good(std::string_view content, std::string_view body, TimePoint now) {
    const std::size_t dot = content.find('.');
    if (dot == content.npos) return false;
    const auto header = base64url_decode(content.substr(0, dot));
    const auto claims = base64url_decode(content.substr(dot + 1));
    if (!header || !claims) return false;
    const nlohmann::json said = read_json(*claims);
    const auto at = unix_time(plain_text(member(said, "iat")));
    const std::string hash = lower_hex(plain_text(member(said, "payload_hash")));
    return plain_text(member(read_json(*header), "alg")) == "HS256" && at && is_fresh(*at, now) &&
           hash == hex_encode(crypto::sha256(body));
  }

  const Secret secret_;
  const VonageSignature method_;
};

}  // namespace

std::string vonage_signature(std::string_view secret, VonageSignature method,
                             const net::FormFields& fields) {
  std::multimap<std::string_view, std::string_view> sorted(fields.begin(), fields.end());
  std::string content;
  for (const auto& [name, value] : sorted) {
    content.append("&").append(name).append("=");
    for (const char c : value) content += c == '&' || c == '=' ? '_' : c;
  }
  if (method == VonageSignature::md5_hash) {
    content.append(secret);
    const std::string hash = crypto::digest(crypto::Digest::md5, content);
    wipe(content);
    return hex_encode(hash);
  }
  constexpr crypto::Digest k_digests[] = {crypto::Digest::md5, crypto::Digest::md5,
                                          crypto::Digest::sha1, crypto::Digest::sha256,
                                          crypto::Digest::sha512};
  return hex_encode(crypto::hmac(k_digests[static_cast<std::size_t>(method)], secret, content));
}

std::unique_ptr<delivery::ReceiptReader> make_vonage_receipts(Secret signature_secret,
                                                              VonageSignature method) {
  return std::make_unique<VonageReceipts>(std::move(signature_secret), method);
}

}  // namespace otpd::providers
