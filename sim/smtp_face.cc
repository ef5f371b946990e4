#include "smtp_face.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "mail_text.h"
#include "net/connection_set.h"
#include "smtp_conversation.h"
#include "wire.h"

namespace otpd::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

constexpr std::size_t k_max_connections = 1'000;
constexpr Millis k_tick{100};
constexpr Millis k_accept_pause{100};

// What the conversations share.
struct MailService {
  Inbox& inbox;
  Faults& faults;
  const Clock& clock;
  Millis deadline;

  std::string rule(const std::string& address) const {
    if (!faults.plan()->reject_to.contains(address)) return {};
    inbox.count(Face::smtp, &InboxStats::rejected);
    return "550 5.1.1 no such user here\r\n";
  }

  // The reply to a whole mail that this fate meets.
  std::string accept(const Envelope& envelope, const Fate& fate) const {
    if (fate.kind != Fate::Kind::normal) {
      inbox.count(Face::smtp, &InboxStats::rejected);
      return spoiled(fate);
    }
    if (fate.lose) {
      inbox.count(Face::smtp, &InboxStats::lost);
      return "250 2.0.0 queued as 0\r\n";
    }
    return "250 2.0.0 queued as " + std::to_string(add(envelope)) + "\r\n";
  }

 private:
  static std::string spoiled(const Fate& fate) {
    if (fate.kind == Fate::Kind::garbage) return "<html>\xff\xfe no reply code here\r\n";
    if (fate.kind == Fate::Kind::throttle) return "450 4.7.1 too many mails, slow down\r\n";
    const int code = std::clamp(code_or(*fate.plan, 451), 400, 599);
    return std::to_string(code) + (code < 500 ? " 4.3.0" : " 5.3.0") + " simulated fault\r\n";
  }

  // Returns the id of the last one.
  std::uint64_t add(const Envelope& envelope) const {
    const MailText mail = read_mail(envelope.data);
    std::uint64_t id = 0;
    for (const std::string& to : envelope.to) {
      id = inbox.add({.id = 0,
                      .to = to,
                      .from = mail.from.empty() ? envelope.from : mail.from,
                      .channel = "email",
                      .subject = mail.subject,
                      .text = mail.text,
                      .received_at = clock.now(),
                      .face = Face::smtp});
    }
    return id;
  }
};

class SmtpSession final : public net::Connection, public std::enable_shared_from_this<SmtpSession> {
 public:
  SmtpSession(Socket socket, std::shared_ptr<MailService> service,
              std::shared_ptr<net::ConnectionSet> siblings)
      : socket_(std::move(socket)),
        service_(std::move(service)),
        siblings_(std::move(siblings)),
        conversation_(
            [this](const std::string& address) { return service_->rule(address); },
            [this](const Envelope& envelope) { return service_->accept(envelope, fate_); }) {
    siblings_->add(*this);
  }
  ~SmtpSession() override { siblings_->remove(*this); }

