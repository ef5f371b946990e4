#include "audit/json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "base/rfc3339.h"

namespace otpd::audit {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t k_seconds_to_year_10000 = 253'402'300'800;

struct TextField {
  const char* name;
  std::string Event::* member;
};

constexpr std::array k_optional_fields{
    TextField{"user_id", &Event::user_id},
    TextField{"channel_hash", &Event::channel_hash},
    TextField{"ip_address", &Event::ip_address},
    TextField{"country", &Event::country},
    TextField{"verification_id", &Event::verification_id},
    TextField{"purpose", &Event::purpose},
    TextField{"provider", &Event::provider},
    TextField{"detail", &Event::detail},
    TextField{"application", &Event::application},
};

std::unexpected<Error> not_ours(const char* what) {
  return fail(Failure::invalid, std::string("this is not a ") + what + " of an audit log");
}

// The text under `name`, or empty.
std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::uint64_t> number_in(const json& object, const char* name, std::uint64_t max) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto number = found->get<std::uint64_t>();
  return number <= max ? std::optional(number) : std::nullopt;
}

// Where a line or a checkpoint stands, and its hash, of whatever length: who forged it is found out
// by what it is compared with.
std::optional<Head> head_in(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto chain = number_in(object, "chain", UINT32_MAX);
  const auto number = number_in(object, "number", INT64_MAX);
  auto hash = hex_decode(text_in(object, "hash"));
  if (!chain || !number || *number == 0 || !hash) {
    return std::nullopt;
  }
  return Head{static_cast<std::uint32_t>(*chain), *number, std::move(*hash)};
}

// Whether it says the same, whatever the order: nothing may stand beside what is proven.
bool says_the_same(const ordered_json& ours, const json& theirs) {
  return json(ours) == theirs;
}

// Whether RFC 3339 can say it.
bool is_shown_exactly(TimePoint time) {
  return time >= TimePoint(Seconds(0)) && time < TimePoint(Seconds(k_seconds_to_year_10000));
}

bool is_readable(const std::string& text) {
  return as_utf8(text) == text;
}

// Whether to_json says all that there is to say.
bool is_readable(const Event& event) {
  return is_readable(event.id) && is_readable(event.event_type) &&
         std::ranges::all_of(k_optional_fields, [&](const TextField& field) {
           return is_readable(event.*field.member);
         });
}

}  // namespace

std::string as_utf8(std::string_view bytes) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::ranges::all_of(bytes, is_ascii)) return std::string(bytes);
  const std::string quoted = json(bytes).dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(quoted).get<std::string>();
}

ordered_json to_json(const Event& event) {
  ordered_json out{{"id", as_utf8(event.id)},
                   {"event_type", as_utf8(event.event_type)},
                   {"created_at", rfc3339(event.created_at)}};
  for (const auto& [name, member] : k_optional_fields) {
    if (!(event.*member).empty()) out[name] = as_utf8(event.*member);
  }
  return out;
}

ordered_json to_json(std::uint32_t chain, const Line& line) {
  ordered_json out{{"chain", chain},
                   {"number", line.number},
                   {"hash", hex_encode(line.hash)},
                   {"event", to_json(line.event)}};
  if (!is_readable(line.event)) out["bytes"] = base64_encode(canonical(line.event));
  return out;
}

ordered_json to_json(const Checkpoint& checkpoint) {
  return {{"chain", checkpoint.chain},
          {"number", checkpoint.number},
          {"hash", hex_encode(checkpoint.hash)},
          {"at", rfc3339(checkpoint.at)},
          {"signature", hex_encode(checkpoint.signature)}};
}

Result<Event> event_from_json(const json& object) {
  if (!object.is_object()) return not_ours("line");
  const auto created_at = parse_rfc3339(text_in(object, "created_at"));
  if (!created_at) return not_ours("line");
  Event event;
  event.id = text_in(object, "id");
  event.event_type = text_in(object, "event_type");
  event.created_at = *created_at;
  for (const auto& [name, member] : k_optional_fields) event.*member = text_in(object, name);
  if (!says_the_same(to_json(event), object)) return not_ours("line");
  return event;
}

Result<Line> line_from_json(const json& object) {
  auto head = head_in(object);
  if (!head || !object.contains("event")) return not_ours("line");
  Line line{head->number, {}, std::move(head->hash)};
  if (object.contains("bytes")) {
    const auto bytes = base64_decode(text_in(object, "bytes"));
    auto event = bytes ? from_canonical(*bytes) : std::nullopt;
    if (!event || !is_shown_exactly(event->created_at)) return not_ours("line");
    line.event = std::move(*event);
  } else {
    auto event = event_from_json(object.at("event"));
    if (!event) return std::unexpected(event.error());
    line.event = std::move(*event);
  }
  if (!says_the_same(to_json(head->chain, line), object)) return not_ours("line");
  return line;
}

Result<Checkpoint> checkpoint_from_json(const json& object) {
  auto head = head_in(object);
  if (!head) return not_ours("checkpoint");
  auto signature = hex_decode(text_in(object, "signature"));
  const auto at = parse_rfc3339(text_in(object, "at"));
  if (!at || !signature) return not_ours("checkpoint");
  Checkpoint checkpoint{head->chain, head->number, std::move(head->hash), *at,
                        std::move(*signature)};
  if (!says_the_same(to_json(checkpoint), object)) return not_ours("checkpoint");
  return checkpoint;
}

}  // namespace otpd::audit
