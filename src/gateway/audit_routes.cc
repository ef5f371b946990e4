// For operators and auditors: the audit log as events, and as the chains that prove it.
#include <fmt/format.h>

#include <charconv>

#include "audit/csv.h"
#include "audit/json.h"
#include "base/encoding.h"
#include "gateway/recipients.h"
#include "gateway/request.h"
#include "net/form.h"
#include "otp/keys.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t k_default_lines = 100;
constexpr std::int64_t k_max_lines = 1'000;
constexpr std::int64_t k_last_second = 253'402'300'799;  // of the year 9999
constexpr std::size_t k_max_cursor = 256;
constexpr std::size_t k_max_application = 64;

enum class EventFormat : std::uint8_t { json, ndjson, csv };

struct EventSearch {
  audit::Query query;
  EventFormat format = EventFormat::json;
};

std::string cursor_of(const audit::Event& event) {
  return base64url_encode(
      fmt::format("{}:{}", event.created_at.time_since_epoch().count(), event.id));
}

std::optional<audit::Place> place_of(const std::string& cursor) {
  const auto text = base64url_decode(cursor);
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  std::int64_t milliseconds = 0;
  const char* end = text->data() + colon;
  const auto [stop, bad] = std::from_chars(text->data(), end, milliseconds);
  if (bad != std::errc() || stop != end) return std::nullopt;
  return audit::Place{TimePoint(Millis(milliseconds)), text->substr(colon + 1)};
}

EventFormat read_format(Members& members) {
  const std::string format = members.text("format", 16).value_or("json");
  if (format == "ndjson") return EventFormat::ndjson;
  if (format == "csv") return EventFormat::csv;
  if (format != "json") {
    members.refuse(ProblemName::invalid_request, "format",
                   "\"format\" is \"json\", \"ndjson\" or \"csv\".");
  }
  return EventFormat::json;
}

// Narrows the search to one application, and to the recipient that is given as that one knows it
// (or the base one, if none is named): by its keyed hash, given as such or made of the address.
void read_whose(Members& members, const Service& service, audit::Query& query) {
  query.channel_hash = members.text("channel_hash", 64).value_or("");
  const auto name = members.text("application", k_max_application);
  const Application* app = service.find_application(name.value_or(""));
  if (name) query.application = app == &service.base ? "" : *name;
  const auto recipient = find_recipient(members, app != nullptr ? *app : service.base);
  if (!recipient) return;
  if (app == nullptr) {
    members.refuse(ProblemName::invalid_request, "application", "There is no such application.");
    return;
  }
  if (!query.channel_hash.empty()) {
    members.refuse(ProblemName::invalid_request, "channel_hash",
                   "Give either \"channel_hash\" or a recipient.");
  }
  query.channel_hash = hex_encode(otp::keyed_hash(
      service.index_key, "recipient", app->rules.application, recipient->identity.reveal()));
}

std::size_t read_limit(Members& members) {
  return static_cast<std::size_t>(
      members.integer("limit", 1, k_max_lines).value_or(k_default_lines));
}

std::optional<TimePoint> read_second(Members& members, std::string_view name) {
  const auto epoch = members.integer(name, 0, k_last_second);
  if (!epoch) return std::nullopt;
  return TimePoint(Seconds(*epoch));
}

Checked<EventSearch> read_search(const Service& service, const nlohmann::json& object) {
  Members members(object);
  EventSearch search;
  search.format = read_format(members);
  audit::Query& query = search.query;
  query.limit = read_limit(members);
  query.verification_id = members.text("verification_id", 63).value_or("");
  query.user_id = members.text("user_id", 36).value_or("");
  read_whose(members, service, query);
  query.event_type = members.text("event_type", 64).value_or("");
  query.from = read_second(members, "from");
  query.to = read_second(members, "to");
  if (const auto cursor = members.text("before", k_max_cursor)) {
    query.before = place_of(*cursor);
    if (!query.before) {
      members.refuse(ProblemName::invalid_request, "before", "\"before\" is none of our cursors.");
    }
  }
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  return search;
}

// A phone begins with '+', which a query must escape; a blank there is one that was not.
void mend_phone(nlohmann::json& object) {
  const auto phone = object.find("phone");
  if (phone == object.end()) return;
  std::string text = *phone;
  if (text.starts_with(' ')) text.front() = '+';
  *phone = std::move(text);
}

// The same question about what comes after `cursor`.
std::string link_to(const net::HttpRequest& request, nlohmann::json question,
                    const std::string& cursor) {
  question["before"] = cursor;
  std::string query;
  for (const auto& [name, value] : question.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    query += (query.empty() ? "?" : "&") + name + "=" + net::percent_encode(text);
  }
  return fmt::format("<{}{}>; rel=\"next\"", request.path, query);
}

