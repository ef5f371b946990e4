// FaultyStore: a store in front of another one that fails where a test says so.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "otp/store.h"

namespace otpd::usecase {

enum class Operation : std::uint8_t { load, commit, append };
enum class Fault : std::uint8_t {
  none,
  before,  // fails and changes nothing
  after,   // does it, and then the answer is lost
};

// Passes every call on, unless `script` answers a fault for it. Set the script while nothing runs;
// with a script it is for one thread.
class FaultyStore final : public otp::Store {
 public:
  using Script = std::function<Fault(Operation, const otp::Key&, const otp::Effects&)>;

  explicit FaultyStore(otp::Store& behind) : behind_(behind) {}

  Task<Result<otp::Record>> load(otp::Key key) override {
    if (fault(Operation::load, key, {}) != Fault::none) co_return lost();
    co_return co_await behind_.load(std::move(key));
  }

  std::optional<otp::Record> recall(const otp::Key& key) override { return behind_.recall(key); }

  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override {
    ++commits;
    const Fault what = fault(Operation::commit, key, effects);
    if (delay) co_await delay(effects);
    const bool ends = !effects.finish.empty();
    if (what == Fault::before) co_return lost();
    auto done = co_await behind_.commit(std::move(key), expected, std::move(bytes), expires_at,
                                        std::move(effects));
    if (linger && ends) co_await linger();
    if (what == Fault::after) co_return lost();
    co_return done;
  }

  Task<Result<void>> append(otp::Effects effects) override {
    const Fault what = fault(Operation::append, {}, effects);
    if (what == Fault::before) co_return lost();
    auto done = co_await behind_.append(std::move(effects));
    if (what == Fault::after) co_return lost();
    co_return done;
  }

  Task<Result<void>> ping() override { co_return co_await behind_.ping(); }

  Script script;
  std::atomic<std::size_t> commits = 0;
  // Runs before a commit reaches the store behind.
  std::function<Task<void>(const otp::Effects&)> delay;
  // Runs after a commit that ends a job, before its answer.
  std::function<Task<void>()> linger;

 private:
  Fault fault(Operation operation, const otp::Key& key, const otp::Effects& effects) {
    return script ? script(operation, key, effects) : Fault::none;
  }
  static std::unexpected<Error> lost() { return fail(Failure::unavailable, "scripted"); }

  otp::Store& behind_;
};

}  // namespace otpd::usecase
