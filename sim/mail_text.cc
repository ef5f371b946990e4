#include "mail_text.h"

#include <algorithm>
#include <optional>

#include "net/http_message.h"
#include "text_codec.h"

namespace otpd::sim {
namespace {

constexpr int k_max_depth = 5;
constexpr std::size_t k_max_parts = 50;

struct Part {
  net::Headers headers;
  std::string_view body;
};

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

Part split(std::string_view message) {
  Part part;
  while (!message.empty()) {
    const std::string_view line = next_line(message);
    if (line.empty()) break;
    const bool is_folded = line.starts_with(' ') || line.starts_with('\t');
    if (is_folded && !part.headers.empty()) {
      part.headers.back().second.append(" ").append(trim(line));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) continue;
    part.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  part.body = message;
  return part;
}

// One encoded word, =?charset?B or Q?text?=, at the front of `text`, which is then removed.
std::optional<std::string> take_encoded_word(std::string_view& text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == text.npos || charset_end + 2 >= text.size()) return std::nullopt;
  const char encoding = text[charset_end + 1];
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find("?=", begin);
  if (text[charset_end + 2] != '?' || end == text.npos) return std::nullopt;
  const std::string_view word = text.substr(begin, end - begin);
  const bool is_base64 = encoding == 'B' || encoding == 'b';
  if (!is_base64 && encoding != 'Q' && encoding != 'q') return std::nullopt;
  text.remove_prefix(end + 2);
  return is_base64 ? base64_decode(word) : quoted_printable_decode(word, true);
}

std::string decode_header(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (auto word = take_encoded_word(text)) {
      out += *word;
      // White space between two encoded words is only there to fold the line.
      const std::size_t next = text.find_first_not_of(" \t");
      if (next != text.npos && text.substr(next).starts_with("=?")) text.remove_prefix(next);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string boundary_of(std::string_view content_type) {
  std::size_t at = 0;
  while ((at = content_type.find(';', at)) != content_type.npos) {
    const std::string_view parameter = trim(content_type.substr(++at));
    if (parameter.size() < 9 || !net::same_name(parameter.substr(0, 9), "boundary=")) continue;
    const std::string_view value = parameter.substr(9);
    if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
    return std::string(trim(value.substr(0, value.find(';'))));
  }
  return {};
}

std::string decode_body(const Part& part) {
  const std::string_view encoding =
      trim(net::find_header(part.headers, "Content-Transfer-Encoding"));
  std::string text = net::same_name(encoding, "base64") ? base64_decode(part.body)
                     : net::same_name(encoding, "quoted-printable")
                         ? quoted_printable_decode(part.body)
                         : std::string(part.body);
  std::erase(text, '\r');
  return text;
}

bool has_type(std::string_view content_type, std::string_view wanted) {
  return content_type.size() >= wanted.size() &&
         net::same_name(content_type.substr(0, wanted.size()), wanted);
}

// Keeps the first plain text it meets in `plain`, and the first text of any kind in `any`.
void find_text(const Part& part, int depth, std::optional<std::string>& plain,
               std::optional<std::string>& any) {
  const std::string_view type = net::find_header(part.headers, "Content-Type");
  const std::string boundary = has_type(type, "multipart/") ? boundary_of(type) : "";
  if (boundary.empty() || depth == k_max_depth) {
    const bool is_plain = type.empty() || has_type(type, "text/plain");
    if (!any) any = decode_body(part);
    if (!plain && is_plain) plain = decode_body(part);
    return;
  }
  const std::string mark = "--" + boundary;
  std::size_t begin = part.body.find(mark);
  for (std::size_t count = 0; count < k_max_parts && begin != part.body.npos && !plain; ++count) {
    std::string_view rest = part.body.substr(begin + mark.size());
    if (rest.starts_with("--")) return;
    next_line(rest);
    const std::size_t length = rest.find("\n" + mark);
    find_text(split(rest.substr(0, length)), depth + 1, plain, any);
    begin = length == rest.npos ? rest.npos : part.body.size() - rest.size() + length + 1;
  }
}

}  // namespace

MailText read_mail(std::string_view message) {
  const Part mail = split(message);
  std::optional<std::string> plain;
  std::optional<std::string> any;
  find_text(mail, 0, plain, any);
  std::string text = plain ? std::move(*plain) : any.value_or("");
  while (text.ends_with('\n')) text.pop_back();
  return {.from = decode_header(net::find_header(mail.headers, "From")),
          .subject = decode_header(net::find_header(mail.headers, "Subject")),
          .text = std::move(text)};
}

}  // namespace otpd::sim
