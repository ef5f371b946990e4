#include "app/assemble.h"

#include <sys/stat.h>

#include <filesystem>

#include "app/config_caps.h"
#include "app/config_forms.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "crypto/private_file.h"
#include "providers/site_verify.h"

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

otp::Destinations make_destinations(const DestinationsConfig& config) {
  otp::Destinations destinations;
  const auto& allowed = config.allowed_countries;
  const auto& denied = config.denied_countries;
  destinations.allowed_countries.insert(allowed.begin(), allowed.end());
  destinations.denied_countries.insert(denied.begin(), denied.end());
  for (const std::string& type : config.denied_types) {
    destinations.denied_types.insert(otp::parse_number_type(type).value());
  }
  return destinations;
}

otp::HostedCaptcha make_hosted_captcha(const FrictionConfig& config) {
  return {.kind = static_cast<otp::CaptchaKind>(config.captcha),
          .site_key = config.captcha_site_key,
          .hosts = {config.captcha_hosts.begin(), config.captcha_hosts.end()},
          .min_score_percent = config.captcha_min_score,
          .altcha_when_away = config.captcha_when_away == WhenAway::altcha};
}

// The configuration has made sure that it has an address, a code and a day.
void add_test_recipient(otp::Rules& rules, const TestRecipientConfig& config) {
  auto recipient = otp::parse_phone(config.address, "");
  if (!recipient) recipient = otp::parse_email(config.address);
  const auto last_day = parse_rfc3339(config.expires_on + "T00:00:00Z");
  rules.test_recipients.emplace(
      recipient.value().identity.reveal(),
      otp::TestRecipient{config.code.clone(), last_day.value() + std::chrono::days(1)});
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

// As browsers spell it; empty for what is no URL.
std::string origin_of(const std::string& text) {
  const auto url = parse_url(text);
  if (!url) return {};
  const bool usual = url->port.empty() || url->port == (url->scheme == "https" ? "443" : "80");
  const bool v6 = url->host.contains(':');
  return url->scheme + "://" + (v6 ? "[" + url->host + "]" : url->host) +
         (usual ? "" : ":" + url->port);
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
                  .ip_guesses = {limits.ip_guesses, limits.ip_guesses_window},
                  .ip_countries = {limits.ip_countries, std::chrono::hours(1)},
                  .ip_countries_shadow = limits.shadow,
                  .ip_captchas = {limits.ip_captchas, limits.ip_captchas_window},
                  .idempotency_ttl = limits.idempotency_ttl,
                  .friction = {.recipient_sends = config.friction.recipient_sends,
                               .ip_sends = config.friction.ip_sends,
                               .application_percent = config.friction.application_percent,
                               .window = config.friction.window,
                               .captcha_lifetime = config.friction.captcha_lifetime,
                               .captcha_cost = config.friction.captcha_cost,
                               .captcha_work = config.friction.captcha_work}};
  rules.hash = {.algorithm = config.crypto.hash == CodeHash::hmac
                                 ? crypto::HashParams::Algorithm::hmac
                                 : crypto::HashParams::Algorithm::argon2id,
                .memory_kib = config.crypto.argon2_memory_kib,
                .passes = config.crypto.argon2_passes};
  rules.captcha = make_hosted_captcha(config.friction);
  rules.destinations = make_destinations(config.destinations);
  rules.destinations_shadow = config.destinations.shadow;
  rules.caps = make_caps(config);
  for (const auto& [name, recipient] : config.test_recipients) {
    add_test_recipient(rules, recipient);
  }
  rules.session_lifetime = config.session.lifetime;
  rules.session_idle = config.session.idle_lifetime;
  rules.sessions_per_user = config.session.max_per_user;
  rules.factors.issuer = config.messages.brand;
  rules.factors.max_per_user = config.factors.max_per_user;
  rules.factors.lock = {.guesses = config.factors.wrong_codes,
                        .first = config.factors.lock,
                        .longest = config.factors.max_lock};
  return rules;
}

delivery::CourierConfig make_courier_config(const Config& config) {
  delivery::CourierConfig courier;
  courier.in_flight = config.delivery.in_flight;
  courier.lease = config.delivery.lease;
  courier.application = config.otp.application;
  courier.retry = {config.delivery.retry_base, config.delivery.retry_max};
  return courier;
}

delivery::Outlet make_outlet(const Config& config, const delivery::Templates& templates,
                             delivery::Dispatcher& dispatcher, otp::CapDesk& caps) {
  delivery::Outlet outlet{templates, dispatcher, caps};
  for (const auto& [name, purpose] : config.purposes) {
    if (purpose.link) outlet.link_urls.emplace(name, purpose.link_url);
    if (purpose.fallback) outlet.fallback_purposes.insert(name);
  }
  const Millis after = config.fallback.after;
  if (config.fallback.sms != AfterSms::none) {
    const bool voice = config.fallback.sms == AfterSms::voice;
    outlet.fallbacks.emplace("sms", delivery::Fallback{voice ? "voice" : "whatsapp", after});
  }
  if (config.fallback.whatsapp != AfterWhatsapp::none) {
    const bool voice = config.fallback.whatsapp == AfterWhatsapp::voice;
    outlet.fallbacks.emplace("whatsapp", delivery::Fallback{voice ? "voice" : "sms", after});
  }
  return outlet;
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

std::unique_ptr<otp::CaptchaJudge> make_captcha_judge(const FrictionConfig& config,
                                                      boost::asio::io_context& loop,
                                                      net::Client& client) {
  if (config.captcha == Captcha::altcha) return nullptr;
  return providers::make_captcha_judge({.kind = static_cast<otp::CaptchaKind>(config.captcha),
                                        .url = config.captcha_verify_url,
                                        .site_key = config.captcha_site_key,
                                        .secret = config.captcha_secret.clone()},
                                       loop, client);
}

otp::Applications application_names(const Config& config) {
  otp::Applications names{.base = config.otp.application};
  for (const auto& [name, _] : config.applications) names.others.insert(name);
  return names;
}

bool seems_proxied(const Config& config) {
  const auto url = parse_url(config.server.public_url);
  return url && !is_loopback(*url) && config.auth.api_keys.empty();
}

gateway::Cors make_cors(const Config& config) {
  gateway::Cors cors(config.auth.cors_origins);
  for (const auto& [name, other] : config.applications) cors.add(name, other->auth.cors_origins);
  return cors;
}

Result<gateway::AccessControl> make_access(const Config& config, Random& random,
                                           gateway::KeyBook& book) {
  auto token = open_admin_token(config.auth.admin_token_file, random);
  if (!token) return std::unexpected(token.error());
  gateway::AccessConfig access;
  access.api_keys = config.auth.api_keys;
  access.public_application = config.auth.open_to_public;
  access.cors = make_cors(config);
  for (const auto& [name, other] : config.applications) {
    if (other->auth.open_to_public) access.public_others.insert(name);
  }
  access.admin_token = std::move(*token);
  access.own_hosts = {host_of(config.server.public_url)};
  access.own_origin = origin_of(config.server.public_url);
  access.tls = !config.server.tls_certificate.empty();
  return gateway::AccessControl::make(std::move(access), book);
}

}  // namespace otpd::app