  void start() {
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->run(); },
        asio::detached);
  }
  void expire() override { abort(); }
  void drain() override { abort(); }
  void abort() override {
    ErrorCode ignored;
    socket_.close(ignored);
  }

 private:
  void rest() { deadline = net::Steady::now() + service_->deadline; }

  Task<void> run() {
    const auto self = shared_from_this();
    bool open = !cut_off() && co_await say(SmtpConversation::greeting());
    while (open && !conversation_.finished()) open = co_await exchange();
  }

  // One line and its reply. False when the connection is over.
  Task<bool> exchange() {
    ErrorCode ec;
    rest();
    const std::size_t size = co_await asio::async_read_until(
        socket_, asio::dynamic_buffer(buffer_, SmtpConversation::k_max_line_bytes), '\n',
        asio::redirect_error(use_task, ec));
    if (ec == asio::error::not_found) {
      co_await say("500 5.5.2 the line is too long\r\n");
      co_return false;
    }
    if (ec) co_return false;
    std::string_view line(buffer_.data(), size - 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool ends_mail = conversation_.in_data() && line == ".";
    if (cut_off()) co_return false;
    if (ends_mail && !co_await meet_fate()) co_return false;
    const std::string reply = conversation_.take(line);
    buffer_.erase(0, size);
    if (ends_mail && fate_.drop) co_return false;
    if (reply.empty()) co_return true;
    co_return co_await say(reply);
  }

  // During an outage, ends the connection.
  bool cut_off() {
    const bool down = service_->faults.is_down(service_->clock.now());
    if (down) reset();
    return down;
  }
  void reset() {
    ErrorCode ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    abort();
  }

  // What the mail in progress meets. False if that is the end of the connection.
  Task<bool> meet_fate() {
    fate_ = service_->faults.decide(service_->clock.now());
    if (fate_.kind == Fate::Kind::reset) {
      service_->inbox.count(Face::smtp, &InboxStats::rejected);
      reset();
      co_return false;
    }
    deadline = net::Steady::time_point::max();
    co_return co_await service_->faults.delay(fate_);
  }

  Task<bool> say(std::string reply) {
    ErrorCode ec;
    rest();
    co_await asio::async_write(socket_, asio::buffer(reply), asio::redirect_error(use_task, ec));
    co_return !ec;
  }

  Socket socket_;
  std::shared_ptr<MailService> service_;
  std::shared_ptr<net::ConnectionSet> siblings_;
  SmtpConversation conversation_;
  std::string buffer_;
  Fate fate_;
};

}  // namespace

class SmtpFace::Listener : public std::enable_shared_from_this<SmtpFace::Listener> {
 public:
  Listener(asio::io_context& loop, std::shared_ptr<MailService> service)
      : executor_(loop.get_executor()),
        acceptor_(executor_),
        service_(std::move(service)),
        sessions_(std::make_shared<net::ConnectionSet>(executor_, k_tick)) {}

  ErrorCode open(const tcp::endpoint& endpoint) {
    ErrorCode ec;
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
      ErrorCode ignored;
      self->acceptor_.close(ignored);
      self->sessions_->abort_all();
    });
  }

 private:
  Task<void> accept_all() {
    const auto self = shared_from_this();
    while (acceptor_.is_open()) {
      ErrorCode ec;
      Socket socket = co_await acceptor_.async_accept(asio::redirect_error(use_task, ec));
      if (ec == asio::error::no_descriptors) co_await sleep_for(k_accept_pause);
      if (ec || sessions_->size() >= k_max_connections) continue;
      socket.set_option(tcp::no_delay(true), ec);
      std::make_shared<SmtpSession>(std::move(socket), service_, sessions_)->start();
    }
  }

  Executor executor_;
  Acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::shared_ptr<MailService> service_;
  std::shared_ptr<net::ConnectionSet> sessions_;
};

Result<std::unique_ptr<SmtpFace>> SmtpFace::listen(net::EventLoops& loops,
                                                   const std::string& address, std::uint16_t port,
                                                   Inbox& inbox, FaultBoard& faults,
                                                   const Clock& clock, Millis deadline) {
  const std::string where = "cannot listen on " + address + " port " + std::to_string(port) + ": ";
  ErrorCode ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (ec) return fail(Failure::invalid, where + "not an IP address");
  auto service = std::make_shared<MailService>(inbox, faults.of(Face::smtp), clock, deadline);
  auto listener = std::make_shared<Listener>(loops[0], std::move(service));
  ec = listener->open({ip, port});
  if (ec) return fail(Failure::unavailable, where + ec.message());
  listener->start();
  return std::unique_ptr<SmtpFace>(new SmtpFace(std::move(listener)));
}

SmtpFace::SmtpFace(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
SmtpFace::~SmtpFace() {
  listener_->abort();
}
std::uint16_t SmtpFace::port() const {
  return listener_->port();
}

}  // namespace otpd::sim
