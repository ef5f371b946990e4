// Reading requests and writing answers: what all routes share.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/rfc3339.h"
#include "gateway/json_reader.h"
#include "net/http_message.h"

namespace otpd::gateway {

// 200 (or `status`) with this body.
net::HttpResponse json_response(const nlohmann::ordered_json& body, int status = 200);

// Whether the request's Content-Type is that one, whatever its case and parameters.
bool has_media_type(const net::HttpRequest& request, std::string_view wanted);

// The JSON object in the request's body; refuses another Content-Type than application/json.
Checked<nlohmann::json> read_json(const net::HttpRequest& request);

// The user's id in a route's path, which must be a UUID.
Checked<std::string> read_user_id(std::string_view text);

// Refuses a body where none belongs (an empty JSON object is let pass).
std::optional<Problem> refuse_body(const net::HttpRequest& request);

// The name-value pairs of application/x-www-form-urlencoded text, as a JSON object of strings, so
// that both forms of a request are checked alike. Refuses bad escapes and repeated names.
Checked<nlohmann::json> parse_form(std::string_view text);

// The request's query likewise, with numbers for the members of these names, where they are some.
Checked<nlohmann::json> read_query(const net::HttpRequest& request,
                                   std::initializer_list<std::string_view> numbers);

}  // namespace otpd::gateway
