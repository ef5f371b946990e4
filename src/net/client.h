// Client: outgoing HTTP and SMTP through libcurl's multi interface, on one event loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"
#include "net/http_message.h"

namespace otpd::net {

struct HttpCall {
  std::string method = "POST";
  std::string url;            // http or https; redirects are not followed
  Headers headers;            // control bytes in them make the call Failure::invalid
  std::string user;           // HTTP Basic, with `password`; empty: none
  std::string_view password;  // must outlive the call
  // "aws:amz:REGION:SERVICE": `user` and `password` are an access key that signs the request (AWS
  // Signature Version 4) instead of going out. Give a Content-Type, too.
  std::string sigv4;
  std::string_view body;  // must outlive the call
  Millis connect_timeout{3'000};
  Millis timeout{8'000};                     // for the whole call
  std::size_t max_answer_bytes = 64 * 1024;  // a longer answer fails the call
  // Fails the call (Failure::invalid) before anything is sent unless the address that it goes to is
  // public (public_address.h): looked at after the name was resolved, at every connection, also a
  // kept one. Of a proxy, it is the proxy's address.
  bool public_only = false;
};

struct HttpAnswer {
  int status = 0;
  Headers headers;
  std::string body;
};

struct MailCall {
  std::string url;           // smtp://host:port or smtps://host:port, then /name-for-EHLO if wanted
  bool require_tls = false;  // STARTTLS or fail; otherwise it is used where it is offered
  std::string ca_file;       // PEM of the authorities to trust; empty: those of the client
  std::string user;          // AUTH, with `password`; empty: none
  std::string_view password;
  std::string from;          // envelope
  std::string_view to;       // envelope
  std::string_view message;  // RFC 5322, CRLF line ends
  Millis connect_timeout{3'000};
  Millis timeout{8'000};
};

struct MailAnswer {
  int status = 0;     // the last SMTP reply code: 250, 451, 550, …
  std::string reply;  // its line, e.g. "250 queued as 1"; may repeat the address: never log
};

struct ClientConfig {
  std::string ca_file;  // PEM of the authorities to trust; empty: the system's
  std::string proxy;    // e.g. http://proxy.example:3128; empty: none, whatever the environment
  long max_connections = 512;    // kept alive between calls
  std::size_t mail_threads = 8;  // mails on their way at once
};

// Keeps connections alive between calls, and always verifies certificates. To be created, used
// and destroyed on (or after the end of) its loop. A call over a kept connection that the server
// closed before its first byte of answer is repeated once on a new connection.
class Client {
 public:
  explicit Client(boost::asio::io_context& loop, ClientConfig config = {});
  // Calls in flight end with Failure::unavailable.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The answer, whatever its status; or Failure::timeout, Failure::unavailable (with libcurl's
  // words: no connection, TLS, reset, garbage) or Failure::invalid (answer too long, unusable
  // URL or header). `call` must live until the answer.
  Task<Result<HttpAnswer>> http(const HttpCall& call);

  // The server's final reply, also when it refused; failures as above, or Failure::overloaded when
  // too many mails wait for a thread: libcurl's SMTP blocks, so mails have threads of their own.
  Task<Result<MailAnswer>> mail(const MailCall& call);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace otpd::net
