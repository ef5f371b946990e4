// Checkpointer: signs where the chains of the audit log end, again and again.
#pragma once

#include <cstdint>
#include <map>

#include "audit/log.h"
#include "base/metrics.h"

namespace otpd::audit {

// For one loop. Any number of checkpointers may work on one log: of two checkpoints about one line
// the first stays, and both say the same. The ports outlive it.
class Checkpointer {
 public:
  Checkpointer(AuditLog& log, const Clock& clock, CheckpointSigner signer, Metrics& metrics);

  // Signs the end of every chain that has moved since its last checkpoint, and logs each checkpoint
  // (level info), so that one exists outside the database, too. A chain that contradicts its last
  // checkpoint at the first look is logged as an error, and signed from there on: the checkpoints
  // before keep saying where it is broken. Failures: as the log; what was signed stays.
  Task<Result<void>> sign();

  // Until stop(): signs every so often. Exports otpd_audit_checkpoints_total,
  // otpd_audit_checkpoint_failures_total and otpd_audit_contradictions_total.
  Task<void> run(Millis every);
  // To be called on its loop.
  void stop() { stopping_ = true; }

  const std::string& public_key() const { return signer_.public_key(); }

 private:
  Task<Result<void>> sign(const Head& head);
  Task<Result<void>> look_back(const Head& head);

  AuditLog& log_;
  const Clock& clock_;
  const CheckpointSigner signer_;
  Counter signed_;
  Counter failures_;
  Counter contradictions_;
  std::map<std::uint32_t, std::uint64_t> last_;  // by chain, the last line known to be signed
  bool stopping_ = false;
};

}  // namespace otpd::audit
