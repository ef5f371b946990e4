#include "providers/retry_after.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <locale>
#include <sstream>

namespace otpd::providers {
namespace {

constexpr std::int64_t k_max_seconds = 24 * 60 * 60;

// The three date forms of RFC 9110 section 5.6.7.
std::optional<std::int64_t> http_date(std::string_view text) {
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::istringstream in{std::string(text)};
    in.imbue(std::locale::classic());
    std::tm parts{};
    in >> std::get_time(&parts, form);
    const std::int64_t seconds = timegm(&parts);
    // The reader is lenient: what it read must print as what was given.
    std::ostringstream again;
    again.imbue(std::locale::classic());
    again << std::put_time(&parts, form);
    if (!in.fail() && again.view() == text) return seconds;
  }
  return std::nullopt;
}

std::optional<std::int64_t> delay_seconds(std::string_view text) {
  std::uint64_t seconds = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stopped, error] = std::from_chars(begin, end, seconds);
  if (stopped != end || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return k_max_seconds;
  if (error != std::errc()) return std::nullopt;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, k_max_seconds));
}

}  // namespace

std::optional<Millis> retry_after(const net::Headers& headers, TimePoint now) {
  const std::string_view text = net::find_header(headers, "Retry-After");
  auto seconds = delay_seconds(text);
  if (!seconds) {
    seconds = http_date(text);
    if (!seconds) return std::nullopt;
    const auto now_seconds = std::chrono::floor<Seconds>(now).time_since_epoch().count();
    *seconds -= http_date(net::find_header(headers, "Date")).value_or(now_seconds);
  }
  return Seconds(std::clamp<std::int64_t>(*seconds, 0, k_max_seconds));
}

}  // namespace otpd::providers
