// Refusals: which of them have an audit line of their own. Whoever is refused may ask again at
// once, so that without this the log would grow as fast as anybody can call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "otp/store.h"

namespace otpd::otp {

// Whether the line tells of a request that was refused without anything being looked at or changed.
bool is_refusal_line(const audit::Event& line);

struct RefusalRules {
  Millis window = Seconds(60);
  std::size_t recipients = 20;    // with a line each, of one address and reason in one window
  std::size_t addresses = 4'096;  // with a reason each; more of them share one sum for each reason
};

// Sums refusals by application, type, reason, and address (an IPv6 address by its /64). Of each sum
// every recipient or user has one line in a window, up to `recipients` of them; all others are
// counted. Not safe from several threads.
class RefusalSums {
 public:
  explicit RefusalSums(RefusalRules rules = {}) : rules_(rules) {}

  // Takes the line's own time as now. Nothing if it is only counted; else how many of its sum were
  // counted since the line before.
  std::optional<std::uint64_t> admit(const audit::Event& line);

  std::size_t size() const { return sums_.size(); }

 private:
  struct Sum {
    TimePoint begun;
    std::vector<std::size_t> told;  // hashes of those who have a line in this window
    std::uint64_t left_out = 0;
  };
  Sum& sum_of(const audit::Event& line);
  bool is_over(const Sum& sum, TimePoint now) const;
  void forget(TimePoint now);

  const RefusalRules rules_;
  std::unordered_map<std::string, Sum> sums_;
  std::optional<TimePoint> forgot_at_;
};

// The detail of a line before which `left_out` were counted: "ip", or "ip; 120 more".
std::string refusal_detail(std::string_view reason, std::uint64_t left_out);

// A store that leaves out the lines which are only counted. Safe from any thread if the store
// behind is, which outlives it. What it counts is of this process, and ends with it.
class RefusalStore final : public Store {
 public:
  explicit RefusalStore(Store& behind) : behind_(behind) {}

  Task<Result<Record>> load(Key key) override { return behind_.load(std::move(key)); }
  std::optional<Record> recall(const Key& key) override { return behind_.recall(key); }
  // What changes a record is as seldom as the rules let it be: nothing of it is left out.
  Task<Result<CommitResult>> commit(Key key, std::uint64_t expected, std::string bytes,
                                    TimePoint expires_at, Effects effects) override {
    return behind_.commit(std::move(key), expected, std::move(bytes), expires_at,
                          std::move(effects));
  }
  Task<Result<void>> append(Effects effects) override;
  Task<Result<void>> ping() override { return behind_.ping(); }

 private:
  void leave_out(std::vector<audit::Event>& lines);

  Store& behind_;
  Guarded<RefusalSums> sums_;
};

}  // namespace otpd::otp
