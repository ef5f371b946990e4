#include "providers/http_provider.h"

#include <algorithm>

#include "net/form.h"
#include "providers/callback_body.h"
#include "providers/http_rule.h"
#include "providers/http_template.h"
#include "providers/json_body.h"
#include "providers/outcomes.h"

namespace otpd::providers {
namespace {

using delivery::Message;
using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::size_t k_max_http_id_bytes = 128;
constexpr std::size_t k_max_http_reason_bytes = 64;
constexpr std::string_view k_http_id_signs = "-_.:=+/";

using HttpRules = std::vector<HttpRule>;

// What the configuration says, parsed once.
struct HttpPlan {
  HttpTemplate url;
  std::vector<std::pair<std::string, HttpTemplate>> headers;
  HttpTemplate body;
  Encoding encoding;
  HttpRules success;
  std::optional<HttpRule> success_rule;
  std::vector<std::pair<Kind, HttpRules>> classes;
};

std::unexpected<Error> http_invalid(const std::string& key, const std::string& why) {
  return fail(Failure::invalid, "http: " + key + ": " + why);
}

Result<HttpRules> parse_http_rules(const char* key, const std::vector<std::string>& texts) {
  HttpRules rules;
  for (const std::string& text : texts) {
    auto rule = HttpRule::parse(text);
    if (!rule) return http_invalid(key, "not a status, a class of statuses or /pointer=value");
    rules.push_back(std::move(*rule));
  }
  return rules;
}

Result<void> plan_http_call(const HttpProviderConfig& config, HttpPlan& plan) {
  if (!config.url.starts_with("https://") && !config.url.starts_with("http://")) {
    return http_invalid("url", "not an http or https URL");
  }
  auto url = HttpTemplate::parse(config.url);
  if (!url) return http_invalid("url", url.error().message);
  auto body = HttpTemplate::parse(config.body);
  if (!body) return http_invalid("body", body.error().message);
  plan.url = std::move(*url);
  plan.body = std::move(*body);
  plan.encoding = encoding_of(config.content_type);
  for (const std::string& line : config.headers) {
    const std::size_t colon = line.find(':');
    std::string_view value = std::string_view(line).substr(std::min(colon + 1, line.size()));
    if (colon == line.npos || colon == 0) return http_invalid("headers", "not Name: value");
    while (value.starts_with(' ')) value.remove_prefix(1);
    auto parsed = HttpTemplate::parse(value);
    if (!parsed) return http_invalid("headers", parsed.error().message);
    plan.headers.emplace_back(line.substr(0, colon), std::move(*parsed));
  }
  return {};
}

Result<void> plan_http_verdict(const HttpProviderConfig& config, HttpPlan& plan) {
  auto success = parse_http_rules("success", config.success);
  if (!success) return std::unexpected(success.error());
  if (success->empty()) return http_invalid("success", "missing");
  plan.success = std::move(*success);
  if (!config.success_rule.empty()) {
    plan.success_rule = HttpRule::parse(config.success_rule);
    if (!plan.success_rule) return http_invalid("success_rule", "not /pointer=value");
  }
  const std::tuple<const char*, Kind, const std::vector<std::string>&> classes[] = {
      {"rejected", Kind::rejected, config.rejected},
      {"misconfigured", Kind::misconfigured, config.misconfigured},
      {"throttled", Kind::throttled, config.throttled},
      {"transient", Kind::transient, config.transient}};
  for (const auto& [key, kind, texts] : classes) {
    auto rules = parse_http_rules(key, texts);
    if (!rules) return std::unexpected(rules.error());
    plan.classes.emplace_back(kind, std::move(*rules));
  }
  for (const auto& [key, pointer] : {std::pair("id_pointer", config.id_pointer),
                                     std::pair("error_pointer", config.error_pointer)}) {
    if (!pointer.empty() && !is_json_pointer(pointer)) {
      return http_invalid(key, "not a JSON pointer");
    }
  }
  return {};
}

class HttpProvider final : public delivery::Provider {
 public:
  HttpProvider(HttpProviderConfig config, HttpPlan plan,
               std::unique_ptr<delivery::ReceiptReader> receipts, net::Client& client,
               const Clock& clock)
      : config_(std::move(config)),
        plan_(std::move(plan)),
        receipts_(std::move(receipts)),
        client_(client),
        clock_(clock) {}

