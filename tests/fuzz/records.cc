// Stored records: any bytes either decode or are refused, and the rules survive what decodes.
#include <optional>

#include "fuzz.h"
#include "otp/api_keys_state.h"
#include "otp/factors_state.h"
#include "otp/idempotency.h"
#include "otp/payload.h"
#include "otp/sessions_state.h"
#include "otp/verification.h"

namespace {

using namespace otpd;

constexpr TimePoint k_now{Millis(1'800'000'000'000)};

template <class State>
std::optional<State> both_ways(std::string_view bytes) {
  auto state = otp::decode<State>(bytes);
  if (!state) return std::nullopt;
  const std::string written = otp::encode(*state);
  const auto again = otp::decode<State>(written);
  fuzz::require(again && otp::encode(*again) == written, "a record survives being written");
  return std::move(*state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  if (auto state = both_ways<otp::RecipientState>(bytes)) {
    otp::expire(*state, k_now);
    const otp::Policy policy;
    const otp::Limits limits;
    (void)otp::plan_send(*state, {"login", {}, "admission", policy, limits}, k_now);
    (void)otp::reserve(*state, {"login", {}, {}, 6, 6, limits, {}}, k_now);
    for (const otp::Verification& v : state->verifications) (void)otp::status_name(v, k_now);
    (void)otp::garbage_at(*state, k_now);
  }
  if (auto log = both_ways<otp::LogState>(bytes)) {
    (void)otp::check_limit(log->times, {5, std::chrono::hours(1)}, k_now);
    fuzz::require(log->times.size() <= 5, "a log is bounded by its limit");
  }
  if (auto claim = both_ways<otp::IdempotencyState>(bytes)) {
    (void)otp::claim(*claim, "fingerprint", "drawn", Seconds(86'400), k_now);
  }
  if (auto sessions = both_ways<otp::SessionsState>(bytes)) {
    otp::Session* found = otp::find_session(*sessions, "hash", Seconds(60), k_now);
    if (found != nullptr) (void)otp::end_session(*sessions, found);
  }
  if (auto keys = both_ways<otp::ApiKeysState>(bytes)) {
    for (const otp::ApiKey& key : keys->keys) {
      fuzz::require(!otp::opens(key, key.secret_hash, k_now) || key.is_live(k_now),
                    "only a live key opens");
    }
    (void)otp::add_api_key(*keys, {.id = "12345678", .name = "shop"}, k_now);
  }
  if (auto factors = both_ways<otp::FactorsState>(bytes)) {
    const otp::FactorRules rules;
    otp::drop_unconfirmed(*factors, rules, k_now);
    for (otp::Factor& factor : factors->factors) {
      const std::uint64_t before = factor.next;
      const auto verdict = otp::check_code(factor, "a secret", {"123456", {}}, rules, k_now);
      fuzz::require(std::holds_alternative<otp::CodeAccepted>(verdict) || factor.next == before,
                    "a refusal moves nothing");
    }
    (void)otp::reserve_recovery(*factors, rules, k_now);
    (void)otp::settle_recovery(*factors, "digest");
  }
  (void)both_ways<otp::Payload>(bytes);
  return 0;
}
