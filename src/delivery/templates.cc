#include "delivery/templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "delivery/builtin_templates.h"
#include "delivery/display_text.h"

namespace otpd::delivery {
namespace {

constexpr std::array<std::string_view, 4> k_channels = {"sms", "voice", "whatsapp", "email"};
constexpr std::string_view k_last_locale = "en";
constexpr std::size_t k_max_locale_bytes = 64;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A language tag by its outer form: subtags of 1 to 8 letters and digits (RFC 5646 section 2.1).
bool is_language_tag(std::string_view text) {
  std::size_t subtag = 0;
  for (const char c : text) {
    if (c == '-' ? subtag == 0 : (!is_alnum(c) || subtag == 8)) return false;
    subtag = c == '-' ? 0 : subtag + 1;
  }
  return subtag > 0;
}

// A host name as it stands in a URL: letters, digits, hyphens, dots.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253 || !is_alnum(text.front()) || !is_alnum(text.back())) {
    return false;
  }
  return text.find("..") == text.npos &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '.'; });
}

// The range with its last subtag cut off, and a single letter or digit that then ends it
// (RFC 4647 section 3.4).
std::string_view shorter_range(std::string_view range) {
  const auto cut = [&] {
    const std::size_t dash = range.rfind('-');
    range = dash == range.npos ? std::string_view() : range.substr(0, dash);
  };
  cut();
  if (range.size() >= 2 && range[range.size() - 2] == '-') cut();
  return range;
}

std::string spoken(std::string_view code) {
  std::string out;
  out.reserve(code.size() * 3);
  for (const char c : code) {
    if (!out.empty()) out += ", ";
    out += c;
  }
  return out;
}

std::string webotp_line(std::string_view host, const Secret& code) {
  std::string out;
  out.reserve(host.size() + code.size() + 3);
  return out.append("@").append(host).append(" #").append(code.reveal());
}

std::unexpected<Error> bad_template(std::string_view name, std::string_view why) {
  return fail(Failure::invalid, fmt::format("template {}: {}", name, why));
}

}  // namespace

Result<void> Templates::add(const std::string& purpose, const std::string& channel,
                            const std::string& locale, const TemplateText& source) {
  const std::string name = fmt::format("{}/{}/{}", purpose, channel, locale);
  if (std::ranges::find(k_channels, channel) == k_channels.end()) {
    return bad_template(name, "unknown channel");
  }
  if (!is_language_tag(locale)) return bad_template(name, "the locale is no language tag");
  auto text = ParsedTemplate::parse(source.text, name);
  if (!text) return std::unexpected(text.error());
  if (!text->has(Slot::code) && !text->has(Slot::link)) {
    return bad_template(name, "needs {code} or {link}");
  }
  if (purpose == "transaction" && !(text->has(Slot::amount) && text->has(Slot::payee))) {
    return bad_template(name, "a transaction must show {amount} and {payee}");
  }
  auto subject = ParsedTemplate::parse(source.subject, name + " subject");
  if (!subject) return std::unexpected(subject.error());
  if (!subject->empty() && channel != "email") {
    return bad_template(name, "only an e-mail has a subject");
  }
  if (subject->has(Slot::code) || subject->has(Slot::link) || subject->lines() > 1) {
    return bad_template(name, "a subject is one line without {code} and {link}");
  }
  Parsed& place = parsed_[{purpose, channel, lower(locale)}];
  place.text = std::move(*text);
  if (!subject->empty()) place.subject = std::move(*subject);
  return {};
}

Result<void> Templates::add_overrides(const TemplateConfig& config) {
  for (const auto& [purpose, channels] : config.overrides) {
    for (const auto& [channel, locales] : channels) {
      for (const auto& [locale, text] : locales) {
        if (auto added = add(purpose, channel, locale, text); !added) return added;
      }
    }
  }
  return {};
}

