// RoutedStore: two stores as one. What must never vanish is in the durable one, everything else in
// the hot one.
#pragma once

#include <utility>

#include "otp/keys.h"
#include "otp/store.h"

namespace otpd::storage {

// A record is where otp::is_durable says, with what is written in the same step; effects alone go
// to the hot one. Ready when the hot one is. Both outlive it.
class RoutedStore final : public otp::Store {
 public:
  RoutedStore(otp::Store& hot, otp::Store& durable) : hot_(hot), durable_(durable) {}

  Task<Result<otp::Record>> load(otp::Key key) override {
    otp::Store& store = of(key);
    return store.load(std::move(key));
  }
  std::optional<otp::Record> recall(const otp::Key& key) override { return of(key).recall(key); }
  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override {
    otp::Store& store = of(key);
    return store.commit(std::move(key), expected, std::move(bytes), expires_at, std::move(effects));
  }
  Task<Result<void>> append(otp::Effects effects) override {
    return hot_.append(std::move(effects));
  }
  Task<Result<void>> ping() override { return hot_.ping(); }

 private:
  otp::Store& of(const otp::Key& key) const { return otp::is_durable(key) ? durable_ : hot_; }

  otp::Store& hot_;
  otp::Store& durable_;
};

}  // namespace otpd::storage
