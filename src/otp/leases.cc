#include "otp/leases.h"

#include <algorithm>

namespace otpd::otp {

void Leases::Lease::turn_to(TimePoint now) {
  const TimePoint begun = std::chrono::floor<Seconds>(now);
  if (begun == second) return;
  before_asked = begun == second + Seconds(1) ? now_asked : 0;
  now_asked = 0;
  second = begun;
}

Leases::Lease* Leases::find_or_make(const std::string& scope, TimePoint now) {
  const auto found = leases_.find(scope);
  if (found != leases_.end()) return &found->second;
  const TimePoint second = std::chrono::floor<Seconds>(now);
  if (leases_.size() >= most_ && swept_at_ != second) {
    swept_at_ = second;
    std::erase_if(leases_, [&](const auto& entry) {
      const Lease& lease = entry.second;
      return !lease.alive(now) && lease.second + Seconds(2) <= now;
    });
  }
  return leases_.size() < most_ ? &leases_[scope] : nullptr;
}

std::uint64_t Leases::ask(const std::string& scope, TimePoint now) {
  Lease* lease = find_or_make(scope, now);
  if (lease == nullptr) return 1;
  lease->turn_to(now);
  ++lease->now_asked;
  return lease->now_asked + lease->before_asked;
}

bool Leases::covers(const std::string& scope, std::uint64_t price, TimePoint now) const {
  const auto found = leases_.find(scope);
  return found != leases_.end() && found->second.covers(price, now);
}

bool Leases::spend(const std::string& scope, std::uint64_t price, TimePoint now) {
  const auto found = leases_.find(scope);
  if (found == leases_.end() || !found->second.covers(price, now)) return false;
  --found->second.left.sends;
  found->second.left.money -= price;
  return true;
}

void Leases::put(const std::string& scope, const Chunk& chunk, TimePoint now) {
  if (chunk.sends == 0) return;
  Lease* lease = find_or_make(scope, now);
  if (lease == nullptr) return;
  if (!lease->alive(now) || lease->left.sends == 0) {
    lease->left = {};
    lease->taken_at = now;
  }
  // Together they live no longer than the older one: its record counts no longer, either.
  lease->taken_at = std::min(lease->taken_at, now);
  lease->left.sends = add_capped(lease->left.sends, chunk.sends);
  lease->left.money = add_capped(lease->left.money, chunk.money);
}

}  // namespace otpd::otp
