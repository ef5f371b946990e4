// The file of an export: NDJSON, one record a line.
//
//   {"otpd_audit_export": 1, "public_key": …, "from": …, "to": …, "exported_at": …, "chains": […]}
//   {"range": {"chain": 0, "first": 1, "last": 3}}                 for every chain in "chains",
//   then
//   {"checkpoint": {…}} and {"line": {…}}                          in the order of AuditWalk
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/audit_walk.h"
#include "audit/log.h"
#include "base/result.h"

namespace otpd::app {

struct ExportHeader {
  std::string public_key;  // 32 bytes
  std::optional<TimePoint> from;
  std::optional<TimePoint> to;
  TimePoint exported_at;
  std::vector<std::uint32_t> chains;
};

void write_record(std::ostream& out, const ExportHeader& header);
void write_record(std::ostream& out, const AuditChain& range);
void write_record(std::ostream& out, std::uint32_t chain, const AuditWalk::Step& step);

// A record after the header: what follows a range is of its chain.
using ExportRecord = std::variant<AuditChain, audit::Line, audit::Checkpoint>;

class ExportReader {
 public:
  // `in` outlives it.
  explicit ExportReader(std::istream& in) : in_(in) {}

  // To be called first. Failure::invalid if it is no export, or one of another version.
  Result<ExportHeader> header();
  // Nothing at the end. Failure::invalid, naming the line of the file, for a record that an export
  // does not have, that is of another chain than its range, or that is cut off.
  Result<std::optional<ExportRecord>> next();

 private:
  Result<ExportRecord> read(const nlohmann::json& record);

  std::istream& in_;
  std::uint64_t row_ = 0;
  std::optional<std::uint32_t> chain_;
};

}  // namespace otpd::app
