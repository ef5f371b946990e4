#include "providers/whatsapp.h"

#include <algorithm>
#include <array>

#include "net/form.h"
#include "providers/callback_body.h"
#include "providers/json_body.h"
#include "providers/outcomes.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::size_t k_max_wamid_bytes = 128;

// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes. What is in no list
// is judged by its status.
constexpr std::array k_whatsapp_rejected = {131021, 131026, 131030, 131051};
constexpr std::array k_whatsapp_throttled = {4, 80007, 130429, 131048, 131056, 133016};
constexpr std::array k_whatsapp_transient = {1,      2,      130472, 131000, 131016, 131049,
                                             131052, 131053, 131057, 132015, 133004, 135000};
// The token, the account, the template (its name, its language, its parameters, its approval).
constexpr std::array k_whatsapp_ours = {3,      10,     190,    200,    368,    131005, 131031,
                                        131042, 132000, 132001, 132005, 132007, 132012, 132016};

template <std::size_t N>
bool holds(const std::array<int, N>& codes, int code) {
  return std::ranges::find(codes, code) != codes.end();
}

Kind kind_of_whatsapp(int status, int code) {
  if (holds(k_whatsapp_throttled, code) || status == 429) return Kind::throttled;
  if (holds(k_whatsapp_rejected, code)) return Kind::rejected;
  if (holds(k_whatsapp_transient, code)) return Kind::transient;
  if (holds(k_whatsapp_ours, code)) return Kind::misconfigured;
  return kind_of_http(status);
}

class Whatsapp final : public delivery::Provider {
 public:
  Whatsapp(WhatsappConfig config, net::Client& client, const Clock& clock)
      : config_(std::move(config)),
        url_(config_.base_url + "/" + config_.version + "/" + config_.phone_number_id +
             "/messages"),
        receipts_(
            config_.app_secret.empty()
                ? nullptr
                : make_whatsapp_receipts(config_.app_secret.clone(), config_.verify_token.clone())),
        client_(client),
        clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    if (message.channel != "whatsapp") co_return refused(Kind::misconfigured, "channel");
    // The template shows a code and nothing else.
    if (message.code.empty()) co_return refused(Kind::misconfigured, "no code");
    const Secret body = make_body(message);
    const Secret authorization("Bearer " + std::string(config_.access_token.reveal()));
    net::HttpCall call;
    call.url = url_;
    call.headers = {{"Content-Type", "application/json"},
                    {"Authorization", std::string(authorization.reveal())}};
    call.body = body.reveal();
    co_return co_await hand_over(client_, call, timeout, [this](const net::HttpAnswer& answer) {
      return classify_whatsapp(answer.status, answer.headers, answer.body, clock_.now());
    });
  }

  const delivery::ReceiptReader* receipts() const override { return receipts_.get(); }
  bool receipts_by_message_id() const override { return true; }

 private:
  // The code goes into the text and into the button that copies it.
  Secret make_body(const delivery::Message& message) const {
    std::string_view to = message.to.reveal();
    if (to.starts_with('+')) to.remove_prefix(1);
    const Secret code(json_escape(message.code.reveal()));
    const std::string parameters = R"("parameters":[{"type":"text","text":")";
    const std::string head =
        R"({"messaging_product":"whatsapp","recipient_type":"individual","to":")";
    const std::string middle = R"(","type":"template","template":{"name":")" +
                               json_escape(config_.template_name) + R"(","language":{"code":")" +
                               json_escape(whatsapp_language(config_.languages, message.locale)) +
                               R"("},"components":[{"type":"body",)" + parameters;
    const std::string button =
        R"("}]},{"type":"button","sub_type":"url","index":"0",)" + parameters;
    constexpr std::string_view k_tail = R"("}]}]}})";
    std::string out;
    out.reserve(head.size() + 6 * to.size() + middle.size() + 2 * code.size() + button.size() +
                k_tail.size());  // growing would leave copies behind
    out.append(head).append(json_escape(to)).append(middle).append(code.reveal());
    out.append(button).append(code.reveal()).append(k_tail);
    return Secret(std::move(out));
  }

  const WhatsappConfig config_;
  const std::string url_;
  const std::unique_ptr<delivery::ReceiptReader> receipts_;
  net::Client& client_;
  const Clock& clock_;
};

}  // namespace

std::string_view whatsapp_language(const std::vector<std::string>& languages,
                                   std::string_view locale) {
  std::string wanted(locale);
  std::ranges::replace(wanted, '-', '_');
  if (std::ranges::find(languages, wanted) != languages.end()) {
    return *std::ranges::find(languages, wanted);
  }
  const auto first = [](std::string_view tag) { return tag.substr(0, tag.find('_')); };
  const auto close =
      std::ranges::find_if(languages, [&](const auto& one) { return first(one) == first(wanted); });
  return close == languages.end() ? languages.front() : *close;
}

Outcome classify_whatsapp(int status, const net::Headers& headers, std::string_view body,
                          TimePoint now) {
  const nlohmann::json answer = read_json(body);
  if (status >= 200 && status < 300) {
    const auto& messages = member(answer, "messages");
    std::string id = messages.is_array() && !messages.empty()
                         ? plain_text(member(messages.front(), "id"))
                         : std::string();
    return is_token(id, k_max_wamid_bytes, ".-_=+/") ? accepted(std::move(id))
                                                     : refused(Kind::transient, "no id");
  }
  const auto& code = member(member(answer, "error"), "code");
  const bool known = code.is_number_unsigned() && code < 10'000'000;
  Outcome out = refused(kind_of_whatsapp(status, known ? code.get<int>() : -1),
                        known ? code.dump() : "http " + std::to_string(status));
  return with_wait(std::move(out), headers, now);
}

Result<std::unique_ptr<delivery::Provider>> make_whatsapp(WhatsappConfig config,
                                                          net::Client& client, const Clock& clock) {
  if (auto ok = trim_base_url("whatsapp", config.base_url); !ok) return std::unexpected(ok.error());
  if (!is_token(config.version, 16, ".")) return fail(Failure::invalid, "whatsapp: version: none");
  if (!is_token(config.phone_number_id, 32)) {
    return fail(Failure::invalid, "whatsapp: phone_number_id: none");
  }
  if (config.access_token.empty()) return fail(Failure::invalid, "whatsapp: access_token: missing");
  if (config.template_name.empty()) return fail(Failure::invalid, "whatsapp: template: missing");
  if (config.languages.empty()) return fail(Failure::invalid, "whatsapp: languages: missing");
  return std::make_unique<Whatsapp>(std::move(config), client, clock);
}

}  // namespace otpd::providers
