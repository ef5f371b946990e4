#include "net/request_gist.h"

namespace otpd::net {
namespace {

constexpr std::string_view k_line_end = "\r\n";

// The next line without its end; nothing that is not ended counts.
std::string_view gist_line(std::string_view& text) {
  const auto end = text.find(k_line_end);
  if (end == text.npos) return text = {};
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + k_line_end.size());
  return line;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Of "POST /otp/send?a=b HTTP/1.1".
std::string_view path_in(std::string_view line) {
  const auto begin = line.find(" /");
  if (begin == line.npos) return {};
  line.remove_prefix(begin + 1);
  return line.substr(0, line.find_first_of(" ?"));
}

}  // namespace

RequestGist gist_of(const HttpRequest& request) {
  const bool once = count_headers(request.headers, "Origin") == 1;
  return {request.path, std::string(once ? find_header(request.headers, "Origin") : "")};
}

RequestGist gist_of_head(std::string_view head) {
  HttpRequest known;
  known.path = path_in(gist_line(head));
  while (!head.empty()) {
    const std::string_view line = gist_line(head);
    const auto colon = line.find(':');
    if (colon == line.npos) break;
    if (!same_name(line.substr(0, colon), "Origin")) continue;
    known.headers.emplace_back("Origin", trimmed(line.substr(colon + 1)));
  }
  return gist_of(known);
}

}  // namespace otpd::net
