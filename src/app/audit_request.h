// AuditRequest: what the audit commands are about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace otpd::app {

enum class AuditFormat : std::uint8_t { table, csv, ndjson };

// Empty: not given.
struct AuditRequest {
  // As the command line gives them.
  struct Words {
    std::string from;
    std::string to;
    std::string format;
    std::string public_key;
  };

  std::string phone;
  std::string application;  // empty: all; but a phone or an e-mail address is the base one's
  std::string email;
  std::string user;
  std::string verification;
  std::string type;
  std::size_t limit = 100;
  std::string out_file;  // of an export; empty: standard output
  std::string file;      // of verify; empty: the running otpd is asked
  // From `words`:
  std::optional<TimePoint> from{};  // inclusive
  std::optional<TimePoint> to{};    // exclusive
  AuditFormat format = AuditFormat::table;
  std::string public_key;  // 32 bytes
  Words words;
};

// Reads the words, and checks that they go together; what is wrong, or nothing.
std::optional<std::string> read_words(AuditRequest& request);

// The beginning of a day (YYYY-MM-DD, UTC), or an RFC 3339 time in UTC.
std::optional<TimePoint> parse_time_or_day(const std::string& text);

}  // namespace otpd::app
