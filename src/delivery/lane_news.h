// LaneNews: what the workers tell one another about the lanes, so that a carrier that fails one of
// them is soon left alone by all.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "delivery/breaker.h"

namespace otpd::delivery {

// What one process has seen of a lane itself. Hearsay is never passed on.
struct LaneNews {
  std::string lane;
  bool open = false;  // its circuit, until a probe has closed it again
  std::string reason;
  TimePoint until;  // when an open one is probed
  LaneHealth health;
  double per_second = 0;
  std::uint32_t in_flight = 0;
};

std::string encode_news(const std::vector<LaneNews>& news);
// Nothing unless `text` is what encode_news() gives.
std::optional<std::vector<LaneNews>> decode_news(std::string_view text);

// What all other processes say of one lane, taken together.
struct LaneHearsay {
  bool open = false;     // somebody found it broken …
  bool answers = false;  // … though others get answers
  std::string reason;
  TimePoint until;    // the latest
  LaneHealth health;  // added up; of the percentiles the greatest
  double per_second = 0;
  std::uint32_t in_flight = 0;
};
LaneHearsay gather(std::string_view lane, const std::vector<LaneNews>& news);

// The port to where news are left for the others.
class HealthBoard {
 public:
  struct Posted {
    std::vector<LaneNews> news;      // of the other processes
    std::set<std::string> disabled;  // lanes that an operator took out of use
  };
  virtual ~HealthBoard() = default;
  // Replaces what this process said; what a process said is forgotten when it has been silent for
  // a few seconds. Answers what there is.
  virtual Task<Result<Posted>> exchange(std::vector<LaneNews> mine) = 0;
  // For all processes and for good.
  virtual Task<Result<void>> set_disabled(std::string lane, bool disabled) = 0;
};

}  // namespace otpd::delivery
