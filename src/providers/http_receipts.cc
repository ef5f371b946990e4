#include <algorithm>

#include "base/encoding.h"
#include "crypto/primitives.h"
#include "providers/callback_body.h"
#include "providers/http_provider.h"
#include "providers/json_body.h"

namespace otpd::providers {
namespace {

using delivery::CallbackRequest;
using delivery::Receipt;
using State = delivery::Receipt::State;

constexpr std::size_t k_max_pointed_id_bytes = 128;
constexpr std::size_t k_max_pointed_reason_bytes = 64;
constexpr std::string_view k_sha256_prefix = "sha256=";

// Fields as a JSON object; null if one is there twice.
nlohmann::json object_of(const std::optional<net::FormFields>& fields) {
  if (!fields) return nullptr;
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, value] : *fields) {
    if (object.contains(name)) return nullptr;
    object[name] = value;
  }
  return object;
}

class HttpReceipts final : public delivery::ReceiptReader {
 public:
  explicit HttpReceipts(HttpReceiptConfig config) : config_(std::move(config)) {}

  Result<std::vector<Receipt>> read(const CallbackRequest& callback,
                                    TimePoint /*now*/) const override {
    if (!is_proven(callback)) return unbelievable("the proof is missing or wrong");
    const nlohmann::json said = content_of(callback);
    std::string id = plain_text(at_pointer(said, config_.id_pointer));
    const std::string word = plain_text(at_pointer(said, config_.state_pointer));
    if (!is_token(id, k_max_pointed_id_bytes, "-_.:=+/") || word.empty()) {
      return unbelievable("no id or no state");
    }
    Receipt receipt{.state = state_of(word), .message_id = std::move(id), .reason = {}};
    if (receipt.state == State::failed) receipt.reason = reason_of(said);
    return std::vector{std::move(receipt)};
  }

 private:
  bool is_proven(const CallbackRequest& callback) const {
    std::string_view given = only_header(callback, config_.header);
    if (config_.proof == ReceiptProof::header) {
      return crypto::equal_constant_time(given, config_.secret.reveal());
    }
    // A query is not under the signature.
    if (callback.method != "POST") return false;
    if (given.starts_with(k_sha256_prefix)) given.remove_prefix(k_sha256_prefix.size());
    const std::string mac = crypto::hmac_sha256(config_.secret.reveal(), callback.body);
    const auto bytes =
        config_.proof == ReceiptProof::hmac_sha256_hex ? hex_decode(given) : base64_decode(given);
    return bytes && crypto::equal_constant_time(*bytes, mac);
  }

  static nlohmann::json content_of(const CallbackRequest& callback) {
    if (callback.method == "GET") return object_of(query_fields(callback));
    if (has_media_type(callback, "application/json")) return read_json(callback.body);
    const bool form = has_media_type(callback, "application/x-www-form-urlencoded");
    return form ? object_of(body_fields(callback)) : nlohmann::json();
  }

  State state_of(const std::string& word) const {
    if (std::ranges::find(config_.delivered, word) != config_.delivered.end()) {
      return State::delivered;
    }
    const bool failed = std::ranges::find(config_.failed, word) != config_.failed.end();
    return failed ? State::failed : State::on_its_way;
  }

  std::string reason_of(const nlohmann::json& said) const {
    if (config_.reason_pointer.empty()) return "failed";
    std::string reason = plain_text(at_pointer(said, config_.reason_pointer));
    return is_token(reason, k_max_pointed_reason_bytes, "-_.") ? std::move(reason) : "failed";
  }

  const HttpReceiptConfig config_;
};

std::unexpected<Error> receipt_invalid(const std::string& why) {
  return fail(Failure::invalid, "http: receipts: " + why);
}

}  // namespace

Result<void> check_http_receipts(const HttpReceiptConfig& config) {
  if (config.proof == ReceiptProof::none) return {};
  if (config.header.empty()) return receipt_invalid("no header for the proof");
  if (config.secret.empty()) return receipt_invalid("no secret");
  if (!is_json_pointer(config.id_pointer) || !is_json_pointer(config.state_pointer) ||
      (!config.reason_pointer.empty() && !is_json_pointer(config.reason_pointer))) {
    return receipt_invalid("not a JSON pointer");
  }
  if (config.delivered.empty()) return receipt_invalid("no word for delivered");
  return {};
}

Result<std::unique_ptr<delivery::ReceiptReader>> make_http_receipts(HttpReceiptConfig config) {
  if (auto good = check_http_receipts(config); !good) return std::unexpected(good.error());
  if (config.proof == ReceiptProof::none) return nullptr;
  return std::make_unique<HttpReceipts>(std::move(config));
}

}  // namespace otpd::providers
