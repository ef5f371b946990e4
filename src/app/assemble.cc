#include "app/assemble.h"

#include <sys/stat.h>

#include <filesystem>

#include "app/config_forms.h"
#include "base/encoding.h"
#include "base/log.h"
#include "crypto/private_file.h"
#include "providers/log.h"
#include "providers/smpp.h"
#include "providers/smtp.h"
#include "providers/twilio.h"

namespace otpd::app {
namespace {

constexpr std::size_t k_admin_token_bytes = 32;
constexpr std::size_t k_max_token_file_bytes = 1'024;

otp::Policy make_policy(const PurposeConfig& purpose) {
  return {.lifetime = purpose.lifetime,
          .digits = purpose.digits,
          .attempts = purpose.attempts,
          .resend = purpose.resend == Resend::same ? otp::Resend::same_code : otp::Resend::new_code,
          .live_codes = purpose.live_codes,
          .resend_after = purpose.resend_after,
          .opens_session = purpose.session,
          .needs_context = purpose.context,
          .has_link = purpose.link};
}

std::filesystem::path file_in(const std::string& dir, const char* name) {
  return std::filesystem::path(dir) / name;
}

Result<Secret> open_admin_token(const std::string& file, Random& random) {
  std::string drawn = "otpa_" + base64url_encode(random.bytes(k_admin_token_bytes));
  const auto written = crypto::write_private_file(file, drawn + "\n", crypto::IfExists::keep);
  wipe(drawn);
  if (!written) return std::unexpected(written.error());
  if (*written) log::info("a new admin token was made", {{"file", file}});
  auto read = crypto::read_private_file(file, k_max_token_file_bytes);
  if (!read) return std::unexpected(read.error());
  const std::string_view text = read->reveal();
  Secret token(std::string(text.substr(0, text.find_first_of("\r\n"))));
  if (token.size() < k_admin_token_bytes) {
    return fail(Failure::invalid, "the admin token in " + file + " is shorter than 32 characters");
  }
  return token;
}

std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  const std::string rest = begin == std::string::npos ? url : url.substr(begin + 3);
  return rest.substr(0, rest.find_first_of(":/"));
}

providers::TwilioConfig to_twilio(const TwilioConfig& config) {
  return {.base_url = config.base_url,
          .account_sid = config.account_sid,
          .api_key_sid = {},
          .auth_token = config.auth_token.clone(),
          .from = config.from,
          .messaging_service_sid = config.messaging_service_sid,
          .status_callback = {}};
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
          .user = config.user,
          .password = config.password.clone(),
          .from_address = named ? config.from.substr(open + 1, close - open - 1) : config.from,
          .from_name = std::move(name)};
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

Result<std::unique_ptr<delivery::Provider>> make_provider(const ProviderConfig& config,
                                                          const ProviderPorts& ports,
                                                          const std::string& name) {
  switch (config.kind) {
    case ProviderKind::twilio:
      return providers::make_twilio(to_twilio(config.twilio), ports.client, ports.clock);
    case ProviderKind::smtp:
      return providers::make_smtp(to_smtp(config.smtp), ports.client, ports.clock);
    case ProviderKind::smpp:
      return providers::make_smpp(to_smpp(config.smpp), ports.loop, ports.random,
                                  ports.receipts ? ports.receipts(name) : nullptr);
    case ProviderKind::log:
      break;
  }
  return providers::make_log();
}

std::map<std::string, std::string> routed(const RoutesConfig& routes) {
  std::map<std::string, std::string> out;
  for (const auto& [channel, name] :
       {std::pair("sms", routes.sms), std::pair("voice", routes.voice),
        std::pair("whatsapp", routes.whatsapp), std::pair("email", routes.email)}) {
    if (!name.empty()) out.emplace(channel, name);
  }
  return out;
}

}  // namespace

Result<void> make_private_folder(const std::string& dir) {
  std::error_code error;
  const mode_t before = ::umask(0077);
  std::filesystem::create_directories(dir, error);
  ::umask(before);
  if (!error) return {};
  return fail(Failure::unavailable, "cannot make the data folder " + dir + ": " + error.message());
}

