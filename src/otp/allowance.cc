#include "otp/allowance.h"

#include <algorithm>
#include <limits>

namespace otpd::otp {
namespace {

constexpr int k_sub_windows = 60;
constexpr std::uint64_t k_chunks_of_rest = 50;  // a chunk is at most a fiftieth of what is left

// The sub-window in which something counts that is taken at `now`: the one in which it may last be
// spent.
TimePoint counted_from(Millis window, TimePoint now) {
  const Millis width = sub_window(window);
  const Millis at = (now + k_lease_life).time_since_epoch();
  return TimePoint(at - at % width);
}

TimePoint counted_until(const Taken& taken, Millis window) {
  return taken.from + sub_window(window) + window;
}

std::uint64_t rest_of(TakenLog& log, const Cap& cap, Millis window, TimePoint now) {
  const std::uint64_t taken = taken_within(log, window, now);
  return taken < cap.max ? cap.max - taken : 0;
}

std::uint64_t amount_of(Meter meter, const Chunk& chunk) {
  return meter == Meter::spent ? chunk.money : chunk.sends;
}

}  // namespace

Millis sub_window(Millis window) {
  return std::max(window / k_sub_windows, Millis(1));
}

std::uint64_t add_capped(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

std::uint64_t taken_within(TakenLog& log, Millis window, TimePoint now) {
  // Clocks of several processes differ: one sub-window ahead is not the future.
  const TimePoint latest = counted_from(window, now) + sub_window(window);
  std::uint64_t moved = 0;
  while (!log.empty() && log.back().from > latest) {
    moved = add_capped(moved, log.back().amount);
    log.pop_back();
  }
  if (moved > 0) {
    if (log.empty() || log.back().from != latest) log.push_back({latest, 0});
    log.back().amount = add_capped(log.back().amount, moved);
  }
  std::erase_if(log, [&](const Taken& taken) { return counted_until(taken, window) <= now; });
  std::uint64_t sum = 0;
  for (const Taken& taken : log) sum = add_capped(sum, taken.amount);
  return sum;
}

void add_taken(TakenLog& log, Millis window, std::uint64_t amount, TimePoint now) {
  if (amount == 0) return;
  taken_within(log, window, now);
  const TimePoint from = counted_from(window, now);
  // Behind what another process's clock has put there already.
  if (log.empty() || log.back().from < from) log.push_back({from, 0});
  log.back().amount = add_capped(log.back().amount, amount);
}

Millis until_room(const TakenLog& log, std::uint64_t max, Millis window, std::uint64_t amount,
                  TimePoint now) {
  std::uint64_t sum = amount;
  for (const Taken& taken : log) sum = add_capped(sum, taken.amount);
  for (const Taken& taken : log) {
    if (sum <= max) break;
    sum -= std::min(sum, taken.amount);
    if (sum <= max) return std::max(counted_until(taken, window) - now, Millis(1));
  }
  return sum <= max ? Millis(0) : window;
}

AllowanceVerdict check_allowance(AllowanceLogs& logs, const AllowanceCaps& caps,
                                 std::uint64_t price, TimePoint now) {
  AllowanceVerdict verdict;
  for (const Meter meter : k_meters) {
    const std::uint64_t amount = amount_of(meter, {1, price});
    if (!caps[meter] || amount == 0) continue;
    const Millis window = window_of(meter);
    if (rest_of(logs[meter], *caps[meter], window, now) >= amount) continue;
    verdict[meter] = until_room(logs[meter], caps[meter]->max, window, amount, now);
  }
  return verdict;
}

std::optional<Meter> refusing(const AllowanceVerdict& verdict, const AllowanceCaps& caps,
                              bool shadow) {
  const auto found = std::ranges::find_if(k_meters, [&](Meter meter) {
    return verdict[meter] && caps[meter] && caps[meter]->shadow == shadow;
  });
  return found == k_meters.end() ? std::nullopt : std::optional(*found);
}

Chunk chunk_of(AllowanceLogs& logs, const AllowanceCaps& caps, std::uint64_t price,
               std::uint64_t recent, TimePoint now) {
  std::uint64_t sends = recent;
  for (const Meter meter : k_meters) {
    const std::uint64_t each = amount_of(meter, {1, price});
    if (!caps[meter] || each == 0) continue;
    sends = std::min(
        sends, rest_of(logs[meter], *caps[meter], window_of(meter), now) / k_chunks_of_rest / each);
  }
  sends = std::max<std::uint64_t>(sends, 1);
  // The caps bound the product, unless nothing is capped in money.
  return {sends, caps[Meter::spent] ? sends * price : 0};
}

void take_chunk(AllowanceLogs& logs, const AllowanceCaps& caps, const AllowanceVerdict& verdict,
                const Chunk& chunk, TimePoint now) {
  for (const Meter meter : k_meters) {
    if (!caps[meter] || verdict[meter]) continue;
    add_taken(logs[meter], window_of(meter), amount_of(meter, chunk), now);
  }
}

std::uint32_t hour_used_percent(AllowanceLogs& logs, const AllowanceCaps& caps, TimePoint now) {
  const auto& cap = caps[Meter::hour];
  if (!cap) return 0;
  const std::uint64_t taken = taken_within(logs[Meter::hour], window_of(Meter::hour), now);
  if (taken >= cap->max) return 100;
  constexpr std::uint64_t k_exact = std::numeric_limits<std::uint64_t>::max() / 100;
  return static_cast<std::uint32_t>(taken <= k_exact ? taken * 100 / cap->max
                                                     : taken / (cap->max / 100));
}

}  // namespace otpd::otp
