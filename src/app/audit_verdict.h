// AuditVerdict: proves chains one after the other, and says for people what was proven.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "app/audit_walk.h"
#include "audit/range_proof.h"

namespace otpd::app {

class AuditVerdict {
 public:
  // Against this public key. `out` outlives it.
  AuditVerdict(std::string public_key, std::ostream& out);

  // The chain that is read from now on; the one before is done with.
  void begin(const AuditChain& chain);
  void read(const AuditWalk::Step& step);
  // Something else is wrong than a chain.
  void refute(const std::string& why);
  // Whether the chain is worth reading on.
  bool broken() const { return proof_ && proof_->broken(); }
  std::uint64_t lines() const { return lines_; }

  // Done with all. The exit code: 0, or 1 if anything is broken.
  int finish();

 private:
  void conclude();
  void tell(const audit::RangeProof& proof);

  const std::string public_key_;
  std::ostream& out_;
  AuditChain chain_;
  std::unique_ptr<audit::RangeProof> proof_;
  std::uint64_t lines_ = 0;
  std::uint64_t chains_ = 0;
  bool refuted_ = false;
};

}  // namespace otpd::app
