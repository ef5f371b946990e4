#include "providers/http_template.h"

#include <algorithm>

#include "net/form.h"
#include "net/http_message.h"
#include "providers/json_body.h"
#include "providers/xml_text.h"

namespace otpd::providers {
namespace {

using delivery::Message;

struct Placeholder {
  std::string_view name;
  std::string_view (*value)(const Message&);
};

std::string_view digits_of(std::string_view to) {
  return to.starts_with('+') ? to.substr(1) : to;
}

// {secret} and {expires_in_s} are no views of a message.
constexpr std::string_view k_secret_name = "secret";
constexpr std::string_view k_expires_name = "expires_in_s";
constexpr Placeholder k_placeholders[] = {
    {"to", [](const Message& m) { return m.to.reveal(); }},
    {"to_digits", [](const Message& m) { return digits_of(m.to.reveal()); }},
    {"text", [](const Message& m) { return m.text.reveal(); }},
    {"code", [](const Message& m) { return m.code.reveal(); }},
    {"subject", [](const Message& m) { return std::string_view(m.subject); }},
    {"channel", [](const Message& m) { return std::string_view(m.channel); }},
    {"purpose", [](const Message& m) { return std::string_view(m.purpose); }},
    {"locale", [](const Message& m) { return std::string_view(m.locale); }},
    {"country", [](const Message& m) { return std::string_view(m.country); }},
    {"callback_url", [](const Message& m) { return std::string_view(m.callback_url); }},
    {"job_id", [](const Message& m) { return std::string_view(m.job_id); }},
};

bool is_placeholder(std::string_view name) {
  return name == k_secret_name || name == k_expires_name ||
         std::ranges::find(k_placeholders, name, &Placeholder::name) != std::end(k_placeholders);
}

bool is_placeholder_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The name between the brace at the front of `text` and the one that closes it, or empty.
std::string_view braced_name(std::string_view text) {
  const std::string_view rest = text.substr(1);
  const auto end = std::ranges::find_if_not(rest, is_placeholder_character);
  const auto size = static_cast<std::size_t>(end - rest.begin());
  return end != rest.end() && *end == '}' ? rest.substr(0, size) : std::string_view();
}

Secret encoded(std::string_view value, Encoding encoding) {
  switch (encoding) {
    case Encoding::json:
      return Secret(json_escape(value));
    case Encoding::percent:
      return Secret(net::percent_encode(value));
    case Encoding::xml: {
      std::string out;
      out.reserve(xml_escaped_bound(value));
      append_xml_escaped(out, value);
      return Secret(std::move(out));
    }
    case Encoding::plain:
      break;
  }
  return Secret(std::string(value));
}

}  // namespace

Encoding encoding_of(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (net::same_name(type, "application/x-www-form-urlencoded")) return Encoding::percent;
  if (net::same_name(type, "application/json") || type.ends_with("+json")) return Encoding::json;
  const bool xml = net::same_name(type, "application/xml") || net::same_name(type, "text/xml");
  return xml || type.ends_with("+xml") ? Encoding::xml : Encoding::plain;
}

Result<HttpTemplate> HttpTemplate::parse(std::string_view text) {
  HttpTemplate made;
  std::string literal;
  while (!text.empty()) {
    const std::string_view name = text[0] == '{' ? braced_name(text) : std::string_view();
    if (name.empty()) {
      literal += text[0];
      text.remove_prefix(1);
      continue;
    }
    if (!is_placeholder(name)) {
      return fail(Failure::invalid, "there is no placeholder {" + std::string(name) + "}");
    }
    made.pieces_.push_back({false, std::exchange(literal, {})});
    made.pieces_.push_back({true, std::string(name)});
    text.remove_prefix(name.size() + 2);
  }
  made.pieces_.push_back({false, std::move(literal)});
  return made;
}

Secret HttpTemplate::fill(const Message& message, std::string_view secret,
                          Encoding encoding) const {
  const auto seconds = std::chrono::floor<Seconds>(message.valid_for).count();
  const std::string expires = std::to_string(std::max<std::int64_t>(0, seconds));
  std::vector<Secret> parts;
  std::size_t size = 0;
  for (const Piece& piece : pieces_) {
    if (!piece.placeholder) {
      parts.emplace_back(std::string(piece.text));
    } else if (piece.text == k_secret_name) {
      parts.push_back(encoded(secret, encoding));
    } else if (piece.text == k_expires_name) {
      parts.push_back(encoded(expires, encoding));
    } else {
      const auto* known = std::ranges::find(k_placeholders, piece.text, &Placeholder::name);
      parts.push_back(encoded(known->value(message), encoding));
    }
    size += parts.back().size();
  }
  std::string out;
  out.reserve(size);  // growing would leave copies behind
  for (const Secret& part : parts) out += part.reveal();
  return Secret(std::move(out));
}

bool HttpTemplate::uses(std::string_view name) const {
  return std::ranges::any_of(
      pieces_, [&](const Piece& piece) { return piece.placeholder && piece.text == name; });
}

}  // namespace otpd::providers
