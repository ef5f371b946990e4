#include "providers/mail_html.h"

#include <algorithm>
#include <string>

#include "providers/callback_body.h"
#include "providers/xml_text.h"

namespace otpd::providers {
namespace {

constexpr std::size_t k_max_lang_bytes = 35;
constexpr std::string_view k_html_open =
    "<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n</head>\n"
    "<body style=\"margin:0;padding:24px;font:16px/1.5 sans-serif\">\n<p>";
constexpr std::string_view k_html_close = "</p>\n</body>\n</html>\n";
constexpr std::string_view k_code_open =
    "<strong style=\"font-size:32px;letter-spacing:4px;-webkit-user-select:all;user-select:all\">";
constexpr std::string_view k_code_close = "</strong>";
constexpr std::string_view k_link_open = "<a href=\"";
constexpr std::string_view k_link_middle = "\">";
constexpr std::string_view k_link_close = "</a>";

// The part of the text with the code made large.
void append_with_code(std::string& out, std::string_view text, std::string_view code) {
  while (!code.empty()) {
    const std::size_t at = text.find(code);
    if (at == text.npos) break;
    append_xml_escaped(out, text.substr(0, at));
    out += k_code_open;
    append_xml_escaped(out, code);
    out += k_code_close;
    text.remove_prefix(at + code.size());
  }
  append_xml_escaped(out, text);
}

void append_html_line(std::string& out, std::string_view line, std::string_view code) {
  const std::size_t space = line.rfind(' ');
  const std::string_view last = line.substr(space == line.npos ? 0 : space + 1);
  if (!last.starts_with("https://") && !last.starts_with("http://")) {
    append_with_code(out, line, code);
    return;
  }
  append_with_code(out, line.substr(0, line.size() - last.size()), code);
  out += k_link_open;
  append_xml_escaped(out, last);
  out += k_link_middle;
  append_xml_escaped(out, last);
  out += k_link_close;
}

// No HTML of this text is longer.
std::size_t html_bound(std::string_view text, std::string_view code) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  const std::size_t codes = code.empty() ? 0 : text.size() / code.size();
  const std::size_t link = k_link_open.size() + k_link_middle.size() + k_link_close.size();
  return k_html_open.size() + k_html_close.size() + 2 * k_max_lang_bytes +
         2 * xml_escaped_bound(text) + codes * (k_code_open.size() + k_code_close.size()) +
         lines * (link + 16);
}

}  // namespace

Secret make_mail_html(std::string_view text, std::string_view code, std::string_view locale) {
  std::string out;
  out.reserve(html_bound(text, code));  // growing would leave copies behind
  out += "<!DOCTYPE html>\n<html";
  if (is_token(locale, k_max_lang_bytes, "-")) out.append(" lang=\"").append(locale).append("\"");
  out += ">\n";
  out += k_html_open;
  while (text.ends_with('\n')) text.remove_suffix(1);
  bool fresh = true;  // nothing in this paragraph yet
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) {
      if (!fresh) out += "</p>\n<p>";
      fresh = true;
      continue;
    }
    if (!std::exchange(fresh, false)) out += "<br>\n";
    append_html_line(out, line, code);
  }
  out += k_html_close;
  return Secret(std::move(out));
}

}  // namespace otpd::providers
