// Whatsapp: authentication templates through Meta's WhatsApp Cloud API, and its receipts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"
#include "net/client.h"

namespace otpd::providers {

struct WhatsappConfig {
  std::string base_url = "https://graph.facebook.com";
  std::string version = "v21.0";
  std::string phone_number_id;
  Secret access_token;
  std::string template_name;  // of the category "authentication", with a copy-code button
  std::vector<std::string> languages = {
      "en_US"};         // that the template has; the first is the default
  Secret app_secret;    // signs the receipts; empty: none is believed
  Secret verify_token;  // of the webhook's subscription; empty: it is refused
};

// What an answer means. Pure; `now` only serves to read a Retry-After date.
delivery::Outcome classify_whatsapp(int status, const net::Headers& headers, std::string_view body,
                                    TimePoint now);

// The template's language for a locale (BCP 47): the same, else of the same first part, else the
// first of `languages`, of which there is one.
std::string_view whatsapp_language(const std::vector<std::string>& languages,
                                   std::string_view locale);

// Believes webhooks under X-Hub-Signature-256 (HMAC-SHA-256 of the body under the app's secret).
// The signature has no time in it: a repeated webhook is believed, and says the same. Answers the
// question that comes before the first webhook (hub.challenge) if it is asked with `verify_token`,
// which may be empty: then never.
std::unique_ptr<delivery::ReceiptReader> make_whatsapp_receipts(Secret app_secret,
                                                                Secret verify_token);

// Failure::invalid naming the setting that is missing or cannot be. `client` and `clock` must
// outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_whatsapp(WhatsappConfig config,
                                                          net::Client& client, const Clock& clock);

}  // namespace otpd::providers
