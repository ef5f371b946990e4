#include "app/make_providers.h"

#include "app/config_forms.h"
#include "providers/log.h"
#include "providers/smpp.h"
#include "providers/smtp.h"
#include "providers/twilio.h"

namespace otpd::app {
namespace {

// Configurations do not copy by accident, because secrets do not.
providers::TwilioConfig to_twilio(const TwilioConfig& config) {
  return {.base_url = config.base_url,
          .account_sid = config.account_sid,
          .auth_token = config.auth_token.clone(),
          .api_key_sid = config.api_key_sid,
          .api_key_secret = config.api_key_secret.clone(),
          .from = config.from,
          .messaging_service_sid = config.messaging_service_sid};
}

providers::VonageConfig to_vonage(const providers::VonageConfig& config) {
  return {.base_url = config.base_url,
          .api_key = config.api_key,
          .api_secret = config.api_secret.clone(),
          .from = config.from,
          .signature_secret = config.signature_secret.clone(),
          .signature = config.signature};
}

providers::SnsConfig to_sns(const providers::SnsConfig& config) {
  return {.base_url = config.base_url,
          .region = config.region,
          .access_key_id = config.access_key_id,
          .secret_access_key = config.secret_access_key.clone(),
          .session_token = config.session_token.clone(),
          .sender_id = config.sender_id,
          .origination_number = config.origination_number,
          .promotional = config.promotional};
}

// "otpd <otp@localhost>" or "otp@localhost".
providers::SmtpConfig to_smtp(const SmtpConfig& config) {
  const auto open = config.from.find('<');
  const auto close = config.from.find('>');
  const bool named = open != std::string::npos && close != std::string::npos && open < close;
  std::string name = named ? config.from.substr(0, open) : std::string();
  while (name.ends_with(' ')) name.pop_back();
  return {.url = config.url,
          .require_tls = config.require_tls,
          .ca_file = config.ca_file,
          .user = config.user,
          .password = config.password.clone(),
          .from_address = named ? config.from.substr(open + 1, close - open - 1) : config.from,
          .from_name = std::move(name)};
}

providers::WhatsappConfig to_whatsapp(const providers::WhatsappConfig& config) {
  return {.base_url = config.base_url,
          .version = config.version,
          .phone_number_id = config.phone_number_id,
          .access_token = config.access_token.clone(),
          .template_name = config.template_name,
          .languages = config.languages,
          .app_secret = config.app_secret.clone(),
          .verify_token = config.verify_token.clone()};
}

providers::HttpProviderConfig to_http(const providers::HttpProviderConfig& config) {
  const providers::HttpReceiptConfig& receipts = config.receipts;
  return {.method = config.method,
          .url = config.url,
          .headers = config.headers,
          .content_type = config.content_type,
          .body = config.body,
          .user = config.user,
          .password = config.password.clone(),
          .secret = config.secret.clone(),
          .success = config.success,
          .success_rule = config.success_rule,
          .id_pointer = config.id_pointer,
          .error_pointer = config.error_pointer,
          .rejected = config.rejected,
          .misconfigured = config.misconfigured,
          .throttled = config.throttled,
          .transient = config.transient,
          .receipts = {.proof = receipts.proof,
                       .header = receipts.header,
                       .secret = receipts.secret.clone(),
                       .id_pointer = receipts.id_pointer,
                       .state_pointer = receipts.state_pointer,
                       .reason_pointer = receipts.reason_pointer,
                       .delivered = receipts.delivered,
                       .failed = receipts.failed}};
}

// `text` is "auto" or a number.
std::optional<std::uint8_t> number_or_auto(const std::string& text) {
  if (text == "auto") return std::nullopt;
  return static_cast<std::uint8_t>(std::stoi(text));
}

providers::SmppConfig to_smpp(const SmppConfig& config) {
  const auto address = parse_url("tcp://" + config.address);
  providers::SmppConfig out;
  out.session.target = {.host = address->host,
                        .port = static_cast<std::uint16_t>(std::stoi(address->port)),
                        .tls = config.tls,
                        .ca_file = config.ca_file};
  out.session.system_id = config.system_id;
  out.session.password = config.password.clone();
  out.session.system_type = config.system_type;
  out.session.window = config.window;
  out.session.enquire_link = config.enquire_link;
  out.session.connect_timeout = out.session.bind_timeout = config.bind_timeout;
  out.from = config.from;
  out.source_ton = number_or_auto(config.source_ton);
  out.source_npi = number_or_auto(config.source_npi);
  out.hex_ids = static_cast<providers::SmppHexIds>(config.hex_ids);
  return out;
}

}  // namespace

Result<std::unique_ptr<delivery::Provider>> make_provider(const ProviderConfig& config,
                                                          const ProviderPorts& ports,
                                                          const std::string& name) {
  net::Client& client = ports.client;
  const Clock& clock = ports.clock;
  switch (config.kind) {
    case ProviderKind::twilio:
      return providers::make_twilio(to_twilio(config.twilio), client, clock);
    case ProviderKind::vonage:
      return providers::make_vonage(to_vonage(config.vonage), client, clock);
    case ProviderKind::sns:
      return providers::make_sns(to_sns(config.sns), client, clock);
    case ProviderKind::smpp:
      if (!ports.sends) break;
      return providers::make_smpp(to_smpp(config.smpp), ports.loop, ports.random,
                                  ports.receipts ? ports.receipts(name) : nullptr);
    case ProviderKind::smtp:
      return providers::make_smtp(to_smtp(config.smtp), client, clock);
    case ProviderKind::whatsapp:
      return providers::make_whatsapp(to_whatsapp(config.whatsapp), client, clock);
    case ProviderKind::http:
      return providers::make_http_provider(to_http(config.http), client, clock);
    case ProviderKind::webhook:
      return providers::make_webhook(
          {.url = config.webhook.url, .secrets = config.webhook.secrets.clone()}, client, clock);
    case ProviderKind::log:
      break;
  }
  return providers::make_log();
}

Result<Providers> make_providers(const Config& config,
                                 const std::set<std::string, std::less<>>& names,
                                 const ProviderPorts& ports) {
  Providers providers;
  for (const std::string& name : names) {
    auto made = make_provider(config.providers.at(name), ports, name);
    if (!made) return fail(made.error().kind, "providers." + name + ": " + made.error().message);
    providers.emplace(name, std::move(*made));
  }
  return providers;
}

}  // namespace otpd::app
