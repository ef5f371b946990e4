#include "delivery/lane_news.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace otpd::delivery {
namespace {

using nlohmann::json;

std::int64_t news_milliseconds(TimePoint at) {
  return at.time_since_epoch().count();
}

LaneNews news_of(const json& one) {
  LaneNews news;
  news.lane = one.at("lane").get<std::string>();
  news.open = one.at("open").get<bool>();
  news.reason = one.at("reason").get<std::string>();
  news.until = TimePoint(Millis(one.at("until").get<std::int64_t>()));
  news.health = {one.at("succeeded").get<std::uint32_t>(), one.at("failed").get<std::uint32_t>(),
                 Millis(one.at("p50").get<std::int64_t>()),
                 Millis(one.at("p99").get<std::int64_t>())};
  news.per_second = one.at("per_second").get<double>();
  news.in_flight = one.at("in_flight").get<std::uint32_t>();
  return news;
}

}  // namespace

std::string encode_news(const std::vector<LaneNews>& news) {
  json list = json::array();
  for (const LaneNews& one : news) {
    list.push_back({{"lane", one.lane},
                    {"open", one.open},
                    {"reason", one.reason},
                    {"until", news_milliseconds(one.until)},
                    {"succeeded", one.health.succeeded},
                    {"failed", one.health.failed},
                    {"p50", one.health.p50.count()},
                    {"p99", one.health.p99.count()},
                    {"per_second", one.per_second},
                    {"in_flight", one.in_flight}});
  }
  return list.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::optional<std::vector<LaneNews>> decode_news(std::string_view text) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) return std::nullopt;
  std::vector<LaneNews> news;
  try {
    for (const json& one : list) news.push_back(news_of(one));
  } catch (const json::exception&) {
    return std::nullopt;
  }
  return news;
}

LaneHearsay gather(std::string_view lane, const std::vector<LaneNews>& news) {
  LaneHearsay heard;
  for (const LaneNews& one : news) {
    if (one.lane != lane) continue;
    if (one.open && (!heard.open || one.until > heard.until)) {
      heard.reason = one.reason;
      heard.until = one.until;
    }
    heard.open |= one.open;
    heard.answers |= !one.open && one.health.succeeded > 0;
    heard.health.succeeded += one.health.succeeded;
    heard.health.failed += one.health.failed;
    heard.health.p50 = std::max(heard.health.p50, one.health.p50);
    heard.health.p99 = std::max(heard.health.p99, one.health.p99);
    heard.per_second += one.per_second;
    heard.in_flight += one.in_flight;
  }
  return heard;
}

}  // namespace otpd::delivery
