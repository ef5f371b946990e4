#include "providers/json_body.h"

#include "base/secret.h"

namespace otpd::providers {
namespace {

const nlohmann::json k_null_json;

}  // namespace

nlohmann::json read_json(std::string_view body) {
  if (body.size() > k_max_json_bytes) return nullptr;
  nlohmann::json read = nlohmann::json::parse(body, nullptr, false);
  return read.is_discarded() ? nlohmann::json() : read;
}

const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? k_null_json : *found;
}

std::string plain_text(const nlohmann::json& value, std::size_t max_bytes) {
  std::string text;
  if (value.is_string()) {
    text = value.get_ref<const std::string&>();
  } else if (value.is_number() || value.is_boolean()) {
    text = value.dump();
  }
  return text.size() <= max_bytes ? text : std::string();
}

const nlohmann::json& at_pointer(const nlohmann::json& document, const std::string& pointer) {
  try {
    const nlohmann::json::json_pointer where(pointer);
    return document.contains(where) ? document.at(where) : k_null_json;
  } catch (const nlohmann::json::exception&) {  // e.g. an index beyond all numbers
    return k_null_json;
  }
}

std::string json_escape(std::string_view text) {
  nlohmann::json value = text;
  std::string quoted = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  wipe(value.get_ref<std::string&>());
  std::string out = quoted.substr(1, quoted.size() - 2);
  wipe(quoted);
  return out;
}

}  // namespace otpd::providers
