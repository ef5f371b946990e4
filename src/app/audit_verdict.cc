#include "app/audit_verdict.h"

#include <fmt/format.h>

#include <ostream>

#include "base/rfc3339.h"

namespace otpd::app {

AuditVerdict::AuditVerdict(std::string public_key, std::ostream& out)
    : public_key_(std::move(public_key)), out_(out) {}

void AuditVerdict::begin(const AuditChain& chain) {
  conclude();
  chain_ = chain;
  proof_ = std::make_unique<audit::RangeProof>(chain.chain, public_key_, chain.span);
}

void AuditVerdict::read(const AuditWalk::Step& step) {
  if (const auto* line = std::get_if<audit::Line>(&step)) {
    proof_->read(*line);
    ++lines_;
  } else {
    proof_->read(std::get<audit::Checkpoint>(step));
  }
}

void AuditVerdict::refute(const std::string& why) {
  refuted_ = true;
  out_ << "BROKEN: " << why << "\n";
}

int AuditVerdict::finish() {
  conclude();
  if (refuted_) {
    out_ << "The audit log is not complete and unaltered.\n";
    return 1;
  }
  out_ << (chains_ == 0 ? "There is no line.\n" : "All of it is complete and unaltered.\n");
  return 0;
}

void AuditVerdict::conclude() {
  const auto proof = std::move(proof_);
  if (!proof) return;
  ++chains_;
  proof->finish();
  if (proof->broken()) return refute(*proof->broken());
  tell(*proof);
}

void AuditVerdict::tell(const audit::RangeProof& proof) {
  const std::string chain = fmt::format("chain {}: ", chain_.chain);
  if (const auto& oldest = proof.oldest_kept()) {
    out_ << chain
         << fmt::format("begins at line {} of {}; what was before is not kept\n", oldest->number,
                        rfc3339(oldest->event.created_at));
  }
  if (chain_.span.first > chain_.span.last) out_ << chain << "no line in this time\n";
  if (proof.first() == 0) {
    out_ << chain << "nothing can be proven\n";
    return;
  }
  out_ << chain
       << fmt::format("{} lines proven, {} to {}\n", proof.last() - proof.first() + 1,
                      proof.first(), proof.last());
  if (proof.vouched() == 0) {
    out_ << chain << "no checkpoint vouches for any of them: only the hashes agree\n";
    return;
  }
  out_ << chain
       << fmt::format("a checkpoint of {} vouches for them up to line {}\n",
                      rfc3339(proof.vouched_at()), proof.vouched());
  if (const std::uint64_t after = proof.vouched() + 1; after <= proof.last()) {
    out_ << chain
         << fmt::format("{} came after the last checkpoint: only the hashes agree\n",
                        after == proof.last() ? fmt::format("line {}", after)
                                              : fmt::format("lines {} to {}", after, proof.last()));
  }
}

}  // namespace otpd::app
