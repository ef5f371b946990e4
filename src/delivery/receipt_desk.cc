#include "delivery/receipt_desk.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "otp/events.h"
#include "otp/keys.h"
#include "otp/update.h"
#include "otp/verification.h"

namespace otpd::delivery {
namespace {

constexpr std::size_t k_max_message_id = 256;

// Whether the message of the receipt may simply not be written down yet.
bool may_be_early(const otp::Verification* verification) {
  return verification != nullptr && verification->delivery == otp::DeliveryState::queued;
}

struct Written {
  bool changed = false;
  bool early = false;
  std::string country;
};

}  // namespace

ReceiptDesk::ReceiptDesk(ReceiptPorts ports, ReceiptConfig config)
    : ports_(ports), config_(std::move(config)), tally_(ports.metrics) {}

Task<Result<ReceiptFate>> ReceiptDesk::take(std::string lane, std::string reference,
                                            Receipt receipt) {
  if (receipt.state == Receipt::State::on_its_way) {
    count(ReceiptFate::ignored);
    co_return ReceiptFate::ignored;
  }
  if (receipt.message_id.empty() || receipt.message_id.size() > k_max_message_id) {
    count(ReceiptFate::unknown);
    co_return ReceiptFate::unknown;
  }
  auto fate = co_await look(lane, reference, receipt);
  if (!fate || *fate != ReceiptFate::unknown || config_.looks <= 1) {
    if (fate) count(*fate);
    co_return fate;
  }
  // The carrier need not wait for it.
  boost::asio::co_spawn(co_await this_executor(),
                        look_again(std::move(lane), std::move(reference), std::move(receipt)),
                        boost::asio::detached);
  co_return ReceiptFate::unknown;
}

Task<void> ReceiptDesk::look_again(std::string lane, std::string reference, Receipt receipt) {
  Result<ReceiptFate> fate = ReceiptFate::unknown;
  if (waiting_.fetch_add(1) < config_.waiting) {
    for (int looks = 1; looks < config_.looks && fate && *fate == ReceiptFate::unknown; ++looks) {
      co_await sleep_for(config_.between_looks);
      fate = co_await look(lane, reference, receipt);
    }
  }
  waiting_.fetch_sub(1);
  count(fate.value_or(ReceiptFate::unknown));
}

Task<Result<ReceiptFate>> ReceiptDesk::look(const std::string& lane, const std::string& reference,
                                            const Receipt& receipt) {
  auto id = otp::VerificationId::parse(reference);
  if (!id) {
    auto found = co_await find(lane, receipt);
    if (!found) co_return std::unexpected(found.error());
    id = *found;
  }
  if (!id) co_return ReceiptFate::unknown;
  co_return co_await write(lane, *id, receipt);
}

Task<Result<std::optional<otp::VerificationId>>> ReceiptDesk::find(const std::string& lane,
                                                                   const Receipt& receipt) {
  const otp::Key key =
      otp::message_key(ports_.keys.index_key(), config_.application, lane, receipt.message_id);
  const auto record = co_await ports_.store.load(key);
  if (!record) co_return std::unexpected(record.error());
  co_return otp::VerificationId::from_bytes(record->bytes);
}

// Unknown: not (yet) a message that was handed over.
Task<Result<ReceiptFate>> ReceiptDesk::write(const std::string& lane, const otp::VerificationId& id,
                                             const Receipt& receipt) {
  const bool failed = receipt.state == Receipt::State::failed;
  auto written = co_await otp::update<otp::RecipientState, Written>(
      ports_.store, ports_.clock, otp::recipient_key(id.recipient_hash),
      [&](otp::RecipientState& state, TimePoint now) {
        otp::Decision<Written> decision{.out = {}};
        decision.changed =
            otp::mark_receipt(state, id.unique, lane, receipt.message_id,
                              failed ? otp::DeliveryState::failed : otp::DeliveryState::delivered,
                              failed ? std::string_view("not_delivered") : std::string_view(), now);
        decision.out.changed = decision.changed;
        const otp::Verification* about = otp::find_verification(state, id.unique);
        decision.out.early = about == nullptr || may_be_early(about);
        if (decision.changed) {
          decision.out.country = about->country;
          const otp::EventWriter events(ports_.random, {id.recipient_hash, {}, {}, {}, {}, lane});
          decision.effects.events.push_back(events.make_of(
              *about,
              failed ? audit::event_type::k_delivery_failed : audit::event_type::k_delivered, now,
              receipt.reason));
          otp::name_application(decision.effects.events, state.application, config_.application);
        }
        decision.expires_at = otp::garbage_at(state, now);
        return decision;
      });
  if (!written) co_return std::unexpected(written.error());
  if (written->changed) {
    tally_.count(failed ? Tally::What::failed : Tally::What::delivered, lane, written->country);
    co_return ReceiptFate::written;
  }
  co_return written->early ? ReceiptFate::unknown : ReceiptFate::ignored;
}

void ReceiptDesk::count(ReceiptFate fate) const {
  constexpr const char* names[] = {"written", "ignored", "unknown"};
  ports_.metrics
      .counter("otpd_receipts_total", "Genuine delivery receipts, by what became of them.",
               {{"fate", names[static_cast<std::size_t>(fate)]}})
      .add();
}

}  // namespace otpd::delivery
