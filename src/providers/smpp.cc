#include "providers/smpp.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/gsm0338.h"
#include "providers/outcomes.h"
#include "providers/smpp_parts.h"
#include "providers/smpp_receipt.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::size_t k_max_name_bytes = 11;
constexpr std::size_t k_max_number_digits = 15;
constexpr std::size_t k_max_short_code_digits = 6;
constexpr std::uint8_t k_receipt_always = 1;  // registered_delivery: on success and on failure
constexpr std::uint8_t k_default_alphabet = 0;
constexpr std::uint8_t k_ucs2 = 8;

namespace status = net::smpp_status;

// Statuses that mean that our settings do not suit this SMSC (section 5.1.3).
constexpr std::uint32_t k_settings_statuses[] = {
    0x01,  // message length
    0x02,  // command length
    0x03,  // command id
    0x06,  // priority flag
    0x07,  // registered delivery flag
    status::k_invalid_source,
    status::k_bind_failed,
    status::k_invalid_password,
    status::k_invalid_system_id,
    0x15,   // service type
    0x43,   // esm_class
    0x48,   // source TON
    0x49,   // source NPI
    0x50,   // destination TON
    0x51,   // destination NPI
    0x53,   // system type
    0x62,   // validity period
    0xc0,   // optional part of the body
    0xc1,   // parameter not allowed
    0xc2,   // parameter length
    0xc3,   // parameter missing
    0xc4,   // parameter value
    0x104,  // data coding
};

Kind kind_of_status(std::uint32_t value) {
  if (value == status::k_ok) return Kind::accepted;
  if (value == status::k_throttled) return Kind::throttled;
  if (value == status::k_invalid_destination) return Kind::rejected;
  const bool settings =
      std::ranges::find(k_settings_statuses, value) != std::end(k_settings_statuses);
  return settings ? Kind::misconfigured : Kind::transient;
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Of an E.164 number, what the SMSC wants; empty if it is none.
std::string_view smpp_digits(std::string_view to) {
  if (!to.starts_with('+')) return {};
  to.remove_prefix(1);
  return to.size() <= k_max_number_digits && is_digits(to) ? to : std::string_view();
}

bool smpp_is_sender(std::string_view from) {
  const bool number = is_digits(from.starts_with('+') ? from.substr(1) : from);
  const bool visible = std::ranges::all_of(from, [](char c) { return c >= ' ' && c < 0x7f; });
  return !from.empty() && from != "+" && visible &&
         from.size() <= (number ? k_max_number_digits + 1 : k_max_name_bytes);
}

class Smpp final : public delivery::Provider {
 public:
  Smpp(SmppConfig config, Random& random, delivery::ReceiptSink sink)
      : config_(std::move(config)),
        sink_(std::move(sink)),
        ids_(config_.hex_ids),
        reference_(static_cast<std::uint8_t>(random.u64())) {}

  Result<void> connect(boost::asio::io_context& loop, Random& random) {
    auto session =
        net::SmppSession::make(loop, std::move(config_.session), random,
                               [this](const net::SmppMessage& message) { on_deliver(message); });
    if (!session) return std::unexpected(session.error());
    session_ = std::move(*session);
    return {};
  }

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    if (message.channel != "sms") co_return refused(Kind::misconfigured, "channel");
    const std::string_view to = smpp_digits(message.to.reveal());
    if (to.empty()) co_return refused(Kind::rejected, "address");
    const auto text = net::encode_sms(message.text.reveal(), reference_, config_.max_parts);
    if (!text) co_return refused(Kind::misconfigured, "text");
    net::SmppMessage submit = make_submit(to, *text, message.valid_for);
    if (!text->has_header()) co_return co_await send_one(submit, text->parts[0], timeout);
    ++reference_;
    const std::uint64_t ticket = parts_.begin();
    std::vector<std::string> ids;
    const Outcome outcome = co_await send_all(submit, *text, timeout, ids);
    if (outcome.kind != Kind::accepted) ids.clear();
    tell(parts_.finish(ticket, ids));
    co_return outcome;
  }

  bool receipts_by_message_id() const override { return true; }

 private:
  using SteadyClock = std::chrono::steady_clock;

  // Everything but the text.
  net::SmppMessage make_submit(std::string_view to, const net::SmsText& text,
                               Millis valid_for) const {
    net::SmppMessage submit;
    submit.source = smpp_sender(config_.from, config_.source_ton, config_.source_npi);
    submit.destination = {1, 1, Secret(std::string(to))};
    submit.esm_class = text.has_header() ? net::k_smpp_esm_user_data_header : 0;
    submit.validity_period = smpp_validity(valid_for);
    submit.registered_delivery = k_receipt_always;
    submit.data_coding = text.alphabet == net::SmsAlphabet::ucs2 ? k_ucs2 : k_default_alphabet;
    return submit;
  }

  Task<Outcome> send_one(net::SmppMessage& submit, const Secret& part, Millis timeout) {
    submit.short_message = part.clone();
    const auto answer = co_await session_->submit(submit, timeout);
    if (!answer) co_return no_answer(answer.error());
    Outcome outcome = classify_smpp(*answer);
    if (outcome.kind == Kind::accepted) {
      outcome.message_id = ids_.of_answer(answer->message_id);
      parts_.take_id(outcome.message_id);
    }
    co_return outcome;
  }

  // One after the other; the first that is not accepted ends it. `ids` are the accepted ones'.
  Task<Outcome> send_all(net::SmppMessage& submit, const net::SmsText& text, Millis timeout,
                         std::vector<std::string>& ids) {
    const auto deadline = SteadyClock::now() + timeout;
    for (const Secret& part : text.parts) {
      const auto left = std::chrono::duration_cast<Millis>(deadline - SteadyClock::now());
      if (left <= Millis(0)) co_return refused(Kind::transient, "timeout");
      submit.short_message = part.clone();
      const auto answer = co_await session_->submit(submit, left);
      if (!answer) co_return no_answer(answer.error());
      Outcome outcome = classify_smpp(*answer);
      if (outcome.kind != Kind::accepted) co_return outcome;
      ids.push_back(ids_.of_answer(answer->message_id));
    }
    co_return accepted(ids.front());
  }

  void on_deliver(const net::SmppMessage& message) {
    const auto read = read_smpp_receipt(message);
    if (!read) return;
    delivery::Receipt receipt;
    receipt.state = read->state;
    receipt.message_id =
        read->id_from_tlv ? ids_.of_answer(read->message_id) : ids_.of_receipt(read->message_id);
    receipt.reason = read->reason;
    if (!receipt.message_id.empty()) tell(parts_.take(std::move(receipt)));
  }

  void tell(std::vector<delivery::Receipt> receipts) const {
    for (delivery::Receipt& receipt : receipts) {
      if (sink_) sink_(std::move(receipt));
    }
  }

  SmppConfig config_;
  const delivery::ReceiptSink sink_;
  SmppIds ids_;
  SmppParts parts_;
  std::uint8_t reference_;  // of the next text of several messages
  std::unique_ptr<net::SmppSession> session_;
};

}  // namespace

