#include "net/link.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>
#include <vector>

#include "net/connection_set.h"

namespace otpd::net {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using LinkSocket = asio::basic_stream_socket<Tcp, Executor>;
using LinkResolver = asio::ip::basic_resolver<Tcp, Executor>;
using Endpoints = std::vector<Tcp::endpoint>;

std::unexpected<Error> link_failure(const char* what, const ErrorCode& ec) {
  return fail(Failure::unavailable, std::string(what) + ": " + ec.message());
}

template <class Stream>
class StreamLink final : public Link {
 public:
  static constexpr bool k_tls = !std::is_same_v<Stream, LinkSocket>;

  template <class... Args>
  explicit StreamLink(std::shared_ptr<ssl::context> context, Args&&... args)
      : context_(std::move(context)), stream_(std::forward<Args>(args)...) {}
  ~StreamLink() override { close(); }

  Stream& stream() { return stream_; }
  LinkSocket& socket() {
    if constexpr (k_tls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  Task<Result<std::size_t>> read_some(asio::mutable_buffer room) override {
    ErrorCode ec;
    const std::size_t count =
        co_await stream_.async_read_some(room, asio::redirect_error(use_task, ec));
    if (ec) co_return link_failure("read", ec);
    co_return count;
  }
  Task<Result<void>> write(std::string_view bytes) override {
    ErrorCode ec;
    co_await asio::async_write(stream_, asio::buffer(bytes), asio::redirect_error(use_task, ec));
    if (ec) co_return link_failure("write", ec);
    co_return Result<void>{};
  }
  void write_now(std::string_view bytes) override {
    ErrorCode ec;
    if (!socket().is_open()) return;
    socket().non_blocking(true, ec);
    if (!ec) stream_.write_some(asio::buffer(bytes), ec);
  }
  void close() override {
    ErrorCode ignored;
    socket().close(ignored);
  }

 private:
  std::shared_ptr<ssl::context> context_;  // of TLS; outlives the stream
  Stream stream_;
};

using PlainLink = StreamLink<LinkSocket>;
using TlsLink = StreamLink<ssl::stream<LinkSocket>>;

Result<std::shared_ptr<ssl::context>> make_client_context(const std::string& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  ErrorCode ec;
  context->set_verify_mode(ssl::verify_peer, ec);
  if (ca_file.empty()) {
    context->set_default_verify_paths(ec);
  } else {
    context->load_verify_file(ca_file, ec);
  }
  if (ec) return fail(Failure::invalid, ca_file + ": " + ec.message());
  return context;
}

Task<Result<Endpoints>> resolve(const LinkTarget& target, Millis timeout) {
  ErrorCode ec;
  const auto address = asio::ip::make_address(target.host, ec);
  if (!ec) co_return Endpoints{{address, target.port}};
  auto resolver = std::make_shared<LinkResolver>(co_await this_executor());
  co_return co_await await_callback<Endpoints>(timeout, [&](Callback<Result<Endpoints>> done) {
    resolver->async_resolve(target.host, std::to_string(target.port),
                            [resolver, done = std::move(done)](
                                ErrorCode failed, LinkResolver::results_type found) mutable {
                              if (failed) return done(link_failure("resolve", failed));
                              done(Endpoints(found.begin(), found.end()));
                            });
  });
}

// Connects the socket of `link`, which is closed if that takes too long.
template <class L>
Task<Result<bool>> connect_socket(std::shared_ptr<L> link, const Endpoints& endpoints,
                                  Millis timeout) {
  auto connected = co_await await_callback<bool>(timeout, [&](Callback<Result<bool>> done) {
    auto where = std::make_shared<Endpoints>(endpoints);
    asio::async_connect(
        link->socket(), where->begin(), where->end(),
        [link, where, done = std::move(done)](ErrorCode failed, const auto&) mutable {
          if (failed) return done(link_failure("connect", failed));
          done(true);
        });
  });
  ErrorCode ignored;
  if (connected) link->socket().set_option(Tcp::no_delay(true), ignored);
  if (!connected) link->close();
  co_return connected;
}

Task<Result<bool>> shake_hands(std::shared_ptr<TlsLink> link, const std::string& host,
                               Millis timeout) {
  ErrorCode ec;
  link->stream().set_verify_callback(ssl::host_name_verification(host), ec);
  ErrorCode is_name;  // RFC 6066 section 3: no addresses
  (void)asio::ip::make_address(host, is_name);
  if (is_name) SSL_set_tlsext_host_name(link->stream().native_handle(), host.c_str());
  auto shaken = co_await await_callback<bool>(timeout, [&](Callback<Result<bool>> done) {
    link->stream().async_handshake(ssl::stream_base::client,
                                   [link, done = std::move(done)](ErrorCode failed) mutable {
                                     if (failed) return done(link_failure("TLS", failed));
                                     done(true);
                                   });
  });
  if (!shaken) link->close();
  co_return shaken;
}

Millis time_left(Steady::time_point deadline) {
  return std::max(Millis(1), std::chrono::duration_cast<Millis>(deadline - Steady::now()));
}

}  // namespace

Task<Result<std::shared_ptr<Link>>> connect_link(LinkTarget target, Millis timeout) {
  const Steady::time_point deadline = Steady::now() + timeout;
  const Executor loop = co_await this_executor();
  const auto endpoints = co_await resolve(target, timeout);
  if (!endpoints) co_return std::unexpected(endpoints.error());
  if (!target.tls) {
    auto link = std::make_shared<PlainLink>(nullptr, loop);
    const auto connected = co_await connect_socket(link, *endpoints, time_left(deadline));
    if (!connected) co_return std::unexpected(connected.error());
    co_return link;
  }
  const auto context = make_client_context(target.ca_file);
  if (!context) co_return std::unexpected(context.error());
  auto link = std::make_shared<TlsLink>(*context, loop, **context);
  const auto connected = co_await connect_socket(link, *endpoints, time_left(deadline));
  if (!connected) co_return std::unexpected(connected.error());
  const auto shaken = co_await shake_hands(link, target.host, time_left(deadline));
  if (!shaken) co_return std::unexpected(shaken.error());
  co_return link;
}

}  // namespace otpd::net
