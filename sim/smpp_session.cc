#include "smpp_session.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "wire.h"

namespace otpd::sim {
namespace {

namespace asio = boost::asio;
using SmppError = boost::system::error_code;

constexpr std::uint8_t k_wants_receipt = 0x03;
constexpr std::uint8_t k_wants_progress = 0x10;
constexpr std::uint8_t k_is_receipt = 0x04;

std::string c_string(const std::string& text) {
  return text + '\0';
}

// The address as the inbox shows it: an international number with its plus.
std::string shown_address(const smpp::Address& address) {
  return address.ton == 1 ? with_plus(address.digits) : address.digits;
}

struct StateWords {
  char state;  // of the message_state option, section 5.2.28
  std::string_view word;
  std::string_view error;
};

StateWords words_of(ReceiptState state) {
  switch (state) {
    case ReceiptState::sent:
      return {1, "ENROUTE", "000"};
    case ReceiptState::delivered:
      return {2, "DELIVRD", "000"};
    case ReceiptState::failed:
      return {5, "UNDELIV", "011"};
  }
  return {7, "UNKNOWN", "000"};
}

// A deliver_sm that tells the state of a message, in the format of SMPP 3.4's appendix B.
std::string receipt_body(const smpp::ShortMessage& sent, const std::string& id, ReceiptState state,
                         TimePoint submitted, TimePoint now) {
  const StateWords words = words_of(state);
  smpp::ShortMessage receipt{.source = sent.destination,
                             .destination = sent.source,
                             .esm_class = k_is_receipt,
                             .text = {},
                             .options = {}};
  receipt.text =
      fmt::format("id:{} sub:001 dlvrd:{} submit date:{} done date:{} stat:{} err:{} text:", id,
                  state == ReceiptState::delivered ? "001" : "000", utc(submitted, "{:%y%m%d%H%M}"),
                  utc(now, "{:%y%m%d%H%M}"), words.word, words.error);
  receipt.options[smpp::receipted_message_id] = c_string(id);
  receipt.options[smpp::message_state] = std::string(1, words.state);
  return encode_message(receipt);
}

std::vector<ReceiptState> steps_for(const smpp::ShortMessage& message, ReceiptMode mode) {
  std::vector<ReceiptState> steps = receipt_steps(mode);
  if ((message.registered_delivery & k_wants_receipt) == 0) return {};
  const bool progress = (message.registered_delivery & k_wants_progress) != 0;
  // Out of order there must be something to come late.
  if (!progress && mode != ReceiptMode::out_of_order) std::erase(steps, ReceiptState::sent);
  return steps;
}

}  // namespace

std::shared_ptr<SmppSession> SmppService::receiver(const std::weak_ptr<SmppSession>& first) const {
  if (auto session = first.lock(); session && session->receives()) return session;
  for (SmppSession* session : open) {
    if (session->receives()) return session->shared_from_this();
  }
  return nullptr;
}

SmppSession::SmppSession(Socket socket, std::shared_ptr<SmppService> service,
                         std::shared_ptr<net::ConnectionSet> siblings)
    : socket_(std::move(socket)), service_(std::move(service)), siblings_(std::move(siblings)) {
  siblings_->add(*this);
  service_->open.insert(this);
}

SmppSession::~SmppSession() {
  siblings_->remove(*this);
  service_->open.erase(this);
}

void SmppSession::start() {
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void SmppSession::abort() {
  SmppError ignored;
  socket_.close(ignored);
}

void SmppSession::reset() {
  SmppError ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  abort();
}

Task<void> SmppSession::run() {
  const auto self = shared_from_this();
  for (SmppError ec; !ec;) {
    deadline = net::Steady::now() + k_idle_limit;
    const auto room = input_.prepare();
    if (room.size() == 0) break;
    input_.commit(co_await socket_.async_read_some(room, asio::redirect_error(use_task, ec)));
    if (ec) abort();
    if (ec || !take_all()) break;
  }
  service_->open.erase(this);
  closing_ = true;
  if (!writing_) abort();
}

// Every whole PDU that is there. False if the connection is over.
bool SmppSession::take_all() {
  for (;;) {
    if (service_->faults.is_down(service_->clock.now())) {
      reset();
      return false;
    }
    const auto size = smpp::length_of(input_.view());
    if (!size) return true;
    if (*size < smpp::k_header_bytes || *size > smpp::k_max_pdu_bytes) {
      send(smpp::encode({smpp::generic_nack, smpp::invalid_length, 0, {}}));
      return false;
    }
    if (input_.view().size() < *size) return true;
    smpp::Pdu pdu = smpp::decode(input_.view().substr(0, *size));
    input_.consume(*size);
    if (!take(std::move(pdu))) return false;
  }
}

bool SmppSession::take(smpp::Pdu pdu) {
  if (pdu.command == smpp::submit_sm) {
    if (!submits_) {
      answer(pdu, smpp::wrong_state);
    } else if (in_flight_ == k_max_in_flight) {
      answer(pdu, smpp::queue_full);
    } else {
      ++in_flight_;
      asio::co_spawn(
          socket_.get_executor(),
          [self = shared_from_this(), pdu = std::move(pdu)] { return self->submit(pdu); },
          asio::detached);
    }
    return true;
  }
  if (service_->faults.plan()->hang) return true;  // it hangs as a whole
  switch (pdu.command) {
    case smpp::bind_receiver:
    case smpp::bind_transmitter:
    case smpp::bind_transceiver:
      bind(pdu);
      return true;
    case smpp::enquire_link:
      answer(pdu, smpp::ok);
      return true;
    case smpp::unbind:
      answer(pdu, smpp::ok);
      bound_ = submits_ = receives_ = false;
      return true;
    default:
      answered(pdu);
      return true;
  }
}

void SmppSession::bind(const smpp::Pdu& pdu) {
  const auto wanted = smpp::parse_bind(pdu.body);
  const SmppAccount& account = service_->account;
  std::uint32_t status = smpp::ok;
  if (bound_) {
    status = smpp::already_bound;
  } else if (!wanted) {
    status = smpp::invalid_length;
  } else if (service_->faults.is_refusing(service_->clock.now())) {
    status = smpp::bind_failed;
  } else if (wanted->system_id != account.system_id) {
    status = smpp::wrong_system_id;
  } else if (wanted->password != account.password) {
    status = smpp::wrong_password;
  }
  answer(pdu, status, status == smpp::ok ? c_string("sms-sim") : std::string());
  if (status != smpp::ok) return;
  bound_ = true;
  submits_ = pdu.command != smpp::bind_receiver;
  receives_ = pdu.command != smpp::bind_transmitter;
}

// The answer to a deliver_sm of ours, or what nobody understands.
void SmppSession::answered(const smpp::Pdu& pdu) {
  const auto waiting = deliveries_.find(pdu.sequence);
  const bool is_answer = (pdu.command & smpp::response) != 0;
  if (is_answer && waiting != deliveries_.end()) {
    auto tell = std::move(waiting->second);
    deliveries_.erase(waiting);
    tell(pdu.command == (smpp::deliver_sm | smpp::response) && pdu.status == smpp::ok);
  } else if (!is_answer) {
    send(smpp::encode({smpp::generic_nack, smpp::invalid_command, pdu.sequence, {}}));
  }
}

Task<void> SmppSession::submit(smpp::Pdu pdu) {
  const auto self = shared_from_this();
  const Fate fate = service_->faults.decide(service_->clock.now());
  const bool at_once = fate.kind == Fate::Kind::reset;
  const bool awaited = at_once || co_await service_->faults.delay(fate);
  --in_flight_;
  if (!awaited) {
    service_->inbox.count(Face::smpp, &InboxStats::rejected);
  } else if (fate.kind == Fate::Kind::normal) {
    settle(pdu, fate);
  } else {
    service_->inbox.count(Face::smpp, &InboxStats::rejected);
    spoil(pdu, fate);
  }
}

void SmppSession::spoil(const smpp::Pdu& pdu, const Fate& fate) {
  if (fate.kind == Fate::Kind::reset) {
    reset();
  } else if (fate.kind == Fate::Kind::throttle) {
    answer(pdu, smpp::throttled);
  } else if (fate.kind == Fate::Kind::error) {
    answer(pdu, static_cast<std::uint32_t>(code_or(*fate.plan, smpp::system_error)));
  } else if (fate.dice % 2 == 0) {
    send("HTTP/1.1 400 Bad Request\r\n\r\n");
  } else {
    send(smpp::encode({0x8000dead, 0xbadbad, pdu.sequence, "\xff\xff\xff"}));
  }
}

void SmppSession::settle(const smpp::Pdu& pdu, const Fate& fate) {
  const auto refuse = [&](std::uint32_t status) {
    service_->inbox.count(Face::smpp, &InboxStats::rejected);
    answer(pdu, status);
  };
  const auto message = smpp::parse_message(pdu.body);
  if (!message) return refuse(smpp::invalid_length);
  const std::string to = shown_address(message->destination);
  const auto& rejected = fate.plan->reject_to;
  if (message->destination.digits.empty() || rejected.contains(to) ||
      rejected.contains(with_plus(to))) {
    return refuse(smpp::invalid_destination);
  }
  auto part = smpp::part_of(*message);
  if (!part) return refuse(smpp::invalid_esm_class);
  if (!smpp::decode_text(message->data_coding, {})) return refuse(smpp::unknown_encoding);
  const std::string id = random_hex(8);
  const std::string from = shown_address(message->source);
  if (fate.lose) {
    service_->inbox.count(Face::smpp, &InboxStats::lost);
  } else if (const auto whole = parts_.add(from, to, std::move(*part))) {
    service_->inbox.add({.to = to,
                         .from = from,
                         .channel = "sms",
                         .text = smpp::decode_text(message->data_coding, *whole).value_or(""),
                         .received_at = service_->clock.now(),
                         .face = Face::smpp});
  }
  if (fate.drop) return abort();
  answer(pdu, smpp::ok, c_string(id));
  if (!fate.lose) send_receipts(*message, id, fate);
}

void SmppSession::send_receipts(const smpp::ShortMessage& message, const std::string& id,
                                const Fate& fate) {
  const TimePoint submitted = service_->clock.now();
  service_->receipts.tell(Face::smpp, fate, steps_for(message, fate.plan->receipts),
                          [service = service_, first = weak_from_this(), message, id,
                           submitted](ReceiptState state) -> Task<bool> {
                            const auto session = service->receiver(first);
                            if (!session) co_return false;
                            co_return co_await session->deliver(
                                receipt_body(message, id, state, submitted, service->clock.now()));
                          });
}

Task<bool> SmppSession::deliver(std::string body) {
  const auto self = shared_from_this();
  const std::uint32_t sequence = next_sequence_++;
  const auto taken =
      co_await await_callback<bool>(k_receipt_limit, [&](Callback<Result<bool>> done) {
        deliveries_.emplace(sequence, std::move(done));
        send(smpp::encode({smpp::deliver_sm, smpp::ok, sequence, std::move(body)}));
      });
  deliveries_.erase(sequence);
  co_return taken.value_or(false);
}

void SmppSession::answer(const smpp::Pdu& request, std::uint32_t status, std::string body) {
  send(smpp::encode({request.command | smpp::response, status, request.sequence, std::move(body)}));
}

void SmppSession::send(std::string bytes) {
  output_ += bytes;
  if (output_.size() > k_max_output_bytes) return abort();
  if (writing_ || !socket_.is_open()) return;
  writing_ = true;
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->write_all(); },
      asio::detached);
}

Task<void> SmppSession::write_all() {
  const auto self = shared_from_this();
  SmppError ec;
  while (!ec && !output_.empty()) {
    const std::string now = std::exchange(output_, {});
    co_await asio::async_write(socket_, asio::buffer(now), asio::redirect_error(use_task, ec));
  }
  writing_ = false;
  if (closing_) abort();
}

}  // namespace otpd::sim
