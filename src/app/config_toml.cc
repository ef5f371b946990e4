#include <toml++/toml.h>

#include <sstream>

#include "app/config_applications.h"
#include "app/config_source.h"

namespace otpd::app {
namespace {

Origin toml_origin(const std::string& name, const toml::source_region& region) {
  return {Origin::Kind::file, name, region.begin.line, region.begin.column};
}

std::string toml_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::floating_point:
      return "a fraction";
    default:
      return "a date or time";
  }
}

std::string toml_text(const toml::value<double>& number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

Value toml_array(const toml::array& array) {
  std::vector<std::string> items;
  for (const auto& item : array) {
    const auto* text = item.as_string();
    if (!text) return NotAValue{"an array of other things than text", {}};
    items.push_back(text->get());
  }
  return items;
}

Value toml_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) return toml_array(*array);
  if (const auto* number = node.as_floating_point()) {
    return NotAValue{toml_type(node), toml_text(*number)};
  }
  return NotAValue{toml_type(node), {}};
}

// Reads `table` at `path` into `source`, sections depth first, in the order of their names.
void toml_flatten(const toml::table& table, const Path& path, const std::string& file,
                  Source& source) {
  for (const auto& [key, node] : table) {
    Path inner = path;
    inner.emplace_back(key.str());
    const Path meant = without_application(inner);
    const auto* section = node.as_table();
    if (section && !section->empty() && (meant.empty() || is_section(meant))) {
      toml_flatten(*section, inner, file, source);
      continue;
    }
    // Of what is no key, the name is wrong; of a key, its value may be.
    Names names;
    const bool known = find_key(meant, {}, names) != nullptr;
    const Origin origin = toml_origin(file, known ? node.source() : key.source());
    source.assignments.push_back({inner, toml_value(node), origin});
  }
}

// What the parser says, unless it quotes a number, which may be a password without its quotes.
std::string toml_mistake(std::string_view description) {
  if (description.contains("representable")) return "a number is out of range";
  return std::string(description);
}

}  // namespace

Source parse_toml(std::string_view text, const std::string& name) {
  Source source;
  try {
    const toml::table table = toml::parse(text, name);
    toml_flatten(table, {}, name, source);
  } catch (const toml::parse_error& error) {
    source.problems.push_back({toml_origin(name, error.source()),
                               {},
                               {},
                               "is not TOML: " + toml_mistake(error.description())});
  }
  return source;
}

}  // namespace otpd::app
