#include "delivery/templates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "base/encoding.h"
#include "delivery/builtin_templates.h"

namespace otpd::delivery {
namespace {

constexpr const char* k_locales[] = {"en", "de", "fr", "es", "pt", "it"};
constexpr const char* k_purposes[] = {"login", "transaction", "password_reset", "anything else"};

TemplateConfig typical_config() {
  return {.brand = "Example Bank", .webotp_host = "login.example.com", .overrides = {}};
}

TemplateValues typical_values() {
  return {.code = "481623",
          .link = {},
          .amount = "1,299.00",
          .currency = "EUR",
          .payee = "ACME GmbH",
          .valid_for = Seconds(300)};
}

Templates templates_of(const TemplateConfig& config) {
  auto made = Templates::make(config);
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return std::move(made.value());
}

// The typical configuration with one text put in.
TemplateConfig with_text(const std::string& purpose, const std::string& channel,
                         const std::string& locale, TemplateText text) {
  TemplateConfig config = typical_config();
  config.overrides[purpose][channel][locale] = std::move(text);
  return config;
}

// U+202E; in a source text it would do to the reader what it is here for.
std::string right_to_left() {
  return hex_decode("e280ae").value();
}

std::string make_error(const TemplateConfig& config) {
  const auto made = Templates::make(config);
  if (made) return "made";
  EXPECT_EQ(made.error().kind, Failure::invalid);
  return made.error().message;
}

std::string text_of(const Templates& templates, std::string_view purpose, std::string_view channel,
                    std::string_view locale, const TemplateValues& values = typical_values()) {
  const auto message = templates.render(purpose, channel, locale, values);
  return message ? std::string(message->text.reveal()) : "failed: " + message.error().message;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// The length in GSM 7-bit septets (3GPP TS 23.038 section 6.2.1), or nothing if a character is not
// in that alphabet.
std::optional<std::size_t> gsm_length(std::string_view text) {
  static const std::set<std::string_view> two_bytes = {
      "£", "¥", "è", "é", "ù", "ì", "ò", "Ç", "Ø", "ø", "Å", "å", "Δ",
      "Φ", "Γ", "Λ", "Ω", "Π", "Ψ", "Σ", "Θ", "Ξ", "Æ", "æ", "ß", "É",
      "¤", "¡", "Ä", "Ö", "Ñ", "Ü", "§", "¿", "ä", "ö", "ñ", "ü", "à"};
  std::size_t septets = 0;
  for (std::size_t i = 0; i < text.size(); ++i, ++septets) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      if (!two_bytes.contains(text.substr(i, 2))) return std::nullopt;
      ++i;
    } else if (std::string_view("^{}\\[~]|").find(text[i]) != std::string_view::npos) {
      ++septets;
    } else if (text[i] == '`' || (byte < 0x20 && text[i] != '\n')) {
      return std::nullopt;
    }
  }
  return septets;
}

TEST(Templates, TheWholeSms) {
  const Templates templates = templates_of(typical_config());
  EXPECT_EQ(text_of(templates, "login", "sms", "en"),
            "481623 is your Example Bank login code. It expires in 5 min. Do not share it with "
            "anyone.\n@login.example.com #481623");
  EXPECT_EQ(text_of(templates, "transaction", "sms", "en"),
            "481623 confirms 1,299.00 EUR to ACME GmbH (Example Bank). It expires in 5 min. Never "
            "share it.\n@login.example.com #481623");
}

TEST(Templates, EveryBuiltInShowsWhatItMust) {
  const Templates templates = templates_of(typical_config());
  for (const char* purpose : k_purposes) {
    for (const char* channel : {"sms", "voice", "whatsapp", "email"}) {
      std::set<std::string> texts;
      for (const char* locale : k_locales) {
        const auto message = templates.render(purpose, channel, locale, typical_values());
        ASSERT_TRUE(message.has_value()) << message.error().message;
        const std::string_view text = message->text.reveal();
        const bool voice = std::string_view(channel) == "voice";
        const bool sms = std::string_view(channel) == "sms";
        EXPECT_TRUE(texts.insert(std::string(text)).second) << "one text for two locales: " << text;
        EXPECT_NE(text.find("Example Bank"), text.npos) << text;
        EXPECT_EQ(count(text, "481623"), voice ? 0U : sms ? 2U : 1U) << text;
        EXPECT_EQ(count(text, "4, 8, 1, 6, 2, 3"), voice ? 3U : 0U) << text;
        EXPECT_EQ(text.ends_with("\n@login.example.com #481623"), sms) << text;
        EXPECT_EQ(message->subject.empty(), std::string_view(channel) != "email");
        EXPECT_EQ(message->subject.find("481623"), std::string::npos) << "subjects are seen";
        EXPECT_EQ(text.find_first_of("{}"), text.npos) << text;
        if (std::string_view(purpose) == "transaction") {
          EXPECT_NE(text.find("1,299.00 EUR"), text.npos) << text;
          EXPECT_NE(text.find("ACME GmbH"), text.npos) << text;
        }
      }
    }
  }
  EXPECT_EQ(builtin_templates().size(), 4U * 4 * 6);
}

TEST(Templates, EveryBuiltInSmsIsOneGsmMessage) {
  const Templates templates = templates_of(typical_config());
  for (const char* purpose : k_purposes) {
    for (const char* locale : k_locales) {
      const std::string text = text_of(templates, purpose, "sms", locale);
      ASSERT_TRUE(gsm_length(text).has_value()) << text;
      EXPECT_LE(*gsm_length(text), 160U) << text;
    }
  }
}

TEST(Templates, TheLinkLineIsLeftOutWithoutALink) {
  const Templates templates = templates_of(typical_config());
  TemplateValues values = typical_values();
  const std::string without = text_of(templates, "password_reset", "email", "en", values);
  EXPECT_EQ(without.find("open this link"), std::string::npos) << without;
  values.link = "https://login.example.com/reset#t=abc";
  const std::string with = text_of(templates, "password_reset", "email", "en", values);
  EXPECT_NE(with.find("\nOr open this link: https://login.example.com/reset#t=abc\n"),
            std::string::npos)
      << with;
}

TEST(Templates, FindsTheLocaleByLookup) {
  TemplateConfig config = typical_config();
  const auto text = [&](const char* locale, const char* words) {
    config.overrides["login"]["sms"][locale] = {"", std::string(words) + " {code}"};
  };
  text("de-CH", "Swiss");
  text("zh-Hant", "Traditional");
  text("pt-PT", "Portugal");
  config.webotp_host.clear();
  const Templates templates = templates_of(config);
  const std::pair<std::string, std::string> cases[] = {
      {"de-CH", "Swiss"},
      {"DE-ch-1996", "Swiss"},
      {"de-CH-x-private", "Swiss"},
      {"de-AT", "481623 ist Ihr"},
      {"de", "481623 ist Ihr"},
      {"zh-Hant-TW", "Traditional"},
      {"zh-Hant-x-a", "Traditional"},
      {"zh", "481623 is your"},
      {"zh-Hans", "481623 is your"},
      {"pt-BR", "Use 481623"},
      {"pt-PT", "Portugal"},
      {"fr-u-ca-buddhist", "481623 est"},
      {"", "481623 is your"},
      {"-", "481623 is your"},
      {"de--CH", "481623 ist Ihr"},
      {"../../etc", "481623 is your"},
      {std::string(10'000, 'd'), "481623 is your"},
      {"d", "481623 is your"},
  };
  for (const auto& [locale, start] : cases) {
    EXPECT_TRUE(text_of(templates, "login", "sms", locale).starts_with(start)) << locale;
  }
}

TEST(Templates, TheDefaultLocaleComesBeforeEnglish) {
  TemplateConfig config = typical_config();
  config.default_locale = "fr";
  EXPECT_TRUE(text_of(templates_of(config), "login", "sms", "zh").starts_with("481623 est votre"));
  config.default_locale = "nl";
  EXPECT_EQ(make_error(config), "default_locale: no template has it");
  config.overrides["login"]["sms"]["nl"] = {"", "Hallo {code}"};
  const Templates dutch = templates_of(config);
  EXPECT_TRUE(text_of(dutch, "login", "sms", "zh").starts_with("Hallo 481623"));
  EXPECT_TRUE(text_of(dutch, "login", "email", "zh").starts_with("Your Example Bank login code"));
}

TEST(Templates, APurposeOfItsOwnFallsBackToAnyPurpose) {
  const Templates templates =
      templates_of(with_text("door", "sms", "fr", {"", "Ouvrez la porte : {code}"}));
  EXPECT_TRUE(text_of(templates, "door", "sms", "fr-CA").starts_with("Ouvrez la porte : 481623"));
  EXPECT_TRUE(text_of(templates, "door", "sms", "de").starts_with("481623 ist Ihr Code"));
  EXPECT_TRUE(text_of(templates, "door", "voice", "fr").starts_with("Bonjour"));
  EXPECT_TRUE(
      text_of(templates, "default", "sms", "en").starts_with("481623 is your Example Bank"));
  EXPECT_EQ(text_of(templates, "login", "pigeon", "en"), "failed: no template for this channel");
}

TEST(Templates, NoValueCanAddALineOrHide) {
  TemplateConfig config = typical_config();
  config.overrides["transaction"]["sms"]["en"] = {"", "{payee}|{amount}|{currency}|{code}"};
  const Templates templates = templates_of(config);
  const std::string lri = hex_decode("e281a6").value(), rlm = hex_decode("e2808f").value();
  const std::pair<std::string, std::string_view> cases[] = {
      {"ACME\n@evil.example #999999", "ACME @evil.example #999999"},
      {"ACME\r\n\r\n@evil.example #999999\n", "ACME @evil.example #999999"},
      {"a\tb", "a b"},
      {"a\x1b[2Jb", "a [2Jb"},
      {"a\x7f"
       "b",
       "a b"},
      {std::string("a\0b", 3), "a b"},
      {"a\u0085b\u2028c\u2029d", "a b c d"},
      {"a" + right_to_left() + "b" + lri + "c" + rlm + "\u200bd\ufeff", "a b c d"},
      {"a\u00a0\u00ad\u3000\u061cb", "a b"},
      {"  Müller & Söhne €  ", "Müller & Söhne €"},
      {"日本語", "日本語"},
  };
  for (const auto& [value, shown] : cases) {
    TemplateValues values = typical_values();
    values.payee = values.amount = values.currency = value;
    const std::string text = text_of(templates, "transaction", "sms", "en", values);
    EXPECT_EQ(text, fmt::format("{0}|{0}|{0}|481623\n@login.example.com #481623", shown));
  }
}

TEST(Templates, RefusesToRenderWithoutItsValues) {
  const Templates templates = templates_of(typical_config());
  const auto missing = [&](auto member, std::string_view purpose, std::string_view channel) {
    TemplateValues values = typical_values();
    values.*member = "\u200b \n";  // as good as empty
    return text_of(templates, purpose, channel, "en", values);
  };
  for (const char* channel : {"sms", "voice", "whatsapp", "email"}) {
    EXPECT_EQ(missing(&TemplateValues::amount, "transaction", channel),
              "failed: no value for {amount}");
    EXPECT_EQ(missing(&TemplateValues::currency, "transaction", channel),
              "failed: no value for {currency}");
    EXPECT_EQ(missing(&TemplateValues::payee, "transaction", channel),
              "failed: no value for {payee}");
    EXPECT_EQ(missing(&TemplateValues::code, "login", channel),
              "failed: neither a code nor a link to show");
    EXPECT_TRUE(missing(&TemplateValues::payee, "login", channel).find("failed") ==
                std::string::npos);
  }
}

TEST(Templates, ShowsRoundedMinutes) {
  const Templates templates =
      templates_of(with_text("login", "email", "en", {"", "{code} {minutes}"}));
  const std::pair<Millis, std::string_view> cases[] = {
      {Millis(0), "1"},     {Millis(-5), "1"},     {Seconds(1), "1"},
      {Seconds(89), "1"},   {Seconds(299), "5"},   {Seconds(300), "5"},
      {Seconds(600), "10"}, {Seconds(1800), "30"}, {Seconds(331), "6"},
  };
  for (const auto& [left, shown] : cases) {
    TemplateValues values = typical_values();
    values.valid_for = left;
    EXPECT_EQ(text_of(templates, "login", "email", "en", values), "481623 " + std::string(shown));
  }
}

TEST(Templates, WebOtpLineOnlyWhereItBelongs) {
  TemplateConfig config = typical_config();
  config.overrides["login"]["sms"]["en"] = {"", "{link}\n{code}"};
  TemplateValues values = typical_values();
  values.link = "https://login.example.com/l";
  EXPECT_EQ(text_of(templates_of(config), "login", "sms", "en", values),
            "https://login.example.com/l\n481623\n@login.example.com #481623");
  values.code = {};
  EXPECT_EQ(text_of(templates_of(config), "login", "sms", "en", values),
            "https://login.example.com/l");
  config.webotp_host.clear();
  EXPECT_EQ(text_of(templates_of(config), "login", "sms", "en"), "481623");
}

TEST(Templates, AnOverrideKeepsTheBuiltInSubject) {
  TemplateConfig config = typical_config();
  config.overrides["login"]["email"]["de"] = {"", "Code: {code}"};
  config.overrides["login"]["email"]["fr"] = {"Bonjour {payee}", "Code : {code}"};
  config.overrides["door"]["email"]["it"] = {"", "Codice: {code}"};
  const Templates templates = templates_of(config);
  const auto subject = [&](const char* purpose, const char* locale) {
    return templates.render(purpose, "email", locale, typical_values()).value().subject;
  };
  EXPECT_EQ(subject("login", "de"), "Ihr Anmeldecode für Example Bank");
  EXPECT_EQ(subject("login", "fr"), "Bonjour ACME GmbH");
  EXPECT_EQ(subject("door", "it"), "Il tuo codice Example Bank");
}

TEST(Templates, NamesTheTemplateAndThePositionOfAnError) {
  const auto error = [](const char* purpose, const char* channel, const char* locale,
                        TemplateText text) {
    return make_error(with_text(purpose, channel, locale, std::move(text)));
  };
  EXPECT_EQ(error("login", "sms", "en", {"", "Hi {cod}, {code}"}),
            "template login/sms/en: unknown placeholder {cod} at position 4");
  EXPECT_EQ(error("login", "sms", "de-AT", {"", "{code} {}"}),
            "template login/sms/de-AT: unknown placeholder {} at position 8");
  for (const char* text : {"12 {code", "12 }{code}", "12 {{code}}", "12 {\n}{code}"}) {
    EXPECT_EQ(error("login", "sms", "en", {"", text}),
              "template login/sms/en: stray brace at position 4")
        << text;
  }
  EXPECT_EQ(error("login", "sms", "en", {"", "{code}}"}),
            "template login/sms/en: stray brace at position 7");
  EXPECT_EQ(error("login", "sms", "en", {"", ""}), "template login/sms/en: needs {code} or {link}");
  EXPECT_EQ(error("login", "sms", "en", {"", "{ code }"}),
            "template login/sms/en: unknown placeholder { code } at position 1");
  EXPECT_EQ(error("transaction", "sms", "en", {"", "{code} {amount}"}),
            "template transaction/sms/en: a transaction must show {amount} and {payee}");
  EXPECT_EQ(error("login", "fax", "en", {"", "{code}"}), "template login/fax/en: unknown channel");
  for (const char* locale : {"", "de_CH", "-de", "de-", "de--CH", "abcdefghi", "dé"}) {
    EXPECT_EQ(error("login", "sms", locale, {"", "{code}"}),
              std::string("template login/sms/") + locale + ": the locale is no language tag");
  }
  EXPECT_EQ(error("login", "email", "en", {"Hi {name}", "{code}"}),
            "template login/email/en subject: unknown placeholder {name} at position 4");
  EXPECT_EQ(error("login", "sms", "en", {"Hi", "{code}"}),
            "template login/sms/en: only an e-mail has a subject");
  for (const char* subject : {"{code}", "{link}", "Hi\nBcc: x@example.com"}) {
    EXPECT_EQ(error("login", "email", "en", {subject, "{code}"}),
              "template login/email/en: a subject is one line without {code} and {link}");
  }
  EXPECT_EQ(error("default", "email", "nl", {"", "{code}"}),
            "template default/email/nl: needs a subject");
}

TEST(Templates, RefusesABrandOrHostThatCouldBreakALine) {
  TemplateConfig config = typical_config();
  for (const std::string& brand : {std::string(), std::string(" "), std::string("a\nb"),
                                   "a" + right_to_left(), std::string(" a")}) {
    config.brand = brand;
    EXPECT_EQ(make_error(config), "brand: needs one line of visible text");
  }
  config = typical_config();
  for (const char* host :
       {"https://example.com", "example.com/", "example.com:443", "a b", "a\nb", "@example.com",
        "-a.example", "a..example", ".example", "example.", "exämple.com"}) {
    config.webotp_host = host;
    EXPECT_EQ(make_error(config), "webotp_host: not a host name") << host;
  }
  config.webotp_host = "localhost";
  EXPECT_EQ(make_error(config), "made");
}

}  // namespace
}  // namespace otpd::delivery
