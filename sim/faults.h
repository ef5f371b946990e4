// Faults: the plans in force, and what they do to each request.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "base/task.h"
#include "face.h"
#include "fault_plan.h"

namespace otpd::sim {

// What becomes of one request.
struct Fate {
  enum class Kind : std::uint8_t { normal, reset, error, throttle, garbage };
  std::shared_ptr<const FaultPlan> plan;
  Kind kind = Kind::normal;
  Millis latency{0};       // before its answer
  bool lose = false;       // if it is accepted
  bool drop = false;       // the answer, if it is accepted
  std::uint64_t dice = 0;  // chooses the garbage, and the receipts' delays
};

// A time of that shape, chosen by 64 random bits.
Millis pick_delay(const Delay& delay, std::uint64_t bits);

// The plan of one face. The same seed and plan give the same fates in the same order, counted
// from the moment the plan came into force. Safe from any thread.
class Faults {
 public:
  static constexpr Millis k_hang_limit{60'000};

  explicit Faults(std::uint64_t seed) : seed_(seed), random_(seed) {}

  void set(FaultPlan plan, TimePoint now);
  std::shared_ptr<const FaultPlan> plan() const;
  // What becomes of a request that arrives `now`.
  Fate decide(TimePoint now);
  // Whether an outage holds, of the kind that resets connections or of the kind that answers.
  bool is_down(TimePoint now) const;
  bool is_refusing(TimePoint now) const;
  // Waits out the fate's latency, and its plan's hanging. False if that took k_hang_limit: then
  // nobody waits for the answer any more, and the connection may end without one.
  Task<bool> delay(Fate fate);

 private:
  bool strikes(double rate);
  void hold(const Fate& fate, Callback<Result<bool>> until_change);

  mutable std::mutex mutex_;
  std::shared_ptr<const FaultPlan> plan_ = std::make_shared<FaultPlan>();
  TimePoint since_;
  std::uint64_t seed_;
  SeededRandom random_;
  std::deque<Callback<Result<bool>>> hanging_;  // to be called when the plan changes
};

// The plans of all faces. Safe from any thread.
class FaultBoard {
 public:
  explicit FaultBoard(std::uint64_t seed);

  Faults& of(Face face) { return *faults_[index_of(face)]; }
  // The same plan for every face.
  void set_all(const FaultPlan& plan, TimePoint now);
  // What `set_all` was given last.
  FaultPlan common() const;

 private:
  std::array<std::unique_ptr<Faults>, k_faces> faults_;
  mutable std::mutex mutex_;
  FaultPlan common_;
};

}  // namespace otpd::sim
