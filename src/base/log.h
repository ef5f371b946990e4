// The log: one JSON object a line on standard error, written by a background thread.
//
// Never log a code, a token, a key or a recipient's address. A Secret does not convert to a
// field; keep addresses and codes in Secrets and they cannot reach the log by accident.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace otpd::log {

enum class Level : std::uint8_t { debug, info, warn, error, off };

struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, std::integral auto v) : key(k), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, double v) : key(k), value(v) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, double> value;
};

// Starts the background writer; lines below `level` are dropped. Call once, before threads start;
// without it nothing is logged.
void start(Level level);

// Writes what is buffered and ends the background writer.
void stop();

// The level of that name (debug, info, warn, error, off); false if there is none.
bool parse_level(std::string_view name, Level& level);

// One line: {"time":…,"level":…,"message":…, fields…}. Never blocks: when the writer cannot keep
// up, the oldest lines are dropped. Safe from any thread.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::debug, m, f);
}
inline void info(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::info, m, f);
}
inline void warn(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::warn, m, f);
}
inline void error(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::error, m, f);
}

}  // namespace otpd::log
