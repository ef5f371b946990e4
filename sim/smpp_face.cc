#include "smpp_face.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>

#include "smpp_session.h"

namespace otpd::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SmppAcceptor = asio::basic_socket_acceptor<tcp, Executor>;

constexpr std::size_t k_max_smpp_connections = 1'000;
constexpr Millis k_smpp_tick{100};
constexpr Millis k_smpp_accept_pause{100};

}  // namespace

class SmppFace::Listener : public std::enable_shared_from_this<SmppFace::Listener> {
 public:
  Listener(asio::io_context& loop, std::shared_ptr<SmppService> service)
      : executor_(loop.get_executor()),
        acceptor_(executor_),
        service_(std::move(service)),
        sessions_(std::make_shared<net::ConnectionSet>(executor_, k_smpp_tick)) {}

  boost::system::error_code open(const tcp::endpoint& endpoint) {
    boost::system::error_code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) port_ = acceptor_.local_endpoint(ec).port();
    return ec;
  }
  std::uint16_t port() const { return port_; }

  void start() {
    asio::co_spawn(
        executor_, [self = shared_from_this()] { return self->accept_all(); }, asio::detached);
  }
  void abort() {
    asio::post(executor_, [self = shared_from_this()] {
      boost::system::error_code ignored;
      self->acceptor_.close(ignored);
      self->sessions_->abort_all();
    });
  }

 private:
  Task<void> accept_all() {
    const auto self = shared_from_this();
    while (acceptor_.is_open()) {
      boost::system::error_code ec;
      SmppSession::Socket socket =
          co_await acceptor_.async_accept(asio::redirect_error(use_task, ec));
      if (ec == asio::error::no_descriptors) co_await sleep_for(k_smpp_accept_pause);
      if (ec || sessions_->size() >= k_max_smpp_connections) continue;
      socket.set_option(tcp::no_delay(true), ec);
      if (service_->faults.is_down(service_->clock.now())) {
        socket.set_option(asio::socket_base::linger(true, 0), ec);
        socket.close(ec);  // a destructor alone would forget the option
        continue;
      }
      std::make_shared<SmppSession>(std::move(socket), service_, sessions_)->start();
    }
  }

  Executor executor_;
  SmppAcceptor acceptor_;
  std::uint16_t port_ = 0;
  std::shared_ptr<SmppService> service_;
  std::shared_ptr<net::ConnectionSet> sessions_;
};

Result<std::unique_ptr<SmppFace>> SmppFace::listen(net::EventLoops& loops,
                                                   const std::string& address, std::uint16_t port,
                                                   SmppAccount account, Inbox& inbox,
                                                   FaultBoard& faults, Receipts& receipts,
                                                   const Clock& clock) {
  const std::string where = "cannot listen on " + address + " port " + std::to_string(port) + ": ";
  boost::system::error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (ec) return fail(Failure::invalid, where + "not an IP address");
  auto service = std::make_shared<SmppService>(std::move(account), inbox, faults.of(Face::smpp),
                                               receipts, clock);
  auto listener = std::make_shared<Listener>(loops[0], std::move(service));
  ec = listener->open({ip, port});
  if (ec) return fail(Failure::unavailable, where + ec.message());
  listener->start();
  return std::unique_ptr<SmppFace>(new SmppFace(std::move(listener)));
}

SmppFace::SmppFace(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
SmppFace::~SmppFace() {
  listener_->abort();
}
std::uint16_t SmppFace::port() const {
  return listener_->port();
}

}  // namespace otpd::sim
