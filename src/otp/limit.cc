#include "otp/limit.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace otpd::otp {

LimitVerdict check_limit(TimeLog& log, const Limit& limit, TimePoint now) {
  for (TimePoint& entry : log) entry = std::min(entry, now);
  std::erase_if(log, [&](TimePoint entry) { return entry + limit.window <= now; });
  // Only the newest `max` entries can decide anything.
  if (log.size() > limit.max) log.erase(log.begin(), log.end() - limit.max);

  LimitVerdict verdict;
  verdict.allowed = log.size() < limit.max;
  verdict.remaining = verdict.allowed ? limit.max - static_cast<std::uint32_t>(log.size()) - 1 : 0;
  verdict.reset = log.empty() ? limit.window : log.front() + limit.window - now;
  verdict.retry_after = verdict.allowed ? Millis(0) : verdict.reset;
  return verdict;
}

void charge(TimeLog& log, TimePoint now) {
  log.push_back(now);
}

Millis check_countries(CountryLog& log, const Limit& limit, std::string_view country,
                       TimePoint now) {
  for (CountryAt& seen : log) seen.at = std::min(seen.at, now);
  std::erase_if(log, [&](const CountryAt& seen) { return seen.at + limit.window <= now; });
  const bool known = std::ranges::find(log, country, &CountryAt::country) != log.end();
  if (known || log.size() < limit.max) return Millis(0);
  // When so many have left that there is room for one.
  std::vector<TimePoint> times;
  for (const CountryAt& seen : log) times.push_back(seen.at);
  std::ranges::sort(times);
  return times[log.size() - limit.max] + limit.window - now;
}

void note_country(CountryLog& log, std::string_view country, TimePoint now) {
  const auto known = std::ranges::find(log, country, &CountryAt::country);
  if (known == log.end()) {
    log.push_back({std::string(country), now});
  } else {
    known->at = now;
  }
}

std::string ip_bucket(std::string_view address) {
  namespace ip = boost::asio::ip;
  boost::system::error_code bad;
  const ip::address parsed = ip::make_address(address, bad);
  if (bad) return {};
  if (parsed.is_v4()) return parsed.to_string();
  ip::address_v6 v6 = parsed.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_string();
  v6.scope_id(0);
  return ip::network_v6(v6, 64).canonical().to_string();
}

}  // namespace otpd::otp
