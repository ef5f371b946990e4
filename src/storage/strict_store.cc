#include "storage/strict_store.h"

#include <utility>

#include "base/log.h"
#include "base/uuid.h"
#include "crypto/primitives.h"

namespace otpd::storage {
namespace {

std::vector<audit::Event> strict_consumed_by(const otp::Effects& effects) {
  std::vector<audit::Event> consumed;
  for (const audit::Event& event : effects.events) {
    if (event.event_type == audit::event_type::k_verify_success) consumed.push_back(event);
  }
  return consumed;
}

}  // namespace

StrictStore::StrictStore(otp::Store& behind, ConsumptionLedger& ledger, const Clock& clock,
                         Metrics& metrics)
    : behind_(behind),
      ledger_(ledger),
      clock_(clock),
      caught_(metrics.counter("otpd_consumed_before_total",
                              "Codes that the hot store took for live and the ledger knew as "
                              "consumed; nobody was let in.")) {}

Task<Result<otp::Record>> StrictStore::load(otp::Key key) {
  co_return co_await behind_.load(std::move(key));
}

std::optional<otp::Record> StrictStore::recall(const otp::Key& key) {
  return behind_.recall(key);
}

Task<Result<otp::CommitResult>> StrictStore::commit(otp::Key key, std::uint64_t expected,
                                                    std::string bytes, TimePoint expires_at,
                                                    otp::Effects effects) {
  auto consumed = strict_consumed_by(effects);
  const auto written = co_await behind_.commit(std::move(key), expected, std::move(bytes),
                                               expires_at, std::move(effects));
  if (!written || *written == otp::CommitResult::conflict || consumed.empty()) co_return written;
  co_return co_await consume(std::move(consumed));
}

Task<Result<otp::CommitResult>> StrictStore::consume(std::vector<audit::Event> consumed) {
  for (audit::Event& success : consumed) {
    const auto first = co_await ledger_.consume(success.verification_id, clock_.now());
    if (!first) co_return std::unexpected(first.error());
    if (*first) continue;
    caught_.add();
    log::error("a code was consumed before; the hot store had forgotten it",
               {{"verification_id", success.verification_id}});
    if (const auto told = co_await report(std::move(success)); !told) {
      co_return std::unexpected(told.error());
    }
    co_return otp::CommitResult::conflict;
  }
  co_return otp::CommitResult::done;
}

Task<Result<void>> StrictStore::report(audit::Event success) {
  success.id = uuid_v8(crypto::sha256("consumed before " + success.id));
  success.event_type = audit::event_type::k_verify_fail;
  success.detail = "consumed_before";
  otp::Effects effects;
  effects.events.push_back(std::move(success));
  co_return co_await behind_.append(std::move(effects));
}

Task<Result<void>> StrictStore::append(otp::Effects effects) {
  co_return co_await behind_.append(std::move(effects));
}

Task<Result<void>> StrictStore::ping() {
  co_return co_await behind_.ping();
}

}  // namespace otpd::storage
