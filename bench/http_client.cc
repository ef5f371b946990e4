#include "http_client.h"

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace otpd::bench {
namespace {

constexpr std::size_t k_read_bytes = 16 * 1024;
constexpr std::size_t k_max_answer_bytes = 4 * 1024 * 1024;

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// The value of a field in the header block, or empty.
std::string_view field(std::string_view header, std::string_view name) {
  for (auto at = header.find("\r\n"); at != header.npos; at = header.find("\r\n", at)) {
    at += 2;
    const std::string_view line = header.substr(at, header.find("\r\n", at) - at);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!same_letters(line.substr(0, name.size()), name)) continue;
    const auto value = line.find_first_not_of(' ', name.size() + 1);
    return value == line.npos ? std::string_view() : line.substr(value);
  }
  return {};
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Error broken(const char* doing, const boost::system::error_code& error) {
  return {Failure::unavailable, std::string(doing) + ": " + error.message()};
}

}  // namespace

std::string make_request(std::string_view method, std::string_view target, std::string_view headers,
                         std::string_view body) {
  std::string request;
  request.reserve(160 + target.size() + headers.size() + body.size());
  request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  request.append(headers);
  if (!body.empty()) {
    request.append("Content-Type: application/json\r\nContent-Length: ");
    request.append(std::to_string(body.size())).append("\r\n");
  }
  return request.append("\r\n").append(body);
}

Result<std::size_t> parse_answer(std::string_view bytes, Answer& answer, bool& closes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) return std::size_t{0};
  const std::string_view header = bytes.substr(0, end + 2);
  if (!header.starts_with("HTTP/1.") || !read_number(header.substr(9, 3), answer.status)) {
    return fail(Failure::corrupt, "an answer without a status");
  }
  std::size_t length = 0;
  const std::string_view given = field(header, "Content-Length");
  const bool none = answer.status == 204 || answer.status == 304;
  if (given.empty() ? !none : !read_number(given, length)) {
    return fail(Failure::corrupt, "an answer without a length");
  }
  if (bytes.size() < end + 4 + length) return std::size_t{0};
  closes = same_letters(field(header, "Connection"), "close");
  answer.body = bytes.substr(end + 4, length);
  return end + 4 + length;
}

HttpConnection::HttpConnection(Executor executor, std::uint16_t port)
    : socket_(executor), endpoint_(boost::asio::ip::address_v4::loopback(), port) {}

void HttpConnection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  received_.clear();
}

Task<Result<Answer>> HttpConnection::call(std::string_view request) {
  if (!socket_.is_open()) {
    auto connected = co_await connect();
    if (!connected) {
      close();
      co_return std::unexpected(connected.error());
    }
  }
  auto answer = co_await exchange(request);
  if (!answer) close();
  co_return answer;
}

Task<Result<void>> HttpConnection::connect() {
  boost::system::error_code error;
  co_await socket_.async_connect(endpoint_, boost::asio::redirect_error(use_task, error));
  if (error) co_return std::unexpected(broken("connecting", error));
  socket_.set_option(Tcp::no_delay(true), error);
  co_return Result<void>{};
}

Task<Result<Answer>> HttpConnection::exchange(std::string_view request) {
  boost::system::error_code error;
  co_await boost::asio::async_write(socket_, boost::asio::buffer(request.data(), request.size()),
                                    boost::asio::redirect_error(use_task, error));
  if (error) co_return std::unexpected(broken("writing", error));
  Answer answer;
  std::array<char, k_read_bytes> part;
  for (;;) {
    const std::size_t got = co_await socket_.async_read_some(
        boost::asio::buffer(part), boost::asio::redirect_error(use_task, error));
    if (error) co_return std::unexpected(broken("reading", error));
    received_.append(part.data(), got);
    bool closes = false;
    const auto used = parse_answer(received_, answer, closes);
    if (!used) co_return std::unexpected(used.error());
    if (*used == 0 && received_.size() <= k_max_answer_bytes) continue;
    if (*used == 0) co_return fail(Failure::corrupt, "an endless answer");
    received_.erase(0, *used);
    if (closes) close();
    co_return answer;
  }
}

}  // namespace otpd::bench
