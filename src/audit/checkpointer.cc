#include "audit/checkpointer.h"

#include "base/encoding.h"
#include "base/log.h"

namespace otpd::audit {

Checkpointer::Checkpointer(AuditLog& log, const Clock& clock, CheckpointSigner signer,
                           Metrics& metrics)
    : log_(log),
      clock_(clock),
      signer_(std::move(signer)),
      signed_(metrics.counter("otpd_audit_checkpoints_total", "Checkpoints of the audit log.")),
      failures_(metrics.counter("otpd_audit_checkpoint_failures_total",
                                "Times that the ends of the audit log could not be signed.")),
      contradictions_(metrics.counter("otpd_audit_contradictions_total",
                                      "Chains of the audit log that are not what their last "
                                      "checkpoint says.")) {}

Task<Result<void>> Checkpointer::sign() {
  const auto heads = co_await log_.heads();
  if (!heads) co_return std::unexpected(heads.error());
  for (const Head& head : *heads) {
    if (!last_.contains(head.chain)) {
      if (auto looked = co_await look_back(head); !looked) co_return looked;
    }
    if (last_[head.chain] == head.number) continue;
    if (auto done = co_await sign(head); !done) co_return done;
  }
  co_return Result<void>();
}

Task<Result<void>> Checkpointer::sign(const Head& head) {
  const Checkpoint checkpoint = signer_.sign(head, clock_.now());
  const auto added = co_await log_.add_checkpoint(checkpoint);
  if (!added) co_return added;
  last_[head.chain] = head.number;
  signed_.add();
  log::info("audit checkpoint", {{"chain", head.chain},
                                 {"number", head.number},
                                 {"hash", hex_encode(head.hash)},
                                 {"signature", hex_encode(checkpoint.signature)}});
  co_return Result<void>();
}

// What the last checkpoint says of its line must still be so.
Task<Result<void>> Checkpointer::look_back(const Head& head) {
  const auto known = co_await log_.checkpoints(head.chain, INT64_MAX, 1);
  if (!known) co_return std::unexpected(known.error());
  last_[head.chain] = 0;
  if (known->empty()) co_return Result<void>();
  const Checkpoint& last = known->front();
  const auto lines = co_await log_.lines(head.chain, last.number, 1);
  if (!lines) {
    last_.erase(head.chain);
    co_return std::unexpected(lines.error());
  }
  const bool same =
      !lines->empty() && (lines->front().number != last.number || lines->front().hash == last.hash);
  if (same) {
    last_[head.chain] = last.number;
  } else {
    contradictions_.add();
    log::error("the audit log is not what its last checkpoint says: run otpd audit verify",
               {{"chain", head.chain}, {"number", last.number}});
  }
  co_return Result<void>();
}

Task<void> Checkpointer::run(Millis every) {
  log::info("audit checkpoints are signed", {{"public_key", hex_encode(signer_.public_key())}});
  while (!stopping_) {
    const auto done = co_await sign();
    if (!done) {
      failures_.add();
      log::warn("the audit log cannot be signed", {{"reason", done.error().message}});
    }
    co_await sleep_for(every);
  }
}

}  // namespace otpd::audit
