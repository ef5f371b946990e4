// Small things that several faces put on the wire.
#pragma once

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "fault_plan.h"
#include "net/http_message.h"
#include "text_codec.h"

namespace otpd::sim {

using Json = nlohmann::ordered_json;

// The JSON as an answer; bytes that are not UTF-8 become U+FFFD.
net::HttpResponse json_response(int status, const Json& json);
std::string dump(const Json& json);

// The object in a body, or null if it is none.
Json parse_object(std::string_view body);
// A member, or null if there is none or `object` is no object.
Json member(const Json& object, std::string_view name);
// A member that is a string or a number, as text; else empty.
std::string text_member(const Json& object, std::string_view name);

// A form's field, or empty.
std::string field(const Form& form, std::string_view name);

// Random hexadecimal digits. Not for secrets.
std::string random_hex(std::size_t bytes);

// '+' and 7 to 15 digits, the first of them not zero.
bool is_e164(std::string_view number);
// The number with its '+', which many carriers leave out.
std::string with_plus(std::string_view number);

// Of an Authorization header: what stands behind "Bearer ", and the decoded text behind "Basic ";
// else empty.
std::string_view bearer_of(const net::HttpRequest& request);
std::string basic_of(const net::HttpRequest& request);

// The plan's code as a number, or `usual` if it has none.
int code_or(const FaultPlan& plan, int usual);

// Unix seconds, as text.
std::string unix_seconds(TimePoint now);

// In UTC, by strftime's rules.
template <class Format>
std::string utc(TimePoint now, const Format& format) {
  return fmt::format(fmt::runtime(format),
                     fmt::gmtime(std::chrono::floor<std::chrono::seconds>(now)));
}

}  // namespace otpd::sim
