// What an HTTP handler sees and answers, free of any HTTP library's types.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpd::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Whether two header names (or other tokens of HTTP) are the same, which ignores case.
bool same_name(std::string_view a, std::string_view b);
// Whether the text has bytes (control characters other than a tab) that could end a line.
bool has_control(std::string_view text);
// The value of the first header of that name (compared without case), or empty.
std::string_view find_header(const Headers& headers, std::string_view name);
// How many headers of that name there are.
std::size_t count_headers(const Headers& headers, std::string_view name);

struct HttpRequest {
  std::string method;  // as sent, e.g. "POST"
  std::string path;    // the target before '?', not percent-decoded
  std::string query;   // after '?', or empty
  Headers headers;
  std::string body;
  std::string peer;  // the socket peer's address, textual; IPv4-mapped IPv6 as plain IPv4
};

struct HttpResponse {
  static constexpr int k_reset = -1;

  // For doubles that play faults, 0: the connection ends without an answer; k_reset: it is reset.
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;  // besides Content-Type, Content-Length, Connection and Date
};

}  // namespace otpd::net
