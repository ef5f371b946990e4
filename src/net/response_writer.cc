#include "net/response_writer.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

#include "base/clock.h"

namespace otpd::net {
namespace {

// The Date header's line, made once a second.
std::string_view date_line() {
  thread_local std::time_t made_at = 0;
  thread_local std::array<char, 64> text{};
  thread_local std::size_t size = 0;
  const std::time_t now = std::chrono::system_clock::to_time_t(SystemClock().now());
  if (now != made_at) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    made_at = now;
  }
  return {text.data(), size};
}

bool can_be_sent(std::string_view name, std::string_view value) {
  return !name.empty() && name.find_first_of(": \t") == name.npos && !has_control(name) &&
         !has_control(value);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  if (can_be_sent(name, value)) out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

void append_response(std::string& out, const HttpResponse& response, ResponseFrame frame) {
  const bool bodiless = response.status == 204 || response.status == 304;
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  out.append(date_line());
  if (!bodiless) {
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  }
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  if (frame.close) out.append("Connection: close\r\n");
  if (frame.keep_alive && !frame.close) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
  if (!bodiless && !frame.head_only) out.append(response.body);
}

}  // namespace otpd::net