  Task<Outcome> send(const Message& message, Millis timeout) override {
    const std::string_view secret = config_.secret.reveal();
    const Secret body = plan_.body.fill(message, secret, plan_.encoding);
    net::HttpCall call;
    call.method = config_.method;
    call.url = plan_.url.fill(message, secret, Encoding::percent).reveal();
    if (!body.empty()) call.headers.emplace_back("Content-Type", config_.content_type);
    for (const auto& [name, value] : plan_.headers) {
      const Secret filled = value.fill(message, secret, Encoding::plain);
      if (net::has_control(filled.reveal())) {
        co_return refused(Kind::misconfigured, "unusable header");
      }
      call.headers.emplace_back(name, filled.reveal());
    }
    call.user = config_.user;
    call.password = config_.password.reveal();
    call.body = body.reveal();
    co_return co_await hand_over(client_, call, timeout, [&](const net::HttpAnswer& answer) {
      return classify(answer, message.job_id);
    });
  }

  const delivery::ReceiptReader* receipts() const override { return receipts_.get(); }
  bool receipts_by_message_id() const override {
    return !plan_.url.uses("callback_url") && !plan_.body.uses("callback_url") &&
           std::ranges::none_of(plan_.headers, [](const auto& header) {
             return header.second.uses("callback_url");
           });
  }

 private:
  Outcome classify(const net::HttpAnswer& answer, const std::string& job_id) const {
    const nlohmann::json body = read_json(answer.body);
    const auto holds = [&](const HttpRule& rule) { return rule.holds(answer.status, body); };
    if (std::ranges::any_of(plan_.success, holds) &&
        (!plan_.success_rule || holds(*plan_.success_rule))) {
      const std::string id = pointed(body, config_.id_pointer);
      const bool named = is_token(id, k_max_http_id_bytes, k_http_id_signs);
      return accepted(named ? id : job_id);
    }
    const std::string code = pointed(body, config_.error_pointer);
    const bool told = is_token(code, k_max_http_reason_bytes, "-_.");
    Outcome out = refused(kind_of(answer.status, body),
                          told ? code : "http " + std::to_string(answer.status));
    return with_wait(std::move(out), answer.headers, clock_.now());
  }

  Kind kind_of(int status, const nlohmann::json& body) const {
    for (const bool inside : {true, false}) {
      for (const auto& [kind, rules] : plan_.classes) {
        const auto decides = [&](const HttpRule& rule) {
          return rule.looks_inside() == inside && rule.holds(status, body);
        };
        if (std::ranges::any_of(rules, decides)) return kind;
      }
    }
    return kind_of_http(status);
  }

  static std::string pointed(const nlohmann::json& body, const std::string& pointer) {
    return pointer.empty() ? std::string() : plain_text(at_pointer(body, pointer));
  }

  const HttpProviderConfig config_;
  const HttpPlan plan_;
  const std::unique_ptr<delivery::ReceiptReader> receipts_;
  net::Client& client_;
  const Clock& clock_;
};

Result<HttpPlan> make_http_plan(const HttpProviderConfig& config) {
  HttpPlan plan;
  if (auto ok = plan_http_call(config, plan); !ok) return std::unexpected(ok.error());
  if (auto ok = plan_http_verdict(config, plan); !ok) return std::unexpected(ok.error());
  return plan;
}

}  // namespace

Result<void> check_http_provider(const HttpProviderConfig& config) {
  if (auto plan = make_http_plan(config); !plan) return std::unexpected(plan.error());
  return check_http_receipts(config.receipts);
}

Result<std::unique_ptr<delivery::Provider>> make_http_provider(HttpProviderConfig config,
                                                               net::Client& client,
                                                               const Clock& clock) {
  auto plan = make_http_plan(config);
  if (!plan) return std::unexpected(plan.error());
  auto receipts = make_http_receipts(std::move(config.receipts));
  if (!receipts) return std::unexpected(receipts.error());
  return std::make_unique<HttpProvider>(std::move(config), std::move(*plan), std::move(*receipts),
                                        client, clock);
}

}  // namespace otpd::providers