otp::Rules make_rules(const Config& config) {
  otp::Rules rules;
  rules.application = config.otp.application;
  for (const auto& [name, purpose] : config.purposes) {
    rules.policies.emplace(name, make_policy(purpose));
  }
  const LimitsConfig& limits = config.limits;
  rules.limits = {.recipient_sends = {limits.recipient_sends, limits.recipient_window},
                  .recipient_guesses = {limits.recipient_guesses, limits.recipient_guesses_window},
                  .user_sends = {limits.user_sends, limits.user_window},
                  .ip_sends = {limits.ip_sends, limits.ip_window},
                  .idempotency_ttl = limits.idempotency_ttl};
  rules.hash = {.algorithm = config.crypto.hash == CodeHash::hmac
                                 ? crypto::HashParams::Algorithm::hmac
                                 : crypto::HashParams::Algorithm::argon2id,
                .memory_kib = config.crypto.argon2_memory_kib,
                .passes = config.crypto.argon2_passes};
  rules.session_lifetime = config.session.lifetime;
  rules.sessions_per_user = config.session.max_per_user;
  return rules;
}

delivery::CourierConfig make_courier_config(const Config& config) {
  delivery::CourierConfig courier;
  courier.in_flight = config.delivery.in_flight;
  courier.lease = config.delivery.lease;
  courier.provider_timeout = config.delivery.provider_timeout;
  courier.retry = {config.delivery.retry_base, config.delivery.retry_max};
  for (const auto& [name, purpose] : config.purposes) {
    if (purpose.link) courier.link_urls.emplace(name, purpose.link_url);
  }
  return courier;
}

net::HttpServerConfig make_server_config(const ServerConfig& config) {
  return {.address = config.listen.address,
          .port = config.listen.port,
          .tls_certificate_file = config.tls_certificate,
          .tls_key_file = config.tls_key,
          .max_header_bytes = config.max_header_bytes,
          .max_body_bytes = config.max_body_bytes,
          .max_connections = config.max_connections,
          .header_timeout = config.header_timeout,
          .body_timeout = config.body_timeout,
          .idle_timeout = config.idle_timeout,
          .request_timeout = config.request_timeout};
}

Result<delivery::Templates> make_templates(const MessagesConfig& config) {
  delivery::TemplateConfig templates;
  templates.brand = config.brand;
  templates.webotp_host = config.webotp_host;
  templates.default_locale = config.default_locale;
  for (const auto& [purpose, channels] : config.templates) {
    for (const auto& [channel, locales] : channels) {
      for (const auto& [locale, text] : locales) {
        templates.overrides[purpose][channel][locale].text = text;
      }
    }
  }
  return delivery::Templates::make(templates);
}

Result<crypto::KeyRing> open_keys(const CryptoConfig& config, TimePoint now, Random& random) {
  if (!config.keys.empty()) return crypto::KeyRing::from_json(config.keys.reveal());
  return crypto::KeyRing::load_or_create(config.key_file, now, random);
}

Result<std::unique_ptr<storage::Backend>> open_backend(const Config& config, const Clock& clock,
                                                       Metrics& metrics) {
  const storage::Retention retention{.audit = config.audit.retention,
                                     .dead_letters = config.delivery.dead_letter_retention};
  if (config.data.backend == Backend::memory) return storage::make_memory_backend(clock, retention);
  storage::SqliteConfig sqlite;
  sqlite.path = file_in(config.data.dir, "otpd.db");
  sqlite.retention = retention;
  return storage::open_sqlite_backend(sqlite, clock, metrics);
}

Result<gateway::AccessControl> make_access(const Config& config, Random& random) {
  auto token = open_admin_token(config.auth.admin_token_file, random);
  if (!token) return std::unexpected(token.error());
  gateway::AccessConfig access;
  access.api_keys = config.auth.api_keys;
  access.public_application = config.auth.open_to_public;
  access.admin_token = std::move(*token);
  access.own_hosts = {host_of(config.server.public_url)};
  return gateway::AccessControl::make(std::move(access));
}

Result<Providers> make_providers(const Config& config, const ProviderPorts& ports) {
  Providers providers;
  for (const auto& [channel, name] : routed(config.delivery.routes)) {
    if (providers.contains(name)) continue;
    auto made = make_provider(config.providers.at(name), ports, name);
    if (!made) return fail(made.error().kind, "providers." + name + ": " + made.error().message);
    providers.emplace(name, std::move(*made));
  }
  return providers;
}

delivery::Routes make_routes(const Config& config, const Providers& providers) {
  delivery::Routes routes;
  for (const auto& [channel, name] : routed(config.delivery.routes)) {
    routes.emplace(channel, delivery::Lane{name, *providers.at(name)});
  }
  return routes;
}

}  // namespace otpd::app
