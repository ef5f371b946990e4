// Client: outgoing HTTP and SMTP through libcurl's multi interface, on one event loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"
#include "net/http_message.h"

namespace otpd::net {

struct HttpCall {
  std::string method = "POST";
  std::string url;           // http or https; redirects are not followed
  Headers headers;
  std::string user;          // HTTP Basic, with `password`; empty: none
  std::string_view password; // must outlive the call
  std::string_view body;     // must outlive the call
  Millis connect_timeout{3'000};
  Millis timeout{8'000};     // for the whole call
  std::size_t max_answer_bytes = 64 * 1024;  // a longer answer fails the call
};

struct HttpAnswer {
  int status = 0;
  Headers headers;
  std::string body;
};

struct MailCall {
  std::string url;           // smtp://host:port or smtps://host:port
  bool require_tls = false;  // STARTTLS or fail
  std::string user;          // AUTH, with `password`; empty: none
  std::string_view password;
  std::string from;          // envelope
  std::string_view to;       // envelope
  std::string_view message;  // RFC 5322, CRLF line ends
  Millis connect_timeout{3'000};
  Millis timeout{8'000};
};

struct MailAnswer {
  int status = 0;            // the last SMTP reply code: 250, 451, 550, …
  std::string reply;         // its line, e.g. "250 queued as 1"
};

// Keeps connections alive between calls. To be created, used and destroyed on (or after the end
// of) its loop.
class Client {
 public:
  explicit Client(boost::asio::io_context& loop);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The answer, whatever its status; or Failure::timeout, Failure::unavailable (with libcurl's
  // words: no connection, TLS, reset, garbage) or Failure::invalid (answer too long).
  Task<Result<HttpAnswer>> http(const HttpCall& call);

  // The server's final reply, also when it refused; failures as above.
  Task<Result<MailAnswer>> mail(const MailCall& call);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace otpd::net
