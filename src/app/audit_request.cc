#include "app/audit_request.h"

#include "base/encoding.h"
#include "base/rfc3339.h"

namespace otpd::app {
namespace {

constexpr std::size_t k_day_length = 10;
constexpr std::size_t k_public_key_bytes = 32;

std::optional<std::string> read_time(const char* flag, const std::string& word,
                                     std::optional<TimePoint>& to) {
  if (word.empty()) return std::nullopt;
  to = parse_time_or_day(word);
  if (to) return std::nullopt;
  return std::string(flag) + " needs a day or a time in UTC, such as 2026-01-31 or " +
         "2026-01-31T08:30:00Z";
}

std::optional<std::string> read_audit_format(const std::string& word, AuditFormat& to) {
  if (word == "csv") to = AuditFormat::csv;
  if (word == "ndjson") to = AuditFormat::ndjson;
  if (word.empty() || word == "table" || to != AuditFormat::table) return std::nullopt;
  return "--format is one of table, csv, ndjson";
}

std::optional<std::string> read_public_key(const std::string& word, std::string& to) {
  if (word.empty()) return std::nullopt;
  to = hex_decode(word).value_or("");
  if (to.size() == k_public_key_bytes) return std::nullopt;
  return "--public-key needs 64 hexadecimal digits";
}

}  // namespace

std::optional<TimePoint> parse_time_or_day(const std::string& text) {
  return parse_rfc3339(text.size() == k_day_length ? text + "T00:00:00Z" : text);
}

std::optional<std::string> read_words(AuditRequest& request) {
  const AuditRequest::Words& words = request.words;
  if (auto wrong = read_time("--from", words.from, request.from)) return wrong;
  if (auto wrong = read_time("--to", words.to, request.to)) return wrong;
  if (auto wrong = read_audit_format(words.format, request.format)) return wrong;
  if (auto wrong = read_public_key(words.public_key, request.public_key)) return wrong;
  if (request.from && request.to && *request.from >= *request.to) {
    return "--from must be before --to";
  }
  if (!request.phone.empty() && !request.email.empty()) return "give either --phone or --email";
  if (!request.file.empty() && (request.from || request.to)) {
    return "an export is checked as a whole: --from and --to are for the running otpd";
  }
  return std::nullopt;
}

}  // namespace otpd::app
