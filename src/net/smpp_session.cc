#include "net/smpp_session.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/log.h"
#include "net/smpp_session_state.h"

namespace otpd::net {
Millis smpp_backoff(const SmppSessionConfig& config, std::uint32_t failures, Random& random) {
  Millis longest = std::min(config.backoff_base, config.backoff_max);
  for (std::uint32_t i = 1; i < failures && longest < config.backoff_max; ++i) {
    longest = std::min(2 * longest, config.backoff_max);
  }
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  return longest - Millis(half == 0 ? 0 : random.u64() % (half + 1));
}

SmppSession::State::State(Executor loop, SmppSessionConfig config, Secret bind_body, Random& random,
                          OnDeliver on_deliver)
    : loop_(loop),
      config_(std::move(config)),
      bind_body_(std::move(bind_body)),
      random_(random),
      on_deliver_(std::move(on_deliver)),
      pause_timer_(loop),
      watch_timer_(loop) {}

void SmppSession::State::start() {
  boost::asio::co_spawn(
      loop_, [self = shared_from_this()] { return self->run(); }, boost::asio::detached);
}

void SmppSession::State::end() {
  over_ = true;
  on_deliver_ = nullptr;
  if (is_bound()) say_last({SmppCommand::unbind, smpp_status::k_ok, next_sequence()});
  close("the session was closed");
  fail_in_flight("the session was closed");
  answer_waiting(fail(Failure::unavailable, "the session was closed"));
  pause_timer_.cancel();
  watch_timer_.cancel();
}

Task<void> SmppSession::State::run() {
  const auto self = shared_from_this();
  while (!over_) {
    const std::string why = co_await connect_and_serve();
    leave(why);
    if (over_) break;
    log::warn("no SMPP connection", {{"host", config_.target.host}, {"reason", why}});
    co_await pause();
  }
}

// Returns why there is no connection (any more).
Task<std::string> SmppSession::State::connect_and_serve() {
  auto link = co_await connect_link(config_.target, config_.connect_timeout);
  if (!link) co_return link.error().message;
  if (over_) co_return "the session was closed";
  wire_ = std::make_shared<SmppWire>(std::move(*link));
  wire_->bind_sequence = next_sequence();
  send({SmppCommand::bind_transceiver, smpp_status::k_ok, wire_->bind_sequence},
       bind_body_.reveal());
  boost::asio::co_spawn(
      loop_, [self = shared_from_this(), wire = wire_] { return self->watch(wire); },
      boost::asio::detached);
  co_return co_await read_all(wire_);
}

Task<std::string> SmppSession::State::read_all(std::shared_ptr<SmppWire> wire) {
  for (;;) {
    const auto count = co_await wire->link->read_some(boost::asio::buffer(wire->in));
    if (!count) co_return wire->why.empty() ? count.error().message : wire->why;
    wire->reader.feed(std::string_view(wire->in).substr(0, *count));
    for (;;) {
      const auto pdu = wire->reader.next();
      if (!pdu) {
        say_last({SmppCommand::generic_nack, smpp_status::k_invalid_length, 0});
        co_return pdu.error().message;
      }
      if (!*pdu) break;
      on_pdu(**pdu);
      if (!wire->why.empty()) co_return wire->why;
    }
  }
}

// Keeps the deadlines of one connection.
Task<void> SmppSession::State::watch(std::shared_ptr<SmppWire> wire) {
  while (wire_ == wire && look(*wire)) {
    boost::system::error_code cancelled;
    watch_timer_.expires_at(next_look(*wire));
    co_await watch_timer_.async_wait(boost::asio::redirect_error(use_task, cancelled));
  }
}

// False if the connection is given up.
bool SmppSession::State::look(SmppWire& wire) {
  const auto now = Steady::now();
  if (now < next_look(wire)) return true;
  if (!wire.bound_since) {
    close("no answer to bind_transceiver");
    return false;
  }
  if (wire.asked) {
    close("no answer to enquire_link");
    return false;
  }
  wire.asked = now;
  send({SmppCommand::enquire_link, smpp_status::k_ok, next_sequence()}, {});
  return true;
}

Steady::time_point SmppSession::State::next_look(const SmppWire& wire) const {
  if (!wire.bound_since) return wire.begun + config_.bind_timeout;
  return wire.asked ? *wire.asked + config_.link_timeout : wire.heard + config_.enquire_link;
}

Task<void> SmppSession::State::pause() {
  boost::system::error_code cancelled;
  last_pause_ = smpp_backoff(config_, ++failures_, random_);
  pause_timer_.expires_after(last_pause_);
  co_await pause_timer_.async_wait(boost::asio::redirect_error(use_task, cancelled));
}

// The connection has ended, or there was none.
void SmppSession::State::leave(const std::string& why) {
  if (!wire_) return;
  close(why);
  const auto now = Steady::now();
  if (wire_->bound_since) {
    down_since_ = now;
    // A connection that breaks at once is no reason to try again faster.
    if (now - *wire_->bound_since >= last_pause_) failures_ = 0;
  }
  wire_.reset();
  watch_timer_.cancel();
  fail_in_flight(why);
}

// Puts a PDU behind what is being written.
void SmppSession::State::send(SmppHeader header, std::string_view body) {
  append_smpp_pdu(wire_->out, header, body);
  if (wire_->writing) return;
  wire_->writing = true;
  boost::asio::co_spawn(
      loop_, [self = shared_from_this(), wire = wire_] { return self->write_all(wire); },
      boost::asio::detached);
}

Task<void> SmppSession::State::write_all(std::shared_ptr<SmppWire> wire) {
  while (!wire->out.empty()) {
    std::string bytes;
    bytes.swap(wire->out);
    const auto written = co_await wire->link->write(bytes);
    wipe(bytes);
    if (!written) {
      wire->link->close();  // the reader sees it
      co_return;            // `writing` stays: nothing can be written any more
    }
  }
  wire->writing = false;
}

// Writes a PDU before the connection is closed, if there is nothing before it.
void SmppSession::State::say_last(SmppHeader header) {
  if (wire_->writing) return;
  std::string bytes;
  append_smpp_pdu(bytes, header, {});
  wire_->link->write_now(bytes);
}

void SmppSession::State::close(std::string why) {
  if (!wire_) return;
  if (wire_->why.empty()) wire_->why = std::move(why);
  wire_->link->close();
}

Result<std::unique_ptr<SmppSession>> SmppSession::make(boost::asio::io_context& loop,
                                                       SmppSessionConfig config, Random& random,
                                                       OnDeliver on_deliver) {
  auto bind = write_smpp_bind({.system_id = config.system_id,
                               .password = config.password.clone(),
                               .system_type = config.system_type});
  if (!bind) return std::unexpected(bind.error());
  auto state = std::make_shared<State>(loop.get_executor(), std::move(config), std::move(*bind),
                                       random, std::move(on_deliver));
  state->start();
  return std::unique_ptr<SmppSession>(new SmppSession(std::move(state)));
}

SmppSession::SmppSession(std::shared_ptr<State> state) : state_(std::move(state)) {}

SmppSession::~SmppSession() {
  state_->end();
}

Task<Result<SmppAnswer>> SmppSession::submit(const SmppMessage& message, Millis timeout) {
  auto body = write_smpp_message(message);
  if (!body) co_return std::unexpected(body.error());
  co_return co_await state_->submit(std::move(*body), timeout);
}

bool SmppSession::is_bound() const {
  return state_->is_bound();
}

}  // namespace otpd::net
