// StrictStore: a store that asks a ledger, beside the store behind it, whether a code was consumed
// before. Nothing that the store behind forgets can make a code valid again.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "otp/store.h"
#include "storage/postgres/backend.h"

namespace otpd::storage {

// Passes every call on. A commit that consumes codes (it writes the audit line verify_success) is
// written behind first and then in the ledger: when the ledger knows a code, the answer is
// `conflict`, so that the caller finds it consumed and says no, and one more audit line
// (verify_fail, detail "consumed_before") tells that nobody was let in. When the ledger cannot be
// asked, the call fails: the code is consumed and nobody was let in.
class StrictStore final : public otp::Store {
 public:
  // All outlive the store.
  StrictStore(otp::Store& behind, ConsumptionLedger& ledger, const Clock& clock, Metrics& metrics);

  Task<Result<otp::Record>> load(otp::Key key) override;
  std::optional<otp::Record> recall(const otp::Key& key) override;
  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override;
  Task<Result<void>> append(otp::Effects effects) override;
  Task<Result<void>> ping() override;

 private:
  Task<Result<otp::CommitResult>> consume(std::vector<audit::Event> consumed);
  Task<Result<void>> report(audit::Event success);

  otp::Store& behind_;
  ConsumptionLedger& ledger_;
  const Clock& clock_;
  Counter caught_;
};

}  // namespace otpd::storage
