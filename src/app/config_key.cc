#include "app/config_key.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "app/config_forms.h"

namespace otpd::app {
namespace {

constexpr std::string_view k_hidden = "********";

std::string key_quote(std::string_view text) {
  std::string quoted = "\"";
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      quoted += escape;
    } else {
      quoted += static_cast<char>(c);
    }
  }
  return quoted + '"';
}

bool key_text_fits(const Key& key, std::string_view text) {
  if (text.size() > k_max_text_bytes) return false;
  return text.empty() ? key.may_be_empty : key.check(text);
}

// Writes a checked value; one overload for each kind of member.
struct SlotWriter {
  const Value& value;

  void operator()(bool* member) const { *member = std::get<bool>(value); }
  void operator()(std::uint32_t* member) const { *member = number<std::uint32_t>(); }
  template <class Rep, class Period>
  void operator()(std::chrono::duration<Rep, Period>* member) const {
    *member = std::chrono::duration<Rep, Period>(number<Rep>());
  }
  void operator()(std::string* member) const { *member = std::get<std::string>(value); }
  void operator()(Secret* member) const { *member = Secret(std::string(text())); }
  void operator()(Endpoint* member) const { *member = parse_endpoint(text()).value(); }
  void operator()(std::vector<std::string>* member) const {
    *member = std::get<std::vector<std::string>>(value);
  }
  void operator()(const ChoiceSlot& slot) const {
    slot.write(slot.object, static_cast<std::size_t>(std::get<std::int64_t>(value)));
  }

  std::string_view text() const { return std::get<std::string>(value); }
  template <class T>
  T number() const {
    return static_cast<T>(std::get<std::int64_t>(value));
  }
};

struct SlotReader {
  const Key& key;

  Value operator()(const bool* member) const { return *member; }
  Value operator()(const std::uint32_t* member) const { return std::int64_t{*member}; }
  template <class Rep, class Period>
  Value operator()(const std::chrono::duration<Rep, Period>* member) const {
    return std::int64_t{member->count()};
  }
  Value operator()(const std::string* member) const { return *member; }
  Value operator()(const Secret* member) const { return std::string(member->reveal()); }
  Value operator()(const Endpoint* member) const { return format_endpoint(*member); }
  Value operator()(const std::vector<std::string>* member) const { return *member; }
  Value operator()(const ChoiceSlot& slot) const {
    return std::string(key.choices.at(slot.read(slot.object)));
  }
};

// The number of the choice that `value` names, as a Value; or nothing.
std::optional<Value> key_choice(const Key& key, const Value& value) {
  std::string name;
  if (const auto* flag = std::get_if<bool>(&value)) name = *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) name = *text;
  const auto found = std::ranges::find(key.choices, name);
  if (name.empty() || found == key.choices.end()) return {};
  return Value(std::int64_t{found - key.choices.begin()});
}

bool key_list_fits(const Key& key, const std::vector<std::string>& list) {
  return list.size() <= k_max_list_items && std::ranges::all_of(list, [&](const auto& item) {
           return !item.empty() && key_text_fits(key, item);
         });
}

// The value to write, or nothing if `value` is not allowed.
std::optional<Value> key_accept(const Key& key, const Value& value) {
  bool fits = false;
  switch (key.binding.type) {
    case KeyType::boolean:
      fits = std::holds_alternative<bool>(value);
      break;
    case KeyType::integer:
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        fits = *number >= key.min && *number <= key.max;
      }
      break;
    case KeyType::text:
      if (const auto* text = std::get_if<std::string>(&value)) fits = key_text_fits(key, *text);
      break;
    case KeyType::list:
      if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        fits = key_list_fits(key, *list);
      }
      break;
    case KeyType::choice:
      return key_choice(key, value);
  }
  return fits ? std::optional(value) : std::nullopt;
}

Value key_number_from_text(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  const bool canonical = !digits.starts_with('0') || digits.size() == 1;
  if (error != std::errc() || end != text.data() + text.size() || !canonical) {
    return NotAValue{"text", std::string(text)};
  }
  return number;
}

Value key_list_from_text(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) items.emplace_back();  // a trailing comma: an empty item, refused later
  }
  return items;
}

std::string key_list_to_toml(const std::vector<std::string>& list, bool hidden) {
  std::string text = "[";
  for (const auto& item : list) {
    if (text.size() > 1) text += ", ";
    text += key_quote(hidden ? k_hidden : std::string_view(item));
  }
  return text + "]";
}

}  // namespace

bool assign(const Key& key, const Names& names, const Value& value, Config& config) {
  const auto accepted = key_accept(key, value);
  if (accepted) std::visit(SlotWriter{*accepted}, key.binding.slot(config, names));
  return accepted.has_value();
}

Value value_of(const Key& key, const Names& names, const Config& config) {
  // A slot is a pointer for writing, too; here it is only read.
  auto& readable = const_cast<Config&>(config);
  return std::visit(SlotReader{key}, key.binding.slot(readable, names));
}

Value value_from_text(KeyType type, std::string_view text) {
  switch (type) {
    case KeyType::boolean:
      if (text == "true" || text == "false") return text == "true";
      return NotAValue{"text", std::string(text)};
    case KeyType::integer:
      return key_number_from_text(text);
    case KeyType::list:
      return key_list_from_text(text);
    case KeyType::text:
    case KeyType::choice:
      break;
  }
  return std::string(text);
}

std::string to_toml(const Value& value, bool hidden) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return key_list_to_toml(*list, hidden);
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text && text->empty()) return "\"\"";
  if (hidden) return key_quote(k_hidden);
  if (text) return key_quote(*text);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return std::get<NotAValue>(value).shown;
}

std::string first_misfit(const Key& key, const Value& value) {
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  if (key.binding.type != KeyType::list || list == nullptr || list->size() < 2) return {};
  const auto found = std::ranges::find_if(
      *list, [&](const auto& item) { return item.empty() || !key_text_fits(key, item); });
  return found == list->end() ? std::string() : *found;
}

std::string allowed(const Key& key) {
  std::string text;
  switch (key.binding.type) {
    case KeyType::boolean:
      return "true or false";
    case KeyType::integer:
      text = "a whole number from " + std::to_string(key.min) + " to " + std::to_string(key.max);
      return key.unit.empty() ? text : text + " (" + std::string(key.unit) + ")";
    case KeyType::list:
      return "a list of " + std::string(key.form);
    case KeyType::text:
      return std::string(key.form) + (key.may_be_empty ? ", or empty" : "");
    case KeyType::choice:
      break;
  }
  for (const auto choice : key.choices) {
    if (choice.empty()) break;
    if (!text.empty()) text += ", ";
    const bool word = choice != "true" && choice != "false";
    text += word ? '"' + std::string(choice) + '"' : std::string(choice);
  }
  return "one of " + text;
}

}  // namespace otpd::app
