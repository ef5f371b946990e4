#include "base/encoding.h"
#include "crypto/primitives.h"
#include "providers/callback_body.h"
#include "providers/json_body.h"
#include "providers/whatsapp.h"

namespace otpd::providers {
namespace {

using delivery::Receipt;
using State = delivery::Receipt::State;

constexpr std::size_t k_max_status_id_bytes = 128;
constexpr std::size_t k_max_challenge_bytes = 128;
constexpr std::size_t k_max_statuses = 1'000;
constexpr std::string_view k_hub_prefix = "sha256=";

State whatsapp_state(std::string_view word) {
  if (word == "delivered" || word == "read") return State::delivered;
  return word == "failed" ? State::failed : State::on_its_way;  // sent, warning, deleted
}

class WhatsappReceipts final : public delivery::ReceiptReader {
 public:
  WhatsappReceipts(Secret app_secret, Secret verify_token)
      : secret_(std::move(app_secret)), verify_token_(std::move(verify_token)) {}

  Result<std::vector<Receipt>> read(const delivery::CallbackRequest& callback,
                                    TimePoint /*now*/) const override {
    if (callback.method != "POST" || !has_media_type(callback, "application/json")) {
      return unbelievable("not JSON");
    }
    if (!is_signed(callback)) return unbelievable("the signature is wrong");
    const nlohmann::json webhook = read_json(callback.body);
    if (!webhook.is_object()) return unbelievable("cannot be read");
    std::vector<Receipt> receipts;
    for (const auto& entry : member(webhook, "entry")) {
      for (const auto& change : member(entry, "changes")) {
        for (const auto& status : member(member(change, "value"), "statuses")) {
          if (receipts.size() == k_max_statuses) return unbelievable("too many statuses");
          if (auto receipt = receipt_in(status)) receipts.push_back(std::move(*receipt));
        }
      }
    }
    return receipts;  // none, when it tells of something else
  }

  std::optional<std::string> answer_to(const delivery::CallbackRequest& question) const override {
    const auto fields = query_fields(question);
    if (question.method != "GET" || verify_token_.empty() || !fields) return std::nullopt;
    const std::string_view challenge = only_field(*fields, "hub.challenge");
    const bool ours = crypto::equal_constant_time(only_field(*fields, "hub.verify_token"),
                                                  verify_token_.reveal());
    const bool asked = only_field(*fields, "hub.mode") == "subscribe" &&
                       is_token(challenge, k_max_challenge_bytes, "-_");
    return ours && asked ? std::optional<std::string>(challenge) : std::nullopt;
  }

 private:
  bool is_signed(const delivery::CallbackRequest& callback) const {
    const std::string expected = std::string(k_hub_prefix) +
                                 hex_encode(crypto::hmac_sha256(secret_.reveal(), callback.body));
    return crypto::equal_constant_time(only_header(callback, "X-Hub-Signature-256"), expected);
  }

  static std::optional<Receipt> receipt_in(const nlohmann::json& status) {
    std::string id = plain_text(member(status, "id"));
    if (!is_token(id, k_max_status_id_bytes, ".-_=+/")) return std::nullopt;
    Receipt receipt{.state = whatsapp_state(plain_text(member(status, "status"))),
                    .message_id = std::move(id),
                    .reason = {}};
    if (receipt.state == State::failed) {
      const auto& errors = member(status, "errors");
      const bool told = errors.is_array() && !errors.empty();
      const std::string code = told ? plain_text(member(errors.front(), "code"), 16) : "";
      receipt.reason = code.empty() ? "failed" : code;
    }
    return receipt;
  }

  const Secret secret_;
  const Secret verify_token_;
};

}  // namespace

std::unique_ptr<delivery::ReceiptReader> make_whatsapp_receipts(Secret app_secret,
                                                                Secret verify_token) {
  return std::make_unique<WhatsappReceipts>(std::move(app_secret), std::move(verify_token));
}

}  // namespace otpd::providers
