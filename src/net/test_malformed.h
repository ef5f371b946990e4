// Requests that a server must refuse, each with the status that says why.
#pragma once

#include <string>
#include <vector>

namespace otpd::net {

// The limits for which the statuses hold.
inline constexpr std::size_t k_malformed_header_bytes = 1024;
inline constexpr std::size_t k_malformed_body_bytes = 64;

struct Malformed {
  std::string bytes;
  int status;
};

inline std::vector<Malformed> malformed_requests() {
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const auto nul = [](std::string text) {
    for (char& c : text) c = c == '@' ? '\0' : c;
    return text;
  };
  return {
      {get + "\r\n", 400},  // no Host
      {get + "Host: a\r\nHost: a\r\n\r\n", 400},
      {get + "Host: a b\r\n\r\n", 400},
      {post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 400},
      {post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", 400},
      {post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n", 400},
      {post + "Content-Length: 2, 2\r\n\r\n", 400},
      {post + "Content-Length: +2\r\n\r\n", 400},
      {post + "Content-Length: -2\r\n\r\n", 400},
      {post + "Content-Length: 0x2\r\n\r\n", 400},
      {post + "Content-Length:\r\n\r\n", 400},
      {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {post + "Content-Length: 65\r\n\r\n", 413},
      {post + "Content-Length: 18446744073709551615\r\n\r\n", 413},
      {post + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n41\r\nabc", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\n40\r\n" + std::string(64, 'x') + "\r\n1\r\na\r\n",
       413},
      {post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(4000, 'x'), 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(4000, 'x'), 400},
      {post + "Expect: 200-ok\r\n\r\n", 417},
      {nul("GET / HTTP/1.1\r\nHost: a\r\nX: a@b\r\n\r\n"), 400},
      {nul("GET / HTTP/1.1\r\nHost: a\r\nX@: a\r\n\r\n"), 400},
      {nul("GET /@ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
      {nul("@@@@ HTTP/1.1\r\n\r\n"), 400},
      {get + "Host: a\r\nX: a\x01"
             "b\r\n\r\n",
       400},
      {get + "Host: a\r\nX: a\x7f"
             "b\r\n\r\n",
       400},
      {get + "Host: a\r\nX: a\rb\r\n\r\n", 400},
      {get + "Host: a\r\nX: a\nb: c\r\n\r\n", 400},
      {get + "Host: a\r\nX : a\r\n\r\n", 400},
      {get + "Host: a\r\n: a\r\n\r\n", 400},
      {get + "Host: a\r\nno colon\r\n\r\n", 400},
      {get + " Host: a\r\n\r\n", 400},
      {get + "Host: a\r\nX: a\r\n folded\r\n\r\n", 400},
      {get + "Host: a\r\nContent-Length: 1\r\n 0\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/11\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\r\nHost: a\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"(GET) / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {" / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET otp HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /" + std::string(2000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {get + "Host: a\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(900, 'x') + " HTTP/1.1\r\nHost: a\r\nX: " + std::string(900, 'x') +
           "\r\n\r\n",
       431},
      {nul("\x16\x03\x01\x02@\x01@\x01\xfc\x03\x03 TLS to a plain port\r\n\r\n"), 400},
      {"\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"EHLO mail.example\r\nMAIL FROM:<a@b>\r\n\r\n", 400},
      {std::string(5000, '\xff'), 400},
  };
}

}  // namespace otpd::net
