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
constexpr std::size_t k_max_statuses = 1'000;
constexpr std::string_view k_hub_prefix = "sha256=";

State whatsapp_state(std::string_view word) {
  if (word == "delivered" || word == "read") return State::delivered;
  return word == "failed" ? State::failed : State::on_its_way;  // sent, warning, deleted
}

class WhatsappReceipts final : public delivery::ReceiptReader {
 public:
  explicit WhatsappReceipts(Secret app_secret) : secret_(std::move(app_secret)) {}

  Result<std::vector<Receipt>> read(const delivery::Callback& callback,
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

 private:
  bool is_signed(const delivery::Callback& callback) const {
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
};

}  // namespace

std::unique_ptr<delivery::ReceiptReader> make_whatsapp_receipts(Secret app_secret) {
  return std::make_unique<WhatsappReceipts>(std::move(app_secret));
}

}  // namespace otpd::providers