net::SmppAddress smpp_sender(const std::string& from, std::optional<std::uint8_t> ton,
                             std::optional<std::uint8_t> npi) {
  const std::string digits = from.starts_with('+') ? from.substr(1) : from;
  net::SmppAddress out{5, 0, Secret(std::string(from))};
  if (is_digits(digits)) {
    const bool short_code = digits == from && digits.size() <= k_max_short_code_digits;
    out = {static_cast<std::uint8_t>(short_code ? 3 : 1),
           static_cast<std::uint8_t>(short_code ? 0 : 1), Secret(std::string(digits))};
  }
  out.ton = ton.value_or(out.ton);
  out.npi = npi.value_or(out.npi);
  return out;
}

std::string smpp_validity(Millis valid_for) {
  constexpr Seconds k_longest = std::chrono::days(99);
  const Seconds total = std::clamp(std::chrono::floor<Seconds>(valid_for), Seconds(1), k_longest);
  const auto days = std::chrono::floor<std::chrono::days>(total);
  const std::chrono::hh_mm_ss time(total - days);
  return fmt::format("0000{:02}{:02}{:02}{:02}000R", days.count(), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

Outcome classify_smpp(const net::SmppAnswer& answer) {
  const Kind kind = kind_of_status(answer.status);
  if (kind == Kind::accepted) return accepted(answer.message_id);
  const char* const what = answer.to_bind ? "smpp bind" : "smpp";
  // A bind knows no recipient.
  const bool wrong = kind == Kind::rejected && answer.to_bind;
  return refused(wrong ? Kind::transient : kind, fmt::format("{} 0x{:02x}", what, answer.status));
}

Result<std::unique_ptr<delivery::Provider>> make_smpp(SmppConfig config,
                                                      boost::asio::io_context& loop, Random& random,
                                                      delivery::ReceiptSink sink) {
  if (config.session.target.host.empty() || config.session.target.port == 0) {
    return fail(Failure::invalid, "smpp: address: no host and port");
  }
  if (config.session.system_id.empty()) return fail(Failure::invalid, "smpp: system_id: missing");
  if (!smpp_is_sender(config.from)) {
    return fail(Failure::invalid, "smpp: from: no number, short code or name of at most 11 bytes");
  }
  if (config.session.window == 0) return fail(Failure::invalid, "smpp: window: must not be 0");
  auto provider = std::make_unique<Smpp>(std::move(config), random, std::move(sink));
  if (auto connected = provider->connect(loop, random); !connected) {
    return std::unexpected(connected.error());
  }
  return provider;
}

}  // namespace otpd::providers
