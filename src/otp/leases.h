// Leases: the chunks of allowances that this process has taken and not yet spent. In memory only:
// what is lost stays counted in the record.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "otp/allowance.h"

namespace otpd::otp {

// Remembers at most `most` scopes; beyond them every send asks the store.
class Leases {
 public:
  explicit Leases(std::size_t most = 4'096) : most_(most) {}

  // One more send is asked for; how many were in the last two seconds, with this one.
  std::uint64_t ask(const std::string& scope, TimePoint now);

  // Whether one send at that price could be spent.
  bool covers(const std::string& scope, std::uint64_t price, TimePoint now) const;

  // Spends one send at that price; false, and nothing spent, if there is not enough.
  bool spend(const std::string& scope, std::uint64_t price, TimePoint now);

  // Adds what was taken at `now`.
  void put(const std::string& scope, const Chunk& chunk, TimePoint now);

  std::size_t size() const { return leases_.size(); }

 private:
  struct Lease {
    Chunk left;
    TimePoint taken_at;
    TimePoint second;             // in which `now_asked` were asked for
    std::uint64_t now_asked = 0;  // and in the one before it
    std::uint64_t before_asked = 0;

    bool alive(TimePoint now) const { return taken_at <= now && now < taken_at + k_lease_life; }
    bool covers(std::uint64_t price, TimePoint now) const {
      return alive(now) && left.sends > 0 && left.money >= price;
    }
    void turn_to(TimePoint now);
  };
  Lease* find_or_make(const std::string& scope, TimePoint now);

  std::unordered_map<std::string, Lease> leases_;
  TimePoint swept_at_;
  const std::size_t most_;
};

}  // namespace otpd::otp
