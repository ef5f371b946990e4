// Smtp: e-mail through a mail server (RFC 5321), as plain text and HTML.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"
#include "net/client.h"

namespace otpd::providers {

struct SmtpConfig {
  std::string url;          // smtp://host:port or smtps://host:port
  bool require_tls = true;  // with smtp://: STARTTLS or nothing is sent
  std::string ca_file;      // PEM of the authorities to trust; empty: the system's
  std::string user;         // empty: no AUTH
  Secret password;
  std::string from_address;  // in the envelope, too
  std::string from_name;
};

// What the server's final reply means. Pure.
delivery::Outcome classify_smtp(int status, std::string_view reply);

// Failure::invalid naming the setting that is missing or cannot be. `client` and `clock` must
// outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_smtp(SmtpConfig config, net::Client& client,
                                                      const Clock& clock);

}  // namespace otpd::providers
