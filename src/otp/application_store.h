// ApplicationStore: a store that writes whose every audit line is. Each application but the base
// one writes through its own.
#pragma once

#include <string>
#include <utility>

#include "otp/store.h"

namespace otpd::otp {

// Safe from any thread if the store behind is, which outlives it.
class ApplicationStore final : public Store {
 public:
  ApplicationStore(Store& behind, std::string application)
      : behind_(behind), application_(std::move(application)) {}

  Task<Result<Record>> load(Key key) override { return behind_.load(std::move(key)); }
  std::optional<Record> recall(const Key& key) override { return behind_.recall(key); }
  Task<Result<CommitResult>> commit(Key key, std::uint64_t expected, std::string bytes,
                                    TimePoint expires_at, Effects effects) override {
    name(effects);
    return behind_.commit(std::move(key), expected, std::move(bytes), expires_at,
                          std::move(effects));
  }
  Task<Result<void>> append(Effects effects) override {
    name(effects);
    return behind_.append(std::move(effects));
  }
  Task<Result<void>> ping() override { return behind_.ping(); }

 private:
  void name(Effects& effects) const {
    for (audit::Event& event : effects.events) event.application = application_;
  }

  Store& behind_;
  const std::string application_;
};

}  // namespace otpd::otp
