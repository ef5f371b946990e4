#include "gateway/request.h"

#include <charconv>

#include "base/encoding.h"
#include "base/uuid.h"

namespace otpd::gateway {
namespace {

std::optional<std::string> form_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%') {
      const auto byte = hex_decode(text.substr(i + 1, 2));
      if (!byte || byte->size() != 1) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

bool has_media_type(const net::HttpRequest& request, std::string_view wanted) {
  std::string_view type = net::find_header(request.headers, "Content-Type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return net::same_name(type, wanted);
}

net::HttpResponse json_response(const nlohmann::ordered_json& body, int status) {
  // What a carrier once answered need not be UTF-8.
  return {status,
          "application/json",
          body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
          {}};
}

Checked<nlohmann::json> read_json(const net::HttpRequest& request) {
  if (!has_media_type(request, "application/json")) {
    return std::unexpected(Problem{.name = ProblemName::unsupported_media_type,
                                   .detail = "Content-Type must be application/json."});
  }
  return parse_object(request.body);
}

Checked<std::string> read_user_id(std::string_view text) {
  if (auto uuid = parse_uuid(text)) return *std::move(uuid);
  return std::unexpected(Problem{.name = ProblemName::invalid_request,
                                 .detail = "The user's id in the path must be a UUID.",
                                 .member = "user_id"});
}

std::optional<Problem> refuse_body(const net::HttpRequest& request) {
  if (request.body.empty()) return std::nullopt;
  auto object = read_json(request);
  if (!object) return object.error();
  return Members(*object).finish();
}

Checked<nlohmann::json> parse_form(std::string_view text) {
  nlohmann::json object = nlohmann::json::object();
  const auto bad = [](std::string detail) {
    return std::unexpected(
        Problem{.name = ProblemName::invalid_request, .detail = std::move(detail)});
  };
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto name = form_decode(pair.substr(0, equals));
    const auto value = form_decode(equals == std::string_view::npos ? std::string_view()
                                                                    : pair.substr(equals + 1));
    if (!name || !value) return bad("A percent sign is not followed by two hexadecimal digits.");
    if (object.contains(*name)) return bad("A name is there twice.");
    object[*name] = *value;
  }
  return object;
}

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

}  // namespace otpd::gateway
