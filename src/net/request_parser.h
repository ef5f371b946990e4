// RequestParser: bytes of a connection -> HttpRequest, strictly (RFC 9112), within limits.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "net/http_message.h"

namespace otpd::net {

struct RequestLimits {
  std::size_t header_bytes = 8 * 1024;  // request line and header section
  std::size_t body_bytes = 16 * 1024;
};

// For one thread. Call `start` before each request; a pipelined request begins where the one
// before ended.
class RequestParser {
 public:
  enum class State {
    header,   // more bytes are needed to know the headers
    body,     // the headers are known, the body is not complete
    done,     // the request is complete
    refused,  // answer with `refusal()` and close: what follows cannot be understood
  };
  struct Refusal {
    int status = 400;
    std::string_view reason;  // static text
  };

  explicit RequestParser(RequestLimits limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Forgets the last request.
  void start();

  // Consumes what it can from the front of `bytes` and returns how many; the caller offers the
  // rest again, with more behind it. Offering more than `max_pending()` is never needed.
  std::size_t feed(std::string_view bytes);
  std::size_t max_pending() const;

  State state() const;
  const Refusal& refusal() const;
  // Whether the client waits for "100 Continue" before it sends the body. Valid in State::body.
  bool expects_continue() const;
  // Whether the client wants the connection to stay. Valid in State::body and State::done.
  bool keep_alive() const;
  // Whether the request is of HTTP/1.0. Valid in State::body and State::done.
  bool is_http10() const;

  // The request as far as it has arrived and was understood, line by line; before `take`.
  const HttpRequest& request() const;

  // Hands the request over (without `peer`). Valid once in State::done.
  HttpRequest take();

 private:
  class Machine;
  RequestLimits limits_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace otpd::net
