// Allowance: how much may be used in any window by everybody together, counted without a record
// that every request writes. What one scope (an application, a country, a block of numbers) has
// used stands in one record, in sub-windows; a process takes a chunk of it at once and spends that
// by itself (leases.h). Pure rules.
//
// The caps are hard, however many processes take: a sub-window counts as long as any part of it is
// inside the window, and a chunk counts from when it ends, so that in no window more is used than
// the cap. The price: up to a sixtieth of the window longer than needed until something is free
// again, and refusals that may come early by what other processes have taken and not yet spent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace otpd::otp {

// A chunk is lost when it is this old; what of it was not spent stays counted.
inline constexpr Millis k_lease_life{3'000};

// What was taken in one sub-window.
struct Taken {
  TimePoint from;  // the beginning of the sub-window
  std::uint64_t amount = 0;
  bool operator==(const Taken&) const = default;
};

// The oldest first; bounded by the number of sub-windows of a window.
using TakenLog = std::vector<Taken>;

// How long a sub-window of the window is: what was taken at the same time as something else is told
// from it no more finely.
Millis sub_window(Millis window);

// How much counts at `now`. Drops what no longer does. What a clock that stepped back has left in
// the future is moved to the present: it can lock for one window, and never lets more through.
std::uint64_t taken_within(TakenLog& log, Millis window, TimePoint now);

// Adds to what is taken. The log then counts at least until `now + k_lease_life + window`.
void add_taken(TakenLog& log, Millis window, std::uint64_t amount, TimePoint now);

// How long until `amount` more fits below `max`, if nothing else is taken; the whole window if it
// never does.
Millis until_room(const TakenLog& log, std::uint64_t max, Millis window, std::uint64_t amount,
                  TimePoint now);

// Never wraps around: what is too large is the largest there is.
std::uint64_t add_capped(std::uint64_t a, std::uint64_t b);

// What is counted in one scope: sends by the hour and by the day, and what they cost by the day (in
// millionths of the currency).
enum class Meter : std::uint8_t { hour, day, spent };
inline constexpr std::array k_meters{Meter::hour, Meter::day, Meter::spent};
constexpr Millis window_of(Meter meter) {
  return meter == Meter::hour ? std::chrono::hours(1) : std::chrono::hours(24);
}

struct Cap {
  std::uint64_t max = 1;
  bool shadow = false;  // what goes beyond it is only recorded
  bool operator==(const Cap&) const = default;
};

// Something for each meter.
template <class T>
struct ByMeter {
  std::array<T, k_meters.size()> values{};
  T& operator[](Meter meter) { return values[static_cast<std::size_t>(meter)]; }
  const T& operator[](Meter meter) const { return values[static_cast<std::size_t>(meter)]; }
  bool operator==(const ByMeter&) const = default;
};

// The caps of one scope; what has none is limited by another scope.
using AllowanceCaps = ByMeter<std::optional<Cap>>;
using AllowanceLogs = ByMeter<TakenLog>;

// What became of asking for one send: for each cap that is reached, how long it will be.
using AllowanceVerdict = ByMeter<std::optional<Millis>>;

AllowanceVerdict check_allowance(AllowanceLogs& logs, const AllowanceCaps& caps,
                                 std::uint64_t price, TimePoint now);

// The first cap in the way that is more than a shadow; or the first shadow.
std::optional<Meter> refusing(const AllowanceVerdict& verdict, const AllowanceCaps& caps,
                              bool shadow);

// Some sends, and what may be spent for them.
struct Chunk {
  std::uint64_t sends = 0;
  std::uint64_t money = 0;
  bool operator==(const Chunk&) const = default;
};

// What a process takes at once that was asked for `recent` sends in the last two seconds: at least
// one send, and no more than a fiftieth of what any cap has left. After a verdict without a refusal
// at the same `now`.
Chunk chunk_of(AllowanceLogs& logs, const AllowanceCaps& caps, std::uint64_t price,
               std::uint64_t recent, TimePoint now);

// Counts the chunk wherever there is a cap that has not refused it.
void take_chunk(AllowanceLogs& logs, const AllowanceCaps& caps, const AllowanceVerdict& verdict,
                const Chunk& chunk, TimePoint now);

// How much of the cap on sends by the hour is used, in percent and rounded down; 0 without one.
std::uint32_t hour_used_percent(AllowanceLogs& logs, const AllowanceCaps& caps, TimePoint now);

}  // namespace otpd::otp
