// AuditWalk: reads one range of one chain from the running otpd, in the order that proves it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <variant>
#include <vector>

#include "audit/log.h"
#include "base/result.h"

namespace otpd::app {

// A chain of the log, and the lines of it that are asked for. A range without a line is `last` one
// less than `first`: that nothing is between its neighbours can be proven, too.
struct AuditChain {
  std::uint32_t chain = 0;
  audit::ChainSpan span;
};

struct AuditChains {
  std::string public_key;  // 32 bytes
  std::vector<AuditChain> chains;
};

// The JSON object that an otpd answers to a GET of this target; failures: as AdminClient::ask.
using AdminAsk = std::function<Result<nlohmann::json>(const std::string& target)>;

// What is kept of every chain, or of it the lines of [from, to). Failures: as `ask`.
Result<AuditChains> ask_chains(const AdminAsk& ask, std::optional<TimePoint> from,
                               std::optional<TimePoint> to);

// Gives first the checkpoint that the range is to be read after (none: the chain begins here, or
// what was before is gone), then its lines, each checkpoint after its line, up to the first
// checkpoint behind the range; without one to the last line. A checkpoint whose line does not come
// is given at the end.
class AuditWalk {
 public:
  using Step = std::variant<audit::Line, audit::Checkpoint>;

  AuditWalk(AdminAsk ask, const AuditChain& chain);

  // To be called first. The lines that are there to be read at least: those of the chain, unless
  // some have reached the end of their retention meanwhile. Failures: as `ask`.
  Result<audit::ChainSpan> begin();
  // Nothing at the end. Failures: as `ask`; then the walk is over.
  Result<std::optional<Step>> next();

 private:
  // With the checkpoint before `next_checkpoint_`, too?
  enum class Before : bool { leave, take };
  Result<void> fill_checkpoints(Before before);
  Result<void> fill_lines();

  const AdminAsk ask_;
  AuditChain chain_;
  std::uint64_t next_line_ = 1;
  std::uint64_t next_checkpoint_ = 1;
  bool ended_ = false;
  bool last_page_ = false;  // of checkpoints
  std::deque<audit::Checkpoint> checkpoints_;
  std::deque<audit::Line> lines_;
};

}  // namespace otpd::app
