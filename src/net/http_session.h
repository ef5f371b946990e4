// HttpSession: one connection of the HTTP server, plain or TLS. Included by http_server.cc only.
#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>

#include "base/log.h"
#include "base/task.h"
#include "net/connection_set.h"
#include "net/http_server.h"
#include "net/read_buffer.h"
#include "net/request_parser.h"
#include "net/response_writer.h"

namespace otpd::net {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TlsStream = asio::ssl::stream<TcpSocket>;

// What the connections of all loops share.
struct HttpService {
  HttpServerConfig config;
  HttpHandler handler;
  HttpErrorPage error_page;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> open{0};
  std::mutex mutex;                   // for `none_left`
  std::condition_variable none_left;  // told when a connection ends while draining

  HttpResponse make_error(int status, std::string_view reason, const RequestGist& request) const {
    try {
      return error_page(status, reason, request);
    } catch (const std::exception& e) {
      log::error("the error page threw", {{"what", e.what()}});
      HttpResponse plain;
      plain.status = status;
      plain.content_type = "text/plain";
      return plain;
    }
  }
};

// Lives as long as one of its coroutines runs.
template <class Stream>
class HttpSession final : public Connection,
                          public std::enable_shared_from_this<HttpSession<Stream>> {
 public:
  static constexpr bool k_tls = !std::is_same_v<Stream, TcpSocket>;

  HttpSession(Stream stream, std::string peer, std::shared_ptr<HttpService> service,
              std::shared_ptr<ConnectionSet> siblings)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        service_(std::move(service)),
        siblings_(std::move(siblings)),
        parser_({service_->config.max_header_bytes, service_->config.max_body_bytes}),
        buffer_(parser_.max_pending()) {
    service_->open.fetch_add(1);
    siblings_->add(*this);
  }
  ~HttpSession() override { leave(); }

  void start() {
    asio::co_spawn(
        stream_.get_executor(), [self = this->shared_from_this()] { return self->run(); },
        asio::detached);
  }

  void expire() override;
  void drain() override {
    ErrorCode ignored;
    // Bytes that already wait in the kernel are a request in progress.
    if (phase_ == Phase::idle && buffer_.empty() && socket().available(ignored) == 0) abort();
  }
  void abort() override {
    ErrorCode ignored;
    socket().close(ignored);
  }

 private:
  // Closes so that the client sees a reset.
  void reset() {
    ErrorCode ignored;
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
    abort();
  }

  enum class Phase { handshake, idle, header, body, handler, write, linger };

  // How long and how much we listen after the last answer, so that the client can read it.
  static constexpr Millis k_linger{1'000};
  static constexpr std::size_t k_linger_bytes = 1024 * 1024;
  static constexpr std::size_t k_keep_output_bytes = 64 * 1024;

  TcpSocket& socket() {
    if constexpr (k_tls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }
  void enter(Phase phase, Millis limit) {
    phase_ = phase;
    this->deadline = Steady::now() + limit;
  }

  Task<void> run();
  Task<bool> shake_hands();
  Task<bool> serve_one();
  Task<bool> read_request();
  bool feed();
  Task<bool> invite_body();
  Task<HttpResponse> call_handler(HttpRequest request);
  Task<void> refuse(int status, std::string_view reason);
  Task<void> give_up_on_handler();
  Task<bool> write(const HttpResponse& response, ResponseFrame frame);
  Task<void> linger();
  void leave();
  RequestGist what_was_asked() const;

  Stream stream_;
  std::string peer_;
  std::shared_ptr<HttpService> service_;
  std::shared_ptr<ConnectionSet> siblings_;
  RequestParser parser_;
  ReadBuffer buffer_;
  std::string output_;
  RequestGist asked_;  // of the request that the handler has
  Phase phase_ = Phase::idle;
  bool head_only_ = false;  // the request in progress is a HEAD
  bool invited_ = false;    // "100 Continue" was sent for it
  bool late_ = false;       // the client did not send its request in time
  bool abandoned_ = false;  // the handler did not answer in time
  bool left_ = false;
};

template <class Stream>
void HttpSession<Stream>::expire() {
  ErrorCode ignored;
  this->deadline = Steady::time_point::max();
  switch (phase_) {
    case Phase::header:
    case Phase::body:
      late_ = true;
      socket().cancel(ignored);
      break;
    case Phase::handler:
      abandoned_ = true;
      asio::co_spawn(
          stream_.get_executor(),
          [self = this->shared_from_this()] { return self->give_up_on_handler(); }, asio::detached);
      break;
    case Phase::handshake:
    case Phase::idle:
    case Phase::write:
    case Phase::linger:
      abort();
      break;
  }
}

template <class Stream>
Task<void> HttpSession<Stream>::run() {
  const auto self = this->shared_from_this();
  if (co_await shake_hands()) {
    while (co_await serve_one()) {
    }
  }
  if (!abandoned_) leave();
}

template <class Stream>
Task<bool> HttpSession<Stream>::shake_hands() {
  if constexpr (k_tls) {
    enter(Phase::handshake, service_->config.header_timeout);
    ErrorCode ec;
    co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(use_task, ec));
    if (ec) co_return false;
  }
  co_return true;
}

// One request and its answer. True if the connection may carry another.
template <class Stream>
Task<bool> HttpSession<Stream>::serve_one() {
  if (!co_await read_request()) co_return false;
  HttpRequest request = parser_.take();
  request.peer = peer_;
  asked_ = gist_of(request);
  head_only_ = request.method == "HEAD";
  const HttpResponse response = co_await call_handler(std::move(request));
  if (abandoned_) co_return false;
  if (response.status == HttpResponse::k_reset) reset();
  if (response.status <= 0) co_return false;
  const ResponseFrame frame{
      .close = !parser_.keep_alive() || service_->draining.load(std::memory_order_relaxed),
      .keep_alive = parser_.is_http10(),
      .head_only = head_only_};
  if (!co_await write(response, frame)) co_return false;
  if (frame.close) co_await linger();
  co_return !frame.close;
}

// True when the parser holds a whole request; otherwise the connection is done for.
template <class Stream>
Task<bool> HttpSession<Stream>::read_request() {
  parser_.start();
  asked_ = {};
  head_only_ = invited_ = false;
  enter(Phase::idle, service_->config.idle_timeout);
  for (;;) {
    if (!buffer_.empty() && feed()) break;
    if (phase_ == Phase::idle && service_->draining.load(std::memory_order_relaxed)) {
      co_await linger();
      co_return false;
    }
    if (phase_ == Phase::body && parser_.expects_continue() && !co_await invite_body()) {
      co_return false;
    }
    ErrorCode ec;
    const std::size_t count =
        co_await stream_.async_read_some(buffer_.prepare(), asio::redirect_error(use_task, ec));
    buffer_.commit(count);
    if (late_) {
      co_await refuse(408, "the request did not arrive in time");
      co_return false;
    }
    if (ec == asio::error::eof && phase_ != Phase::idle) {
      co_await refuse(400, "the request ends in the middle");
      co_return false;
    }
    if (ec) co_return false;
  }
  if (parser_.state() == RequestParser::State::done) co_return true;
  const RequestParser::Refusal refusal = parser_.refusal();
  co_await refuse(refusal.status, refusal.reason);
  co_return false;
}

// Parses what is there. True when there is nothing more to read: a request or a refusal.
template <class Stream>
bool HttpSession<Stream>::feed() {
  if (phase_ == Phase::idle) enter(Phase::header, service_->config.header_timeout);
  buffer_.consume(parser_.feed(buffer_.view()));
  const RequestParser::State state = parser_.state();
  if (state == RequestParser::State::body && phase_ == Phase::header) {
    enter(Phase::body, service_->config.body_timeout);
  }
  return state == RequestParser::State::done || state == RequestParser::State::refused;
}

template <class Stream>
Task<bool> HttpSession<Stream>::invite_body() {
  static constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (invited_) co_return true;
  invited_ = true;
  ErrorCode ec;
  co_await asio::async_write(stream_, asio::buffer(k_continue), asio::redirect_error(use_task, ec));
  co_return !ec;
}

template <class Stream>
Task<HttpResponse> HttpSession<Stream>::call_handler(HttpRequest request) {
  enter(Phase::handler, service_->config.request_timeout);
  try {
    co_return co_await service_->handler(std::move(request));
  } catch (const std::exception& e) {
    log::error("a request handler threw", {{"what", e.what()}});
  } catch (...) {
    log::error("a request handler threw");
  }
  co_return service_->make_error(500, "internal error", asked_);
}

template <class Stream>
RequestGist HttpSession<Stream>::what_was_asked() const {
  return asked_.path.empty() ? gist_of(parser_.request()) : asked_;
}

template <class Stream>
Task<void> HttpSession<Stream>::refuse(int status, std::string_view reason) {
  const HttpResponse response = service_->make_error(status, reason, what_was_asked());
  const ResponseFrame frame{.close = true, .head_only = head_only_};
  if (co_await write(response, frame)) co_await linger();
}

// Answers in the handler's place. The handler runs on; what it says is dropped.
template <class Stream>
Task<void> HttpSession<Stream>::give_up_on_handler() {
  const auto self = this->shared_from_this();
  co_await refuse(503, "the answer took too long");
  leave();
}

template <class Stream>
Task<bool> HttpSession<Stream>::write(const HttpResponse& response, ResponseFrame frame) {
  enter(Phase::write, service_->config.write_timeout);
  output_.clear();
  append_response(output_, response, frame);
  ErrorCode ec;
  co_await asio::async_write(stream_, asio::buffer(output_), asio::redirect_error(use_task, ec));
  if (output_.capacity() > k_keep_output_bytes) output_ = std::string();
  co_return !ec;
}

// Says that nothing more comes, then reads until the client has closed too: closing with unread
// bytes would make the kernel reset the connection and the client lose the answer.
template <class Stream>
Task<void> HttpSession<Stream>::linger() {
  enter(Phase::linger, k_linger);
  ErrorCode ec;
  if constexpr (k_tls) {
    co_await stream_.async_shutdown(asio::redirect_error(use_task, ec));
  }
  socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  output_.resize(16 * 1024);
  for (std::size_t total = 0; !ec && total < k_linger_bytes;) {
    total += co_await socket().async_read_some(asio::buffer(output_),
                                               asio::redirect_error(use_task, ec));
  }
}

template <class Stream>
void HttpSession<Stream>::leave() {
  if (left_) return;
  left_ = true;
  siblings_->remove(*this);
  abort();
  service_->open.fetch_sub(1);
  if (service_->draining.load()) {
    const std::lock_guard lock(service_->mutex);
    service_->none_left.notify_all();
  }
}

}  // namespace otpd::net
