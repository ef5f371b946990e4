// Deliveries: the receipts of carriers, and what operators see and switch.
#include <algorithm>

#include "base/encoding.h"
#include "gateway/request.h"
#include "gateway/service.h"
#include "otp/events.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;
namespace event = audit::event_type;

constexpr std::size_t k_timeline_rows = 1'000;

// The verification's id in the query of a callback URL; nothing that needs decoding is one.
std::string reference_in(std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with("ref=")) return std::string(pair.substr(4));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return {};
}

double seconds_of(Millis time) {
  return static_cast<double>(time.count()) / 1'000;
}

ordered_json shown_lane(const delivery::LaneReport& lane) {
  ordered_json out{{"name", lane.name},
                   {"state", lane.disabled ? "disabled" : name_of(lane.breaker)},
                   {"per_second", lane.per_second},
                   {"in_flight", lane.in_flight},
                   {"error_rate", lane.health.error_rate()},
                   {"p50_seconds", seconds_of(lane.health.p50)},
                   {"p99_seconds", seconds_of(lane.health.p99)}};
  if (!lane.reason.empty()) out["reason"] = lane.reason;
  if (lane.until) out["until"] = rfc3339(*lane.until);
  return out;
}

net::HttpResponse no_such(std::string_view thing) {
  return to_response(
      {.name = ProblemName::not_found, .detail = "There is no such " + std::string(thing) + "."});
}

// What an operator did, for the audit log.
Task<Result<void>> record_deed(const Service& service, const Call& call, std::string_view type,
                               std::string_view provider, std::string_view detail) {
  const otp::EventWriter events(service.random, {{}, {}, call.client_ip, {}, {}, provider});
  otp::Effects effects;
  effects.events.push_back(events.make(type, {}, service.clock.now(), detail));
  co_return co_await service.store.append(std::move(effects));
}

Task<net::HttpResponse> switch_provider(const Service& service, const Call& call, bool disabled) {
  if (auto body = refuse_body(call.request)) co_return to_response(*body);
  const std::string& name = call.params[0];
  const auto known = co_await service.lanes.report();
  if (!known) co_return to_response(problem_of(known.error()));
  if (std::ranges::find(*known, name, &delivery::LaneReport::name) == known->end()) {
    co_return no_such("provider");
  }
  const auto recorded = co_await record_deed(
      service, call, disabled ? event::k_admin_provider_disabled : event::k_admin_provider_enabled,
      name, {});
  if (!recorded) co_return to_response(problem_of(recorded.error()));
  const auto switched = co_await service.lanes.set_disabled(name, disabled);
  if (!switched) co_return to_response(problem_of(switched.error()));
  co_return json_response({{"name", name}, {"disabled", disabled}});
}

ordered_json shown_step(const audit::Event& line) {
  ordered_json out{{"at", rfc3339(line.created_at)}, {"what", line.event_type}};
  if (!line.provider.empty()) out["provider"] = line.provider;
  if (!line.detail.empty()) out["detail"] = line.detail;
  return out;
}

}  // namespace

Task<net::HttpResponse> take_receipt(const Service& service, const Call& call) {
  const std::string& provider = call.params[0];
  const auto reader = service.receipt_readers.find(provider);
  if (reader == service.receipt_readers.end()) co_return no_such("callback");
  const net::HttpRequest& request = call.request;
  const std::string url =
      service.public_url + request.path + (request.query.empty() ? "" : "?" + request.query);
  const delivery::CallbackRequest callback{request.method, url, request.query, request.body,
                                           request.headers};
  if (auto answer = reader->second->answer_to(callback)) {
    co_return net::HttpResponse{200, "text/plain; charset=utf-8", std::move(*answer), {}};
  }
  auto receipts = reader->second->read(callback, service.clock.now());
  if (!receipts) {
    service.metrics
        .counter("otpd_receipts_refused_total", "Callbacks that were no genuine receipt.",
                 {{"provider", provider}})
        .add();
    co_return to_response(
        {.name = ProblemName::forbidden, .detail = "This is no genuine receipt of this provider."});
  }
  const std::string reference = reference_in(request.query);
  for (delivery::Receipt& receipt : *receipts) {
    const auto taken = co_await service.receipts.take(provider, reference, std::move(receipt));
    if (!taken) co_return to_response(problem_of(taken.error()));
  }
  co_return net::HttpResponse{204, {}, {}, {}};
}

Task<net::HttpResponse> list_providers(const Service& service, const Call&) {
  const auto lanes = co_await service.lanes.report();
  if (!lanes) co_return to_response(problem_of(lanes.error()));
  ordered_json list = ordered_json::array();
  for (const auto& lane : *lanes) list.push_back(shown_lane(lane));
  co_return json_response({{"providers", std::move(list)}});
}

Task<net::HttpResponse> disable_provider(const Service& service, const Call& call) {
  co_return co_await switch_provider(service, call, true);
}

Task<net::HttpResponse> enable_provider(const Service& service, const Call& call) {
  co_return co_await switch_provider(service, call, false);
}

Task<net::HttpResponse> show_queue(const Service& service, const Call&) {
  const auto stats = co_await service.queue.stats(service.clock.now());
  if (!stats) co_return to_response(problem_of(stats.error()));
  co_return json_response({{"waiting", stats->waiting},
                           {"leased", stats->leased},
                           {"dead", stats->dead},
                           {"oldest_due_seconds", seconds_of(stats->oldest_due)}});
}

Task<net::HttpResponse> requeue_dead_letter(const Service& service, const Call& call) {
  if (auto body = refuse_body(call.request)) co_return to_response(*body);
  const auto id = hex_decode(call.params[0]);
  if (!id) co_return no_such("dead letter");
  const auto recorded =
      co_await record_deed(service, call, event::k_admin_requeued, {}, call.params[0]);
  if (!recorded) co_return to_response(problem_of(recorded.error()));
  const auto requeued = co_await service.queue.requeue(*id, service.clock.now());
  if (!requeued) co_return to_response(problem_of(requeued.error()));
  if (!*requeued) co_return no_such("dead letter, or its code has expired");
  co_return json_response({{"id", call.params[0]}, {"requeued", true}});
}

Task<net::HttpResponse> show_timeline(const Service& service, const Call& call) {
  const auto id = otp::VerificationId::parse(call.params[0]);
  if (!id) co_return no_such("verification");
  const auto found = co_await call.app.verifications.find_of_any(*id);
  if (!found) co_return to_response(problem_of(found.error()));
  audit::Query query{.verification_id = id->text(), .limit = k_timeline_rows};
  if (*found) query.from = (*found)->created_at;
  auto lines = co_await service.audit.search(std::move(query));
  if (!lines) co_return to_response(problem_of(lines.error()));
  if (!*found && lines->empty()) co_return no_such("verification");
  ordered_json body{{"verification_id", id->text()}};
  if (*found) {
    const otp::Verification& about = **found;
    body["status"] = otp::status_name(about, service.clock.now());
    body["purpose"] = about.purpose;
    body["channel"] = about.channel;
    if (!about.country.empty()) body["country"] = about.country;
    if (!about.lane.empty()) body["provider"] = about.lane;
  }
  ordered_json timeline = ordered_json::array();
  for (auto line = lines->rbegin(); line != lines->rend(); ++line) {
    timeline.push_back(shown_step(*line));
  }
  body["timeline"] = std::move(timeline);
  co_return json_response(body);
}

}  // namespace otpd::gateway
