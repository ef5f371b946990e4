#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/log.h"
#include "net/smpp_session_state.h"

namespace otpd::net {
namespace {

// More answers than this waiting to be written: the SMSC asks and does not read.
constexpr std::size_t k_max_out_bytes = 1024 * 1024;

}  // namespace

Task<Result<SmppAnswer>> SmppSession::State::submit(Secret body, Millis timeout) {
  const auto self = shared_from_this();
  if (over_) co_return fail(Failure::unavailable, "the session was closed");
  if (!is_bound()) {
    if (bind_refusal_) co_return SmppAnswer{*bind_refusal_, {}, true};
    if (Steady::now() - down_since_ >= timeout) co_return fail(Failure::unavailable, "not bound");
  }
  if (waiting_.size() >= config_.max_waiting) {
    co_return fail(Failure::overloaded, "too many messages wait for the SMSC");
  }
  const std::uint64_t ticket = ++last_ticket_;
  auto answer =
      co_await await_callback<SmppAnswer>(timeout, [&](Callback<Result<SmppAnswer>> done) {
        waiting_.emplace(ticket, Submit{ticket, std::move(body), std::move(done)});
        pump();
      });
  if (!answer && answer.error().kind == Failure::timeout) forget(ticket);
  co_return answer;
}

// Sends what the window takes.
void SmppSession::State::pump() {
  while (is_bound() && !waiting_.empty() && in_flight_.size() < config_.window) {
    auto first = waiting_.extract(waiting_.begin());
    const std::uint32_t sequence = next_sequence();
    send({SmppCommand::submit_sm, smpp_status::k_ok, sequence}, first.mapped().body.reveal());
    first.mapped().body = Secret();
    in_flight_.emplace(sequence, std::move(first.mapped()));
  }
}

// Nobody waits for it any more: an answer that comes later means nothing, its place is free.
void SmppSession::State::forget(std::uint64_t ticket) {
  if (waiting_.erase(ticket) == 0) {
    std::erase_if(in_flight_, [&](const auto& entry) { return entry.second.ticket == ticket; });
  }
  pump();
}

void SmppSession::State::fail_in_flight(const std::string& why) {
  for (auto& [sequence, submit] : std::exchange(in_flight_, {})) {
    submit.done(fail(Failure::unavailable, why));
  }
}

void SmppSession::State::answer_waiting(const Result<SmppAnswer>& answer) {
  for (auto& [ticket, submit] : std::exchange(waiting_, {})) submit.done(answer);
}

std::uint32_t SmppSession::State::next_sequence() {
  do {
    last_sequence_ = last_sequence_ >= k_smpp_max_sequence ? 1 : last_sequence_ + 1;
  } while (in_flight_.contains(last_sequence_));
  return last_sequence_;
}

void SmppSession::State::on_pdu(const SmppPdu& pdu) {
  wire_->heard = Steady::now();
  wire_->asked.reset();
  if (wire_->out.size() > k_max_out_bytes) return close("the SMSC does not read");
  switch (pdu.header.command) {
    case SmppCommand::bind_transceiver_resp:
      return on_bind_answer(pdu);
    case SmppCommand::submit_sm_resp:
    case SmppCommand::generic_nack:
      return on_submit_answer(pdu);
    case SmppCommand::deliver_sm:
      return on_deliver(pdu);
    default:
      return on_other(pdu);
  }
}

void SmppSession::State::on_bind_answer(const SmppPdu& pdu) {
  if (wire_->bound_since || pdu.header.sequence != wire_->bind_sequence) return;
  if (pdu.header.status == smpp_status::k_ok) {
    wire_->bound_since = Steady::now();
    bind_refusal_.reset();
    log::info("bound to the SMSC", {{"host", config_.target.host}});
    watch_timer_.cancel();  // its next look is another one now
    return pump();
  }
  bind_refusal_ = pdu.header.status;
  answer_waiting(SmppAnswer{pdu.header.status, {}, true});
  close("the SMSC refuses the bind with status " + std::to_string(pdu.header.status));
}

void SmppSession::State::on_submit_answer(const SmppPdu& pdu) {
  const bool nack = pdu.header.command == SmppCommand::generic_nack;
  if (nack && !wire_->bound_since) return on_bind_answer(pdu);
  auto found = in_flight_.extract(pdu.header.sequence);
  if (found.empty()) return;  // too late, or nothing that we asked
  SmppAnswer answer{.status = pdu.header.status};
  if (nack && answer.status == smpp_status::k_ok) answer.status = smpp_status::k_system_error;
  // An unreadable id does not undo the SMSC's yes.
  if (!nack) answer.message_id = read_smpp_message_id(pdu.body.reveal()).value_or("");
  found.mapped().done(std::move(answer));
  pump();
}

void SmppSession::State::on_deliver(const SmppPdu& pdu) {
  auto message = read_smpp_message(pdu.body.reveal());
  const std::uint32_t status = message ? smpp_status::k_ok : smpp_status::k_receiver_refuses;
  send({SmppCommand::deliver_sm_resp, status, pdu.header.sequence}, write_smpp_name({}));
  if (!message) return;
  // Behind the coroutine that writes the answer.
  boost::asio::post(loop_, [self = shared_from_this(), m = std::move(*message)] {
    if (self->on_deliver_) self->on_deliver_(m);
  });
}

void SmppSession::State::on_other(const SmppPdu& pdu) {
  const auto [command, status, sequence] = pdu.header;
  if (command == SmppCommand::enquire_link) {
    return send({SmppCommand::enquire_link_resp, smpp_status::k_ok, sequence}, {});
  }
  if (command == SmppCommand::unbind) {
    say_last({SmppCommand::unbind_resp, smpp_status::k_ok, sequence});
    return close("the SMSC unbinds");
  }
  const bool wants_answer = !is_response(command) && command != SmppCommand::alert_notification &&
                            command != SmppCommand::outbind;
  if (wants_answer) {
    send({SmppCommand::generic_nack, smpp_status::k_invalid_command, sequence}, {});
  }
}

}  // namespace otpd::net
