// Config: everything an operator can decide, as plain data.
//
// The members' initial values are the defaults. What each key means, its unit and its bounds are
// in the key table (config_keys_*.cc) and, made from it, in config/otpd.toml. A Config that came
// out of load_config() is within all bounds and consistent.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config_providers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

namespace otpd::app {

using Days = std::chrono::days;

// Where to listen. `address` is an IP address without brackets.
struct Endpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free port
  bool operator==(const Endpoint&) const = default;
};

enum class Mode : std::uint8_t { embedded, cluster };

// What a process of a cluster does. An embedded otpd does everything.
enum class Role : std::uint8_t { all, api, worker, audit };

struct ServerConfig {
  Mode mode = Mode::embedded;
  Role role = Role::all;
  Endpoint listen;
  std::uint32_t threads = 0;    // 0: one per core
  std::string tls_certificate;  // both or none
  std::string tls_key;
  std::uint32_t max_header_bytes = 8 * 1024;
  std::uint32_t max_body_bytes = 16 * 1024;
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_in_flight = 1'024;
  Millis header_timeout{5'000};
  Millis body_timeout{5'000};
  Millis idle_timeout{60'000};
  Millis request_timeout{10'000};
  Millis drain_timeout{15'000};
  std::vector<std::string> trusted_proxies;  // "10.0.0.0/8", "::1"; canonical host bits
  std::string public_url;                    // never empty after loading; no trailing slash
};

enum class Backend : std::uint8_t { sqlite, memory };

struct DataConfig {
  std::string dir = "./data";
  Backend backend = Backend::sqlite;
};

enum class CodeHash : std::uint8_t { argon2id, hmac };

struct CryptoConfig {
  CodeHash hash = CodeHash::argon2id;
  std::uint32_t argon2_memory_kib = 7'168;
  std::uint32_t argon2_passes = 5;
  std::uint32_t hash_threads = 0;  // 0: one per core
  std::uint32_t hash_queue = 64;
  std::string key_file;  // empty only if `keys` is given
  Secret keys;           // JSON of the key ring; empty: use `key_file`
};

struct OtpConfig {
  std::string default_region;  // empty: numbers without a country code are refused
  std::string application = "default";
};

enum class Resend : std::uint8_t { fresh, same };

struct PurposeConfig {
  Seconds lifetime{300};
  std::uint32_t digits = 6;
  std::uint32_t attempts = 3;
  Resend resend = Resend::fresh;
  std::uint32_t live_codes = 2;
  Seconds resend_after{30};
  bool session = true;
  bool context = false;
  bool link = false;
  std::string link_url;  // with {token}; never empty after loading if `link`
  bool fallback = false;
};

// login, transaction and password_reset.
std::map<std::string, PurposeConfig> default_purposes();

struct LimitsConfig {
  std::uint32_t recipient_sends = 5;
  Seconds recipient_window{3'600};
  std::uint32_t recipient_guesses = 15;
  Seconds recipient_guesses_window{3'600};
  std::uint32_t user_sends = 10;
  Seconds user_window{3'600};
  std::uint32_t ip_sends = 100;
  Seconds ip_window{3'600};
  std::uint32_t ip_guesses = 30;
  Seconds ip_guesses_window{3'600};
  std::uint32_t ip_countries = 10;
  std::uint32_t application_sends_per_hour = 20'000;
  std::uint32_t application_sends_per_day = 200'000;
  bool shadow = false;
  std::uint32_t ip_captchas = 100;
  Seconds ip_captchas_window{600};
  Seconds idempotency_ttl{86'400};
};

enum class Captcha : std::uint8_t { altcha, turnstile, hcaptcha, recaptcha };
enum class WhenAway : std::uint8_t { refuse, altcha };

struct FrictionConfig {
  std::uint32_t recipient_sends = 3;
  std::uint32_t ip_sends = 30;
  std::uint32_t application_percent = 50;
  Seconds window{600};
  Seconds captcha_lifetime{300};
  std::uint32_t captcha_cost = 500;
  std::uint32_t captcha_work = 500;
  Captcha captcha = Captcha::altcha;
  std::string captcha_site_key;
  Secret captcha_secret;
  std::string captcha_verify_url;          // empty: the vendor's
  std::vector<std::string> captcha_hosts;  // never empty after loading
  std::uint32_t captcha_min_score = 50;
  WhenAway captcha_when_away = WhenAway::refuse;
};

// Which phones are served. Kinds of numbers are those of otp/destination.h.
struct DestinationsConfig {
  std::vector<std::string> allowed_countries;  // empty: all that are not denied
  std::vector<std::string> denied_countries;
  std::vector<std::string> denied_types = {"premium_rate", "shared_cost", "personal_number",
                                           "pager",        "uan",         "voicemail"};
  std::uint32_t country_sends_per_hour = 10'000;
  std::uint32_t country_sends_per_day = 100'000;
  std::vector<std::string> country_limits;  // "GB=500/hour"
  std::vector<std::string> prefix_limits;   // "+44700=10/hour"
  std::uint32_t block_digits = 4;
  std::uint32_t block_sends_per_hour = 100;
  bool shadow = false;
};

// Blocks of numbers where hardly any code is verified.
struct PumpingConfig {
  std::uint32_t min_sends = 30;
  std::uint32_t min_percent = 10;
  Seconds window{3'600};
  Seconds grace{120};
  Seconds close{1'800};
  Seconds max_close{86'400};
  bool shadow = false;
};

// What may be spent on messages to phones in any 24 hours. Amounts are decimal, "0.0075".
struct BudgetConfig {
  std::string currency = "USD";
  std::string default_price = "0.05";
  std::vector<std::string> prices;  // "+44=0.04", "voice:+44=0.12"
  std::string per_day = "10000";
  std::string country_per_day = "5000";
  std::vector<std::string> country_limits;  // "GB=100.00"
  std::vector<std::string> prefix_limits;   // "+44700=5.00"
  bool shadow = false;
};

// A recipient with a code that never changes, for those who review an app.
struct TestRecipientConfig {
  std::string address;
  Secret code;
  std::string expires_on;  // "2026-12-31"
};

struct SessionConfig {
  Seconds lifetime{86'400};
  Seconds idle_lifetime{28'800};
  std::uint32_t max_per_user = 20;
};

struct FactorsConfig {
  std::uint32_t max_per_user = 10;
  std::uint32_t wrong_codes = 5;
  Seconds lock{30};
  Seconds max_lock{86'400};
};

// The names of the providers of each channel, with weights if they share the work ("twilio:70");
// none: the channel is not offered.
struct RoutesConfig {
  std::vector<std::string> sms = {"twilio"};
  std::vector<std::string> voice;
  std::vector<std::string> whatsapp;
  std::vector<std::string> email = {"mail"};
};

enum class PhoneChannel : std::uint8_t { sms, voice, whatsapp };

struct PrefixRouteConfig {
  PhoneChannel channel = PhoneChannel::sms;
  std::vector<std::string> prefixes;
  std::vector<std::string> lanes;
};

enum class AfterSms : std::uint8_t { none, voice, whatsapp };
enum class AfterWhatsapp : std::uint8_t { none, sms, voice };

struct FallbackConfig {
  Seconds after{30};
  AfterSms sms = AfterSms::none;
  AfterWhatsapp whatsapp = AfterWhatsapp::none;
};

struct BreakerConfig {
  Seconds window{60};
  std::uint32_t min_volume = 20;
  std::uint32_t shift_error_percent = 5;
  std::uint32_t open_error_percent = 50;
  std::uint32_t open_failures = 5;
  Millis open_p99{15'000};
  Seconds open_for{5};
  Seconds open_max{300};
};

struct DeliveryConfig {
  std::uint32_t in_flight = 256;
  Seconds lease{30};
  Millis retry_base{500};
  Millis retry_max{30'000};
  Millis provider_timeout{8'000};
  Days dead_letter_retention{7};
  bool receipts = true;
  RoutesConfig routes;
};

// Events for the application's own endpoint.
struct WebhooksConfig {
  std::string url;  // empty: no webhooks, or `shared`
  Secret secrets;
  std::vector<std::string> events = {"otp.sent",     "otp.delivered", "otp.failed",
                                     "otp.verified", "otp.exhausted", "otp.expired",
                                     "otp.canceled"};
  Millis timeout{15'000};
  bool allow_private = false;
  std::uint32_t max_in_flight = 16;
  // After loading, of an application in [applications]: its events go to the endpoint of the base
  // one, if that has any.
  bool shared = false;
};

struct MessagesConfig {
  std::string brand = "otpd";
  std::string webotp_host;  // never empty after loading
  std::string default_locale = "en";
  // purpose -> channel -> locale -> text; empty unless configured
  std::map<std::string, std::map<std::string, std::map<std::string, std::string>>> templates;
};

struct RedisSettings {
  std::vector<std::string> nodes = {"127.0.0.1:6379"};
  bool cluster = false;
  std::string user;
  Secret password;
  bool tls = false;
  std::string ca_file;
  std::string prefix = "otpd";
  std::uint32_t partitions = 64;
  Millis timeout{1'000};
  Millis replica_timeout{500};
};

struct PostgresSettings {
  Secret url;  // never empty in a cluster
  std::uint32_t connections = 4;
  Millis timeout{5'000};
};

enum class Durability : std::uint8_t { async, replicated, strict };

struct ClusterSettings {
  Durability durability = Durability::replicated;
  std::uint32_t audit_backlog = 100'000;
};

struct AuditConfig {
  Days retention{365};
  Seconds checkpoint_every{60};
};

struct AuthConfig {
  // "name:" or "application/name:", and 64 lower-case hexadecimal digits
  std::vector<std::string> api_keys;
  bool open_to_public = false;  // auth.public
  std::vector<std::string> cors_origins;
  std::string admin_token_file;  // never empty after loading
};

enum class DemoMode : std::uint8_t { automatic, on, off };

struct DemoConfig {
  DemoMode mode = DemoMode::automatic;
  bool enabled = false;  // after loading: what `mode` means for this server.listen
};

struct TestingConfig {
  bool virtual_clock = false;
};

struct LogConfig {
  log::Level level = log::Level::info;
};

struct Config {
  ServerConfig server;
  DataConfig data;
  RedisSettings redis;
  PostgresSettings postgres;
  ClusterSettings cluster;
  CryptoConfig crypto;
  OtpConfig otp;
  std::map<std::string, PurposeConfig> purposes = default_purposes();
  LimitsConfig limits;
  FrictionConfig friction;
  DestinationsConfig destinations;
  PumpingConfig pumping;
  BudgetConfig budget;
  std::map<std::string, TestRecipientConfig> test_recipients;
  SessionConfig session;
  FactorsConfig factors;
  DeliveryConfig delivery;
  std::map<std::string, ProviderConfig> providers = default_providers();
  std::map<std::string, PrefixRouteConfig> prefix_routes;
  FallbackConfig fallback;
  BreakerConfig breaker;
  WebhooksConfig webhooks;
  MessagesConfig messages;
  AuditConfig audit;
  AuthConfig auth;
  DemoConfig demo;
  TestingConfig testing;
  LogConfig log;
  // The other applications, by name, each with all that holds for it: this configuration and what
  // its own section changes. (otp.application is the name of the one that this is.)
  std::map<std::string, std::shared_ptr<const Config>> applications;
};

}  // namespace otpd::app
