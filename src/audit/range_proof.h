// RangeProof: checks one range of one chain, line by line, and keeps what there is to say about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/log.h"

namespace otpd::audit {

// Feed it the lines of the range in order, before them the checkpoint that they come after (if
// there is one), after them those up to the next checkpoint; and each other checkpoint as soon as
// its line was there. So neither end of the range can be cut off unnoticed.
class RangeProof {
 public:
  // `public_key` outlives it. `span` is what the range holds at least.
  RangeProof(std::uint32_t chain, std::string_view public_key, ChainSpan span)
      : check_(chain, public_key), span_(span) {}

  void read(const Line& line);
  void read(const Checkpoint& checkpoint);
  // To be called at the end.
  void finish();

  // What is wrong, in words that name the line; nothing if all is well.
  const std::optional<std::string>& broken() const { return broken_; }

  // The lines that were proven to follow one another, as they were written; none: both 0.
  std::uint64_t first() const { return first_; }
  std::uint64_t last() const { return first_ == 0 ? 0 : check_.head().number; }
  // The last of them that a checkpoint vouches for (0: none), and when that was signed.
  std::uint64_t vouched() const { return check_.vouched(); }
  TimePoint vouched_at() const { return vouched_at_; }
  // The oldest line that is kept, where the lines before it are gone: its hash is taken as it is,
  // so it is not among the proven ones.
  const std::optional<Line>& oldest_kept() const { return oldest_kept_; }

 private:
  void begin(const Line& line);

  ChainCheck check_;
  ChainSpan span_;
  std::optional<Checkpoint> before_;  // until the first line
  bool begun_ = false;
  std::uint64_t first_ = 0;
  TimePoint vouched_at_;
  std::optional<Line> oldest_kept_;
  std::optional<std::string> broken_;
};

}  // namespace otpd::audit
