#include "providers/mail_message.h"

#include <fmt/format.h>

#include <algorithm>

namespace otpd::providers {
namespace {

constexpr std::string_view k_mail_hex = "0123456789ABCDEF";
constexpr std::size_t k_max_address_bytes = 254;  // RFC 5321 section 4.5.3.1.3, with its brackets
constexpr std::size_t k_max_word_bytes = 55;      // with "Subject: =?UTF-8?Q?" and "?=": 76
constexpr std::size_t k_max_body_line = 76;       // RFC 2045 section 6.7 (5)
constexpr std::size_t k_max_boundary_bytes = 60;  // RFC 2046 section 5.1.1: 70, with its mark
constexpr std::size_t k_mail_frame_bytes = 768;   // the parts' own headers and boundaries
constexpr std::size_t k_max_plain_header = 60;    // so that name and text fit in 78

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) {
  return (c >= 0 && c < 0x20) || c == 0x7f;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, is_control);
}

// The character at the front of `text`: one byte, or a UTF-8 sequence.
std::string_view front_character(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return text.substr(0, size);
}

void append_hex(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '=';
  out += k_mail_hex[byte >> 4];
  out += k_mail_hex[byte & 15];
}

// RFC 2047: words of at most 75 bytes, never cut inside a character, on lines of their own.
std::string encoded_words(std::string_view text) {
  std::string out = "=?UTF-8?Q?";
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view character = front_character(text);
    text.remove_prefix(character.size());
    std::string encoded;
    for (const char c : character) {
      if (is_letter_or_digit(c)) {
        encoded += c;
      } else if (c == ' ') {
        encoded += '_';
      } else {
        append_hex(encoded, c);
      }
    }
    if (used + encoded.size() > k_max_word_bytes) {
      out += "?=\r\n =?UTF-8?Q?";
      used = 0;
    }
    out += encoded;
    used += encoded.size();
  }
  return out + "?=";
}

bool is_plain_text(std::string_view text) {
  return text.size() <= k_max_plain_header && text.find("=?") == text.npos &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }) &&
         !text.starts_with(' ') && !text.ends_with(' ');
}

std::string header_text(std::string_view text) {
  return is_plain_text(text) ? std::string(text) : encoded_words(text);
}

// A display name: a quoted string, or encoded words.
std::string header_phrase(std::string_view text) {
  const bool quotable = is_plain_text(text) && text.find_first_of("\"\\") == text.npos;
  return quotable ? '"' + std::string(text) + '"' : encoded_words(text);
}

std::string mail_date(TimePoint time) {
  constexpr const char* k_days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* k_months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Millis> clock(time - day);
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", k_days[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), k_months[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

// One line of text in quoted-printable, without its end (RFC 2045 section 6.7).
void append_quoted_line(std::string& out, std::string_view line) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool last = i + 1 == line.size();
    const bool literal = (c > 0x20 && c < 0x7f && c != '=') || (c == ' ' && !last);
    const std::size_t size = literal ? 1 : 3;
    if (used + size + (last ? 0 : 1) > k_max_body_line) {
      out += "=\r\n";
      used = 0;
    }
    if (literal) {
      out += c;
    } else {
      append_hex(out, c);
    }
    used += size;
  }
}

// A part of the mail, or all of it: its headers, then the text.
void append_text(std::string& out, std::string_view subtype, std::string_view text) {
  out.append("Content-Type: text/").append(subtype).append("; charset=utf-8\r\n");
  out += "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_quoted_line(out, text.substr(0, end));
    out += "\r\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Result<void> check_parts(const MailParts& parts) {
  const auto bad = [](std::string_view part) {
    return fail(Failure::invalid, fmt::format("mail: {} cannot stand in a header", part));
  };
  if (!is_plain_address(parts.from_address)) return bad("from");
  if (!is_plain_address(parts.to_address)) return bad("to");
  if (has_control(parts.from_name)) return bad("from_name");
  if (has_control(parts.subject)) return bad("subject");
  const bool plain_id = !parts.id.empty() && std::ranges::all_of(parts.id, [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  });
  if (!plain_id) return bad("id");
  return {};
}

std::string mail_headers(const MailParts& parts) {
  std::string from = parts.from_name.empty() ? "" : header_phrase(parts.from_name) + "\r\n ";
  const std::string_view domain = parts.from_address.substr(parts.from_address.rfind('@'));
  return fmt::format(
      "From: {}<{}>\r\n"
      "To: <{}>\r\n"
      "Subject: {}\r\n"
      "Date: {}\r\n"
      "Message-ID: <{}{}>\r\n"
      "Auto-Submitted: auto-generated\r\n"
      "MIME-Version: 1.0\r\n",
      from, parts.from_address, parts.to_address, header_text(parts.subject), mail_date(parts.date),
      parts.id, domain);
}

}  // namespace

bool is_plain_address(std::string_view text) {
  constexpr std::string_view k_atom_signs = "!#$%&'*+-/=?^_`{|}~.";
  const std::size_t at = text.find('@');
  if (at == text.npos || at == 0 || at > 64 || text.size() > k_max_address_bytes) return false;
  const std::string_view domain = text.substr(at + 1);
  const auto in_local = [&](char c) {
    return is_letter_or_digit(c) || k_atom_signs.find(c) != k_atom_signs.npos;
  };
  const auto in_domain = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; };
  return !domain.empty() && is_letter_or_digit(domain.front()) &&
         is_letter_or_digit(domain.back()) && std::ranges::all_of(text.substr(0, at), in_local) &&
         std::ranges::all_of(domain, in_domain);
}

Result<Secret> make_mail(const MailParts& parts) {
  if (auto ok = check_parts(parts); !ok) return std::unexpected(ok.error());
  std::string headers = mail_headers(parts);
  std::string out;
  // Growing would leave copies behind: three bytes for one, and soft line breaks.
  out.reserve(headers.size() + 4 * (parts.text.size() + parts.html.size()) + k_mail_frame_bytes);
  out += headers;
  wipe(headers);
  if (parts.html.empty()) {
    append_text(out, "plain", parts.text);
    return Secret(std::move(out));
  }
  // No quoted-printable text has "=_" in it.
  const std::string boundary = "=_" + std::string(parts.id.substr(0, k_max_boundary_bytes));
  out += "Content-Type: multipart/alternative;\r\n boundary=\"" + boundary + "\"\r\n\r\n";
  out += "--" + boundary + "\r\n";
  append_text(out, "plain", parts.text);
  out += "--" + boundary + "\r\n";
  append_text(out, "html", parts.html);
  out += "--" + boundary + "--\r\n";
  return Secret(std::move(out));
}

}  // namespace otpd::providers
