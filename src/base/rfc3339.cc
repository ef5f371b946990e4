#include "base/rfc3339.h"

#include <fmt/format.h>

namespace otpd {
namespace {

// Takes `digits` decimal digits and then the character `end` off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits, char end) {
  if (text.size() <= digits || text[digits] != end) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits + 1);
  return value;
}

std::optional<Millis> take_fraction(std::string_view text) {
  if (text.size() < 2 || text.size() > 4) return std::nullopt;
  const std::size_t digits = text.size() - 1;
  const auto value = take_number(text, digits, 'Z');
  if (!value) return std::nullopt;
  constexpr int k_scale[] = {1, 100, 10, 1};
  return Millis(*value * k_scale[digits]);
}

}  // namespace

std::string rfc3339(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Millis> clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<TimePoint> parse_rfc3339(std::string_view text) {
  const bool has_fraction = text.size() > 19 && text[19] == '.';
  const auto year = take_number(text, 4, '-');
  const auto month = take_number(text, 2, '-');
  const auto day = take_number(text, 2, 'T');
  const auto hour = take_number(text, 2, ':');
  const auto minute = take_number(text, 2, ':');
  const auto second = take_number(text, 2, has_fraction ? '.' : 'Z');
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto fraction = has_fraction ? take_fraction(text) : std::optional(Millis(0));
  if (!fraction || (!has_fraction && !text.empty())) return std::nullopt;
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + Seconds(*second) + *fraction;
}

}  // namespace otpd
