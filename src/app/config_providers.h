// The providers' part of the configuration.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "providers/http_provider.h"
#include "providers/sns.h"
#include "providers/vonage.h"
#include "providers/webhook.h"
#include "providers/whatsapp.h"

namespace otpd::app {

enum class ProviderKind : std::uint8_t {
  twilio,
  vonage,
  sns,
  smpp,
  smtp,
  whatsapp,
  http,
  webhook,
  log,
};

struct TwilioConfig {
  std::string base_url = "http://127.0.0.1:8090";
  std::string account_sid = "AC00000000000000000000000000000000";
  Secret auth_token{"simulated-token"};
  std::string api_key_sid;
  Secret api_key_secret;
  std::string from = "+15005550006";
  std::string messaging_service_sid;
};

struct SmtpConfig {
  std::string url = "smtp://127.0.0.1:8025";
  std::string user;
  Secret password;
  std::string from = "otpd <otp@localhost>";
  bool require_tls = false;  // after loading: also where a user is set and it is not
  std::string ca_file;
};

enum class HexIds : std::uint8_t { automatic, on, off };

struct SmppConfig {
  std::string address = "127.0.0.1:2775";
  bool tls = false;
  std::string ca_file;
  std::string system_id = "otpd";
  Secret password{"simulat"};
  std::string system_type;
  std::string from = "otpd";
  std::string source_ton = "auto";
  std::string source_npi = "auto";
  std::uint32_t window = 10;
  Seconds enquire_link{30};
  Millis bind_timeout{5'000};
  HexIds hex_ids = HexIds::automatic;
};

// Of the kinds' members only the one that `kind` names counts.
struct ProviderConfig {
  ProviderKind kind = ProviderKind::log;
  Millis timeout{0};  // 0: delivery.provider_timeout_ms
  std::uint32_t max_in_flight = 256;
  std::uint32_t max_per_second = 10'000;
  TwilioConfig twilio;
  providers::VonageConfig vonage;
  providers::SnsConfig sns;
  SmppConfig smpp;
  SmtpConfig smtp;
  providers::WhatsappConfig whatsapp;
  providers::HttpProviderConfig http;
  providers::WebhookConfig webhook;
};

// twilio and mail, both at the simulator.
std::map<std::string, ProviderConfig> default_providers();

}  // namespace otpd::app
