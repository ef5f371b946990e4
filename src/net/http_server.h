// HttpServer: HTTP/1.1 on Boost.Beast, plain or TLS, with a limit on everything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "net/event_loops.h"
#include "net/http_message.h"
#include "net/request_gist.h"

namespace otpd::net {

struct HttpServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;            // 0: any free port
  std::string tls_certificate_file;  // PEM chain; empty: plain HTTP
  std::string tls_key_file;          // PEM
  std::size_t max_header_bytes = 8 * 1024;
  std::size_t max_body_bytes = 16 * 1024;
  std::size_t max_connections = 10'000;  // more are closed at once
  Millis header_timeout{5'000};          // from the first byte (or TLS hello) to the end of headers
  Millis body_timeout{5'000};            // from the headers to the end of the body
  Millis idle_timeout{60'000};           // between requests of one connection
  Millis request_timeout{10'000};        // for the handler; then the client gets 503
  Millis write_timeout{10'000};
};

// Answers one request. Runs on the connection's loop; must not block. A handler that throws is a
// bug: the client gets 500 and the message goes to the log.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

// The body of an answer that the server itself must give: 400 malformed, 408, 413, 414, 417, 431,
// 500, 501, 503, 505. `reason` says what was wrong, `request` what is known of what was asked. So
// that all errors of one service look the same.
using HttpErrorPage =
    std::function<HttpResponse(int status, std::string_view reason, const RequestGist& request)>;

class HttpServer {
 public:
  // Binds and listens on every loop (SO_REUSEPORT), so that the kernel spreads connections.
  // Fails with the address, the port and the system's reason.
  static Result<std::unique_ptr<HttpServer>> listen(EventLoops& loops, HttpServerConfig config,
                                                    HttpHandler handler, HttpErrorPage error_page);
  // Ends all connections at once. Requests in progress run on with nobody to answer: stop the
  // loops before what the handler uses goes away.
  virtual ~HttpServer() = default;

  // The port that it listens on.
  virtual std::uint16_t port() const = 0;
  // Open connections.
  virtual std::size_t connections() const = 0;

  // Stops accepting, lets the requests in progress end (each answered with Connection: close),
  // closes idle connections, and returns when none is left or after `limit`. Blocks the caller;
  // not to be called on a loop.
  virtual void drain(Millis limit) = 0;
};

}  // namespace otpd::net
