#include "app/config_rules_providers.h"

#include "app/config_forms.h"

namespace otpd::app {
namespace {

void rule_provider_url(const RuleBench& bench, const std::string& path, const std::string& text) {
  const auto url = parse_url(text);
  if (!url || is_loopback(*url) || url->scheme == "https") return;
  bench.warn(path + " is not https: codes and credentials travel in the clear");
}

void rule_twilio(const RuleBench& bench, const std::string& path, const TwilioConfig& twilio) {
  if (twilio.from.empty() && twilio.messaging_service_sid.empty()) {
    bench.refuse(path + "from", {path + "messaging_service_sid"},
                 "a sender is needed: set it or messaging_service_sid");
  }
  if (twilio.api_key_sid.empty() != twilio.api_key_secret.empty()) {
    bench.refuse(path + (twilio.api_key_sid.empty() ? "api_key_secret" : "api_key_sid"),
                 {path + "api_key_sid", path + "api_key_secret"},
                 "api_key_sid and api_key_secret go together; set both or none");
  }
  rule_provider_url(bench, path + "base_url", twilio.base_url);
  const auto url = parse_url(twilio.base_url);
  if (!url || is_loopback(*url)) return;
  if (twilio.auth_token.reveal() == TwilioConfig().auth_token.reveal()) {
    bench.warn(path + "auth_token is the simulator's, but base_url is another machine's");
  }
}

void rule_smtp(const RuleBench& bench, const std::string& path, const SmtpConfig& smtp) {
  if (smtp.user.empty() != smtp.password.empty()) {
    bench.refuse(path + (smtp.user.empty() ? "password" : "user"),
                 {path + "user", path + "password"},
                 "user and password go together; set both or none");
  }
  const auto url = parse_url(smtp.url);
  if (!url || url->scheme == "smtps" || smtp.require_tls || is_loopback(*url)) return;
  if (!smtp.user.empty()) {
    bench.refuse(path + "url", {path + "require_tls", path + "user"},
                 "the password could travel in the clear: use smtps:// or set require_tls = true");
  } else {
    bench.warn(path + "url does not insist on TLS: codes may travel in the clear");
  }
}

void rule_smpp(const RuleBench& bench, const std::string& path, const SmppConfig& smpp) {
  const auto address = parse_url("tcp://" + smpp.address);
  if (!address || is_loopback(*address)) return;
  if (!smpp.tls) bench.warn(path + "tls is false: codes and the password travel in the clear");
  if (smpp.password.reveal() == SmppConfig().password.reveal()) {
    bench.warn(path + "password is the simulator's, but address is another machine's");
  }
}

void rule_http(const RuleBench& bench, const std::string& path,
               const providers::HttpProviderConfig& http) {
  rule_provider_url(bench, path + "url", http.url);
  if (http.user.empty() != http.password.empty()) {
    bench.refuse(path + (http.user.empty() ? "password" : "user"),
                 {path + "user", path + "password"},
                 "user and password go together; set both or none");
  }
  if (http.url.empty()) return;
  if (const auto good = providers::check_http_provider(http); !good) {
    bench.refuse(path + "url", {}, good.error().message);
  }
}

void rule_whatsapp(const RuleBench& bench, const std::string& path,
                   const providers::WhatsappConfig& whatsapp) {
  rule_provider_url(bench, path + "base_url", whatsapp.base_url);
  if (whatsapp.languages.empty()) {
    bench.refuse(path + "languages", {}, "must name at least one language");
  }
}

// What a kind needs and has no default for.
void rule_needed(const RuleBench& bench, const std::string& name) {
  const std::string kind = provider_kind("providers.*", {name}, bench.config());
  for (const Key* key : config_keys()) {
    if (key->kind != kind || key->may_be_empty || key->binding.type != KeyType::text) continue;
    const Value value = value_of(*key, {name}, bench.config());
    if (!std::get<std::string>(value).empty()) continue;
    bench.refuse(fill(key->path, {name}), {"providers." + name + ".kind"},
                 "is needed: " + allowed(*key));
  }
}

void rule_timeout(const RuleBench& bench, const std::string& path, Millis timeout) {
  const Millis lease = bench.config().delivery.lease;
  if (timeout < lease) return;
  bench.refuse(path + "timeout_ms", {"delivery.lease_s"},
               "must be shorter than delivery.lease_s (" +
                   std::to_string(bench.config().delivery.lease.count()) +
                   "), or a message would be sent twice");
}

void rule_kind(const RuleBench& bench, const std::string& path, const ProviderConfig& provider) {
  switch (provider.kind) {
    case ProviderKind::twilio:
      return rule_twilio(bench, path, provider.twilio);
    case ProviderKind::vonage:
      return rule_provider_url(bench, path + "base_url", provider.vonage.base_url);
    case ProviderKind::sns:
      return rule_provider_url(bench, path + "base_url", provider.sns.base_url);
    case ProviderKind::smpp:
      return rule_smpp(bench, path, provider.smpp);
    case ProviderKind::smtp:
      return rule_smtp(bench, path, provider.smtp);
    case ProviderKind::whatsapp:
      return rule_whatsapp(bench, path, provider.whatsapp);
    case ProviderKind::http:
      return rule_http(bench, path, provider.http);
    case ProviderKind::webhook:
      return rule_provider_url(bench, path + "url", provider.webhook.url);
    case ProviderKind::log:
      return;
  }
}

}  // namespace

bool can_carry(ProviderKind kind, std::string_view channel) {
  switch (kind) {
    case ProviderKind::twilio:
      return channel != "email";
    case ProviderKind::vonage:
    case ProviderKind::sns:
    case ProviderKind::smpp:
      return channel == "sms";
    case ProviderKind::smtp:
      return channel == "email";
    case ProviderKind::whatsapp:
      return channel == "whatsapp";
    case ProviderKind::http:
    case ProviderKind::webhook:
    case ProviderKind::log:
      break;
  }
  return true;
}

void judge_providers(const RuleBench& bench) {
  for (const auto& [name, provider] : bench.config().providers) {
    const std::string path = "providers." + name + ".";
    rule_needed(bench, name);
    rule_timeout(bench, path, provider.timeout);
    rule_kind(bench, path, provider);
  }
}

}  // namespace otpd::app