net::HttpResponse shown(const std::vector<audit::Event>& events, EventFormat format,
                        const std::string& next) {
  if (format == EventFormat::json) {
    ordered_json list = ordered_json::array();
    for (const auto& event : events) list.push_back(audit::to_json(event));
    ordered_json body{{"events", std::move(list)}};
    if (!next.empty()) body["next"] = next;
    return json_response(body);
  }
  net::HttpResponse response;
  const bool csv = format == EventFormat::csv;
  response.content_type = csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
  if (csv) response.body = audit::csv_header();
  for (const auto& event : events) {
    response.body += csv ? audit::csv_row(event) : audit::to_json(event).dump() + "\n";
  }
  return response;
}

// Which chain, from which line on, and how many.
struct ChainPart {
  std::uint32_t chain = 0;
  std::uint64_t from = 1;
  std::size_t limit = 0;
};

Checked<ChainPart> read_part(const net::HttpRequest& request) {
  const auto object = read_query(request, {"chain", "from", "limit"});
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  ChainPart part;
  part.chain = static_cast<std::uint32_t>(members.integer("chain", 0, UINT32_MAX).value_or(0));
  part.from = static_cast<std::uint64_t>(members.integer("from", 1, INT64_MAX).value_or(1));
  part.limit = read_limit(members);
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  return part;
}

struct Range {
  TimePoint from{Seconds(0)};
  TimePoint to{Seconds(k_last_second)};
  bool given = false;
};

Checked<Range> read_range(const net::HttpRequest& request) {
  const auto object = read_query(request, {"from", "to"});
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  const auto from = read_second(members, "from");
  const auto to = read_second(members, "to");
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  Range range{.given = from || to};
  if (from) range.from = *from;
  if (to) range.to = *to;
  return range;
}

}  // namespace

Task<net::HttpResponse> search_events(const Service& service, const Call& call) {
  auto object = read_query(call.request, {"limit", "from", "to"});
  if (!object) co_return to_response(object.error());
  mend_phone(*object);
  const auto search = read_search(service, *object);
  if (!search) co_return to_response(search.error());
  const auto events = co_await service.audit.search(search->query);
  if (!events) co_return to_response(problem_of(events.error()));
  const bool more = events->size() == search->query.limit;
  const std::string next = more ? cursor_of(events->back()) : "";
  net::HttpResponse response = shown(*events, search->format, next);
  if (more) response.headers.emplace_back("Link", link_to(call.request, *object, next));
  co_return response;
}

Task<net::HttpResponse> list_chains(const Service& service, const Call& call) {
  const auto range = read_range(call.request);
  if (!range) co_return to_response(range.error());
  const auto heads = co_await service.audit.heads();
  if (!heads) co_return to_response(problem_of(heads.error()));
  ordered_json chains = ordered_json::array();
  for (const audit::Head& head : *heads) {
    ordered_json chain{
        {"chain", head.chain}, {"number", head.number}, {"hash", hex_encode(head.hash)}};
    if (range->given) {
      const auto span = co_await service.audit.span(head.chain, range->from, range->to);
      if (!span) co_return to_response(problem_of(span.error()));
      if (*span) chain["span"] = {{"first", (*span)->first}, {"last", (*span)->last}};
    }
    chains.push_back(std::move(chain));
  }
  const audit::CheckpointSigner signer(service.index_key);
  co_return json_response(
      {{"public_key", hex_encode(signer.public_key())}, {"chains", std::move(chains)}});
}

Task<net::HttpResponse> list_chain_lines(const Service& service, const Call& call) {
  const auto part = read_part(call.request);
  if (!part) co_return to_response(part.error());
  const auto lines = co_await service.audit.lines(part->chain, part->from, part->limit);
  if (!lines) co_return to_response(problem_of(lines.error()));
  ordered_json list = ordered_json::array();
  for (const auto& line : *lines) list.push_back(audit::to_json(part->chain, line));
  co_return json_response({{"lines", std::move(list)}});
}

Task<net::HttpResponse> list_checkpoints(const Service& service, const Call& call) {
  const auto part = read_part(call.request);
  if (!part) co_return to_response(part.error());
  const auto checkpoints = co_await service.audit.checkpoints(part->chain, part->from, part->limit);
  if (!checkpoints) co_return to_response(problem_of(checkpoints.error()));
  ordered_json list = ordered_json::array();
  for (const auto& checkpoint : *checkpoints) list.push_back(audit::to_json(checkpoint));
  co_return json_response({{"checkpoints", std::move(list)}});
}

}  // namespace otpd::gateway
