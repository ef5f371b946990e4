#include "audit/range_proof.h"

#include <fmt/format.h>

namespace otpd::audit {

void RangeProof::read(const Line& line) {
  if (broken_) return;
  if (!begun_) {
    begin(line);
    if (oldest_kept_) return;
  }
  check_.read(line);
  broken_ = check_.broken();
  if (first_ == 0 && !broken_) first_ = line.number;
}

void RangeProof::begin(const Line& line) {
  begun_ = true;
  if (before_) {
    check_.start_after(*before_);
    vouched_at_ = before_->at;
  } else if (line.number > 1) {
    oldest_kept_ = line;
    check_.start_with(line);
  }
}

void RangeProof::read(const Checkpoint& checkpoint) {
  if (broken_) return;
  if (!begun_ && !before_) {
    before_ = checkpoint;
    return;
  }
  if (!begun_) {  // the lines after the first one are gone
    begun_ = true;
    check_.start_after(*before_);
  }
  check_.read(checkpoint);
  broken_ = check_.broken();
  if (!broken_ && check_.vouched() == checkpoint.number) vouched_at_ = checkpoint.at;
}

void RangeProof::finish() {
  if (broken_) return;
  if (!begun_ && before_) check_.start_after(*before_);
  check_.finish();
  broken_ = check_.broken();
  if (broken_) return;
  const Head& head = check_.head();
  const std::uint64_t begin = before_        ? before_->number + 1
                              : oldest_kept_ ? oldest_kept_->number
                                             : 1;
  if (span_.first <= span_.last && begin > span_.first) {
    broken_ = fmt::format("chain {}, line {}: it is missing, as are the lines up to {}", head.chain,
                          span_.first, begin - 1);
  } else if (head.number < span_.last) {
    broken_ = fmt::format("chain {}, line {}: it is missing, as are the lines up to {}", head.chain,
                          head.number + 1, span_.last);
  }
}

}  // namespace otpd::audit
