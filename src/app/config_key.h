// Key: one row of the table of everything that can be configured. Reading files, the environment
// and flags, `config show`, error messages and config/otpd.toml are all made from these rows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "app/config.h"

namespace otpd::app {

// What stands for the stars of a row's path, in order.
using Names = std::vector<std::string>;

// A member whose values are some of an enum's, by number.
struct ChoiceSlot {
  void* object;
  std::size_t (*read)(const void*);
  void (*write)(void*, std::size_t);
};

// The member of a Config that a key sets.
using Slot = std::variant<bool*, std::uint32_t*, Millis*, Seconds*, Days*, std::string*, Secret*,
                          Endpoint*, std::vector<std::string>*, ChoiceSlot>;

enum class KeyType : std::uint8_t { boolean, integer, text, list, choice };

struct Binding {
  KeyType type;
  bool secret;
  Slot (*slot)(Config&, const Names&);
};

struct Key {
  std::string_view path;  // "server.listen", "purposes.*.digits"
  Binding binding;
  std::int64_t min = 0;  // of an integer
  std::int64_t max = 0;
  std::string_view unit = {};                     // of an integer, in the plural
  std::array<std::string_view, 10> choices = {};  // of a choice, in the enum's order
  bool (*check)(std::string_view) = nullptr;      // of a text, or of each element of a list
  std::string_view form = {};                     // what `check` asks for, after "must be "
  bool may_be_empty = false;                      // of a text
  bool masked = false;                            // hide it though its type does not
  std::string_view kind = {};                     // of a provider's key: for this kind only
  bool per_application = false;                   // applications may differ in it
  std::string_view doc = {};

  bool secret() const { return masked || binding.secret; }
};

// A section of the file; `pattern` like Key::path.
struct Section {
  std::string_view pattern;
  std::string_view doc;
  bool per_application = false;  // applications may differ in every key of it
};

// All rows, section by section.
std::span<const Key* const> config_keys();
std::span<const Section> config_sections();

// The longest text that any key takes, and the most elements of a list.
inline constexpr std::size_t k_max_text_bytes = 16 * 1024;
inline constexpr std::size_t k_max_list_items = 1'000;

// The value of the key as the file would spell its type.
struct NotAValue {
  std::string type;   // "a float", "a table"
  std::string shown;  // its text, if short
  bool operator==(const NotAValue&) const = default;
};
using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>, NotAValue>;

// Whether `value` is of the key's type, within its bounds and of its form; if so, it is written.
// A choice also takes a boolean if "true" and "false" are among its choices.
bool assign(const Key& key, const Names& names, const Value& value, Config& config);
// The key's value in `config`, secrets in clear. The names must be there.
Value value_of(const Key& key, const Names& names, const Config& config);
// The value of a key of that type written in an environment variable or flag; NotAValue if it
// is none. Lists are separated by commas.
Value value_from_text(KeyType type, std::string_view text);
// As the file spells it; "********" for what is hidden.
std::string to_toml(const Value& value, bool hidden);
// Of a list with more than one element, the first that has not the key's form; or empty.
std::string first_misfit(const Key& key, const Value& value);
// What a value must be: "a whole number from 1 to 64".
std::string allowed(const Key& key);

// --- bindings ------------------------------------------------------------------------------

template <class T>
Slot slot_to(T& member) {
  if constexpr (std::is_enum_v<T>) {
    return ChoiceSlot{&member,
                      [](const void* at) -> std::size_t {
                        return static_cast<std::size_t>(*static_cast<const T*>(at));
                      },
                      [](void* at, std::size_t value) { *static_cast<T*>(at) = T(value); }};
  } else {
    return &member;
  }
}

template <class T>
constexpr KeyType key_type() {
  if constexpr (std::is_enum_v<T>) return KeyType::choice;
  if constexpr (std::is_same_v<T, bool>) return KeyType::boolean;
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return KeyType::list;
  if constexpr (std::is_same_v<T, std::uint32_t> || std::is_same_v<T, Millis> ||
                std::is_same_v<T, Seconds> || std::is_same_v<T, Days>) {
    return KeyType::integer;
  }
  return KeyType::text;
}

template <class T>
constexpr Binding binding(Slot (*slot)(Config&, const Names&)) {
  using Member = std::remove_reference_t<T>;
  return {key_type<Member>(), std::is_same_v<Member, Secret>, slot};
}

// The member of a fixed section: at<&Config::server, &ServerConfig::threads>.
template <auto... Members>
inline constexpr Binding at = binding<decltype((std::declval<Config&>().*....*Members))>(
    [](Config& config, const Names&) { return slot_to((config.*....*Members)); });

// The member of a named section: each<&Config::purposes, &PurposeConfig::digits>. Setting it
// creates the section.
template <auto Map, auto... Members>
inline constexpr Binding each =
    binding<decltype(((std::declval<Config&>().*Map)[""].*....*Members))>(
        [](Config& config, const Names& names) {
          return slot_to(((config.*Map)[names.at(0)].*....*Members));
        });

}  // namespace otpd::app
