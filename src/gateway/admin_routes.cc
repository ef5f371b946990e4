// For operators: dead letters, the audit log, and the virtual clock of customers' tests.
#include <charconv>

#include "base/encoding.h"
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t k_default_rows = 100;
constexpr std::int64_t k_max_rows = 1'000;
constexpr std::int64_t k_last_epoch = 253'402'300'799;  // the end of the year 9999
constexpr std::int64_t k_max_advance_s = 315'360'000;   // ten years

// The query as an object whose numbers are numbers, so that Members can check it.
Checked<nlohmann::json> read_query(const net::HttpRequest& request,
                                   std::initializer_list<std::string_view> numbers) {
  auto object = parse_form(request.query);
  if (!object) return object;
  for (const std::string_view name : numbers) {
    const auto found = object->find(name);
    if (found == object->end()) continue;
    const std::string text = *found;
    std::int64_t value = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (bad == std::errc() && end == text.data() + text.size()) *found = value;
  }
  return object;
}

void add_known(ordered_json& to, const char* name, const std::string& value) {
  if (!value.empty()) to[name] = value;
}

ordered_json shown(const audit::Event& event) {
  ordered_json out{{"id", event.id},
                   {"event_type", event.event_type},
                   {"created_at", rfc3339(event.created_at)}};
  add_known(out, "user_id", event.user_id);
  add_known(out, "channel_hash", event.channel_hash);
  add_known(out, "ip_address", event.ip_address);
  add_known(out, "country", event.country);
  add_known(out, "verification_id", event.verification_id);
  add_known(out, "purpose", event.purpose);
  add_known(out, "provider", event.provider);
  add_known(out, "detail", event.detail);
  return out;
}

std::optional<TimePoint> as_time(std::optional<std::int64_t> epoch) {
  if (!epoch) return std::nullopt;
  return TimePoint(Seconds(*epoch));
}

net::HttpResponse clock_answer(const Service& service) {
  const auto now = std::chrono::floor<Seconds>(service.virtual_clock->now());
  return json_response({{"epoch", now.time_since_epoch().count()}});
}

}  // namespace

Task<net::HttpResponse> list_dead_letters(const Service& service, const Call& call) {
  const auto query = read_query(call.request, {"limit"});
  if (!query) co_return to_response(query.error());
  Members members(*query);
  const auto limit = members.integer("limit", 1, k_max_rows).value_or(k_default_rows);
  if (const auto problem = members.finish()) co_return to_response(*problem);
  const auto letters = co_await service.queue.dead_letters(static_cast<std::size_t>(limit));
  if (!letters) co_return to_response(problem_of(letters.error()));
  ordered_json list = ordered_json::array();
  for (const auto& letter : *letters) {
    list.push_back({{"id", hex_encode(letter.id)},
                    {"reason", letter.reason},
                    {"attempts", letter.attempts},
                    {"died_at", rfc3339(letter.died_at)},
                    {"expires_at", rfc3339(letter.expires_at)}});
  }
  co_return json_response({{"dead_letters", std::move(list)}});
}

Task<net::HttpResponse> search_events(const Service& service, const Call& call) {
  const auto object = read_query(call.request, {"limit", "from", "to"});
  if (!object) co_return to_response(object.error());
  Members members(*object);
  audit::Query query;
  query.limit =
      static_cast<std::size_t>(members.integer("limit", 1, k_max_rows).value_or(k_default_rows));
  query.verification_id = members.text("verification_id", 63).value_or("");
  query.user_id = members.text("user_id", 36).value_or("");
  query.channel_hash = members.text("channel_hash", 64).value_or("");
  query.event_type = members.text("event_type", 64).value_or("");
  query.from = as_time(members.integer("from", 0, k_last_epoch));
  query.to = as_time(members.integer("to", 0, k_last_epoch));
  if (const auto problem = members.finish()) co_return to_response(*problem);
  const auto events = co_await service.audit.search(std::move(query));
  if (!events) co_return to_response(problem_of(events.error()));
  ordered_json list = ordered_json::array();
  for (const auto& event : *events) list.push_back(shown(event));
  co_return json_response({{"events", std::move(list)}});
}

Task<net::HttpResponse> read_test_clock(const Service& service, const Call&) {
  co_return clock_answer(service);
}

Task<net::HttpResponse> set_test_clock(const Service& service, const Call& call) {
  const auto object = read_json(call.request);
  if (!object) co_return to_response(object.error());
  Members members(*object);
  const auto epoch = members.integer("epoch", 0, k_last_epoch);
  if (!epoch) members.refuse(ProblemName::invalid_request, "epoch", "\"epoch\" is missing.");
  if (const auto problem = members.finish()) co_return to_response(*problem);
  service.virtual_clock->set(TimePoint(Seconds(*epoch)));
  co_return clock_answer(service);
}

Task<net::HttpResponse> advance_test_clock(const Service& service, const Call& call) {
  const auto object = read_json(call.request);
  if (!object) co_return to_response(object.error());
  Members members(*object);
  const auto seconds = members.integer("seconds", 0, k_max_advance_s);
  if (!seconds) members.refuse(ProblemName::invalid_request, "seconds", "\"seconds\" is missing.");
  if (const auto problem = members.finish()) co_return to_response(*problem);
  service.virtual_clock->advance(Seconds(*seconds));
  co_return clock_answer(service);
}

}  // namespace otpd::gateway
