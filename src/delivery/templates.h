// Templates: the words of a message, by purpose, channel and locale.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/template_text.h"

namespace otpd::delivery {

// The purpose whose texts serve every purpose that has none of its own.
inline constexpr std::string_view k_any_purpose = "default";

// A template as written: plain text with the placeholders {code} {link} {brand} {minutes} {amount}
// {currency} {payee}; other braces are errors. In the channel `voice` the code is spoken character
// by character. A line with {link} is left out of a message that has no link, and one with {code}
// of a message that has no code.
struct TemplateText {
  std::string
      subject;  // e-mail only; no {code}, no {link}. Empty: the built-in, or that of k_any_purpose
  std::string text;  // with {code} or {link}; for the purpose "transaction" {amount}, {payee} too
};

struct TemplateConfig {
  std::string brand = "otpd";
  // The host of the last line of an SMS, `@host #code`, by which browsers bind the code to a site
  // (WebOTP, "origin-bound one-time codes"). Empty: no such line.
  std::string webotp_host;
  std::string default_locale = "en";  // for locales without a text; after it comes "en"
  // purpose → channel (sms, voice, whatsapp, email) → locale (BCP 47) → text; each replaces the
  // built-in text of that name, or adds one. The built-in locales are en, de, fr, es, pt and it.
  std::map<std::string, std::map<std::string, std::map<std::string, TemplateText>>> overrides;
};

// What fills the placeholders; the views must outlive the call. Control and invisible characters
// (line breaks, direction marks) become spaces, so that no value can add a line or reorder a text.
struct TemplateValues {
  std::string_view code;
  std::string_view link;
  std::string_view amount;
  std::string_view currency;
  std::string_view payee;
  Millis valid_for{0};  // shown in minutes, rounded, at least 1
};

struct RenderedMessage {
  std::string subject;  // e-mail only
  Secret text;          // UTF-8, lines end in \n
};

// Immutable, so safe from any thread.
class Templates {
 public:
  // The built-in texts and the overrides, all parsed. Failure::invalid naming the template and the
  // position (in bytes, from 1) of an unknown placeholder or a stray brace, or what is missing.
  static Result<Templates> make(const TemplateConfig& config);

  // The message for a purpose (its own text or that of k_any_purpose), in the locale found by
  // RFC 4647 lookup: de-CH-1996, de-CH, de, then the default. `locale` may be any text. An SMS
  // ends with the WebOTP line if a host is configured and there is a code. Failure::invalid if
  // there is no text for the channel, neither code nor link to show, or a value is missing.
  Result<RenderedMessage> render(std::string_view purpose, std::string_view channel,
                                 std::string_view locale, const TemplateValues& values) const;

 private:
  struct Parsed {
    ParsedTemplate subject;
    ParsedTemplate text;
  };
  using Name = std::tuple<std::string, std::string, std::string>;  // purpose, channel, locale

  Result<void> add(const std::string& purpose, const std::string& channel,
                   const std::string& locale, const TemplateText& source);
  Result<void> add_overrides(const TemplateConfig& config);
  Result<void> complete();
  const Parsed* look_up(std::string_view purpose, std::string_view channel,
                        std::string_view locale) const;

  std::map<Name, Parsed> parsed_;  // locales in lower case
  std::string brand_;
  std::string webotp_host_;
  std::string default_locale_;
};

}  // namespace otpd::delivery