// Gives an e-mail without a subject that of any purpose.
Result<void> Templates::complete() {
  bool default_is_known = false;
  for (auto& [name, parsed] : parsed_) {
    const auto& [purpose, channel, locale] = name;
    default_is_known |= locale == lower(default_locale_);
    if (channel != "email" || !parsed.subject.empty()) continue;
    parsed.subject = look_up(k_any_purpose, channel, locale)->subject;
    if (parsed.subject.empty()) {
      return bad_template(fmt::format("{}/{}/{}", purpose, channel, locale), "needs a subject");
    }
  }
  if (!default_is_known) return fail(Failure::invalid, "default_locale: no template has it");
  return {};
}

Result<Templates> Templates::make(const TemplateConfig& config) {
  Templates out;
  out.brand_ = config.brand;
  if (out.brand_.empty() || one_visible_line(out.brand_) != out.brand_) {
    return fail(Failure::invalid, "brand: needs one line of visible text");
  }
  out.webotp_host_ = config.webotp_host;
  if (!out.webotp_host_.empty() && !is_host(out.webotp_host_)) {
    return fail(Failure::invalid, "webotp_host: not a host name");
  }
  out.default_locale_ = config.default_locale;
  for (const BuiltinTemplate& builtin : builtin_templates()) {
    auto added = out.add(builtin.purpose, builtin.channel, builtin.locale, builtin.text);
    if (!added) return std::unexpected(added.error());
  }
  if (auto done = out.add_overrides(config); !done) return std::unexpected(done.error());
  if (auto done = out.complete(); !done) return std::unexpected(done.error());
  return out;
}

const Templates::Parsed* Templates::look_up(std::string_view purpose, std::string_view channel,
                                            std::string_view locale) const {
  for (const std::string_view wanted : {locale, std::string_view(default_locale_), k_last_locale}) {
    const std::string range = lower(wanted);
    for (std::string_view tag = range; !tag.empty(); tag = shorter_range(tag)) {
      const auto found =
          parsed_.find(Name(std::string(purpose), std::string(channel), std::string(tag)));
      if (found != parsed_.end()) return &found->second;
    }
  }
  return nullptr;
}

Result<RenderedMessage> Templates::render(std::string_view purpose, std::string_view channel,
                                          std::string_view locale,
                                          const TemplateValues& values) const {
  if (locale.size() > k_max_locale_bytes) locale = {};
  const Parsed* parsed = look_up(purpose, channel, locale);
  if (parsed == nullptr) parsed = look_up(k_any_purpose, channel, locale);
  if (parsed == nullptr) return fail(Failure::invalid, "no template for this channel");

  const Secret code(one_visible_line(values.code));
  if (!(parsed->text.has(Slot::code) && !code.empty()) &&
      !(parsed->text.has(Slot::link) && !values.link.empty())) {
    return fail(Failure::invalid, "neither a code nor a link to show");
  }
  const auto minutes = std::chrono::round<std::chrono::minutes>(values.valid_for).count();
  SlotValues slots;
  slots.set(Slot::code, channel == "voice" ? spoken(code.reveal()) : std::string(code.reveal()));
  slots.set(Slot::link, one_visible_line(values.link));
  slots.set(Slot::brand, std::string(brand_));
  slots.set(Slot::minutes, std::to_string(std::max<std::int64_t>(1, minutes)));
  slots.set(Slot::amount, one_visible_line(values.amount));
  slots.set(Slot::currency, one_visible_line(values.currency));
  slots.set(Slot::payee, one_visible_line(values.payee));

  const auto subject = parsed->subject.fill(slots);
  if (!subject) return std::unexpected(subject.error());
  const bool bound_to_host = channel == "sms" && !webotp_host_.empty() && !code.empty();
  const Secret last_line(bound_to_host ? webotp_line(webotp_host_, code) : std::string());
  auto text = parsed->text.fill(slots, last_line.reveal());
  if (!text) return std::unexpected(text.error());
  return RenderedMessage{std::string(subject->reveal()), std::move(*text)};
}

}  // namespace otpd::delivery
