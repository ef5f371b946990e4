// For operators: dead letters, and the virtual clock of customers' tests.
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
