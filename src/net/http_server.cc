#include "net/http_server.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <optional>
#include <vector>

#include "net/http_session.h"
#include "net/tls.h"

namespace otpd::net {
namespace {

using Tcp = asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr Millis k_accept_pause{100};  // after running out of file descriptors

std::string peer_name(const TcpSocket& socket) {
  ErrorCode ec;
  asio::ip::address address = socket.remote_endpoint(ec).address();
  if (ec) return {};
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

// Often enough that no deadline is overrun by much.
Millis watch_tick(const HttpServerConfig& config) {
  const Millis shortest = std::min({config.header_timeout, config.body_timeout, config.idle_timeout,
                                    config.request_timeout, config.write_timeout});
  return std::clamp(shortest / 10, Millis(5), Millis(250));
}

// The acceptor and the connections of one loop.
class LoopListener : public std::enable_shared_from_this<LoopListener> {
 public:
  LoopListener(asio::io_context& loop, std::shared_ptr<HttpService> service,
               std::shared_ptr<asio::ssl::context> tls)
      : executor_(loop.get_executor()),
        acceptor_(executor_),
        service_(std::move(service)),
        tls_(std::move(tls)),
        connections_(std::make_shared<ConnectionSet>(executor_, watch_tick(service_->config))) {}

  ErrorCode open(const Tcp::endpoint& endpoint) {
    ErrorCode ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(Tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.set_option(ReusePort(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    return ec;
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void start() {
    asio::co_spawn(
        executor_, [self = shared_from_this()] { return self->accept_all(); }, asio::detached);
  }
  void drain() {
    asio::post(executor_, [self = shared_from_this()] {
      ErrorCode ignored;
      self->acceptor_.close(ignored);
      self->connections_->drain_all();
    });
  }
  void abort() {
    asio::post(executor_, [self = shared_from_this()] {
      ErrorCode ignored;
      self->acceptor_.close(ignored);
      self->connections_->abort_all();
    });
  }

 private:
  Task<void> accept_all() {
    const auto self = shared_from_this();
    while (acceptor_.is_open()) {
      ErrorCode ec;
      TcpSocket socket = co_await acceptor_.async_accept(asio::redirect_error(use_task, ec));
      if (ec == asio::error::no_descriptors || ec == asio::error::no_memory ||
          ec == asio::error::no_buffer_space) {
        log::warn("cannot accept connections", {{"reason", ec.message()}});
        co_await sleep_for(k_accept_pause);
      }
      if (!ec) welcome(std::move(socket));
    }
  }

  void welcome(TcpSocket socket) {
    ErrorCode ignored;
    if (service_->open.load() >= service_->config.max_connections) return;  // closes it
    socket.set_option(Tcp::no_delay(true), ignored);
    std::string peer = peer_name(socket);
    if (tls_) {
      begin(TlsStream(std::move(socket), *tls_), std::move(peer));
    } else {
      begin(std::move(socket), std::move(peer));
    }
  }
  template <class Stream>
  void begin(Stream stream, std::string peer) {
    std::make_shared<HttpSession<Stream>>(std::move(stream), std::move(peer), service_,
                                          connections_)
        ->start();
  }

  Executor executor_;
  Acceptor acceptor_;
  std::shared_ptr<HttpService> service_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::shared_ptr<ConnectionSet> connections_;
};

class BeastServer final : public HttpServer {
 public:
  BeastServer(std::shared_ptr<HttpService> service,
              std::vector<std::shared_ptr<LoopListener>> listeners)
      : service_(std::move(service)), listeners_(std::move(listeners)) {
    for (const auto& listener : listeners_) listener->start();
  }
  ~BeastServer() override {
    for (const auto& listener : listeners_) listener->abort();
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return service_->open.load(); }

  void drain(Millis limit) override {
    service_->draining.store(true);
    for (const auto& listener : listeners_) listener->drain();
    std::unique_lock lock(service_->mutex);
    service_->none_left.wait_for(lock, limit, [&] { return service_->open.load() == 0; });
  }

 private:
  std::shared_ptr<HttpService> service_;
  std::vector<std::shared_ptr<LoopListener>> listeners_;
  std::uint16_t port_ = listeners_.front()->port();
};

// With SO_REUSEPORT two servers of one user could share a port unnoticed. A plain bind tells.
ErrorCode check_port_free(asio::io_context& loop, const Tcp::endpoint& endpoint) {
  ErrorCode ec;
  Acceptor probe(loop.get_executor());
  probe.open(endpoint.protocol(), ec);
  if (!ec) probe.set_option(Tcp::acceptor::reuse_address(true), ec);
  if (!ec) probe.bind(endpoint, ec);
  return ec;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(EventLoops& loops, HttpServerConfig config,
                                                       HttpHandler handler,
                                                       HttpErrorPage error_page) {
  const std::string where = config.address + " port " + std::to_string(config.port);
  ErrorCode ec;
  const auto address = asio::ip::make_address(config.address, ec);
  if (ec) return fail(Failure::invalid, "cannot listen on " + where + ": not an IP address");
  std::shared_ptr<asio::ssl::context> tls;
  if (!config.tls_certificate_file.empty()) {
    auto context = make_tls_context(config.tls_certificate_file, config.tls_key_file);
    if (!context) return std::unexpected(context.error());
    tls = std::make_shared<asio::ssl::context>(std::move(*context));
  }
  auto service = std::make_shared<HttpService>();
  service->config = std::move(config);
  service->handler = std::move(handler);
  service->error_page = std::move(error_page);
  Tcp::endpoint endpoint(address, service->config.port);
  ec = check_port_free(loops[0], endpoint);
  std::vector<std::shared_ptr<LoopListener>> listeners;
  for (std::size_t i = 0; i < loops.size() && !ec; ++i) {
    listeners.push_back(std::make_shared<LoopListener>(loops[i], service, tls));
    ec = listeners.back()->open(endpoint);
    if (!ec) endpoint.port(listeners.back()->port());
  }
  if (ec) return fail(Failure::unavailable, "cannot listen on " + where + ": " + ec.message());
  return std::make_unique<BeastServer>(std::move(service), std::move(listeners));
}

}  // namespace otpd::net
