// Exports of the audit log: any text is read or refused, what is read is written back as it was,
// and a proof of it ends with a verdict.
#include <sstream>

#include "app/audit_file.h"
#include "app/audit_verdict.h"
#include "crypto/primitives.h"
#include "fuzz.h"

namespace {

using namespace otpd;

// Whether the record is written as it was read.
void write_back(const app::ExportRecord& record, std::uint32_t chain, std::string_view row) {
  if (std::holds_alternative<app::AuditChain>(record)) return;
  std::ostringstream out;
  if (const auto* line = std::get_if<audit::Line>(&record)) {
    app::write_record(out, chain, *line);
  } else {
    app::write_record(out, chain, std::get<audit::Checkpoint>(record));
  }
  const auto json = nlohmann::json::parse(row);
  fuzz::require(nlohmann::json::parse(out.str()) == json, "a record survives being written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = (crypto::init(), true);
  fuzz::require(ready, "there is a crypto library");
  std::string_view rest = fuzz::text_of(data, size);
  std::istringstream in{std::string(rest)};
  app::ExportReader reader(in);
  const auto header = reader.header();
  if (!header) return 0;
  (void)fuzz::take_line(rest);
  std::ostringstream told;
  app::AuditVerdict verdict(header->public_key, told);
  std::uint32_t chain = 0;
  for (auto record = reader.next(); record && *record; record = reader.next()) {
    const std::string_view row = fuzz::take_line(rest);
    write_back(**record, chain, row);
    if (const auto* range = std::get_if<app::AuditChain>(&**record)) {
      chain = range->chain;
      verdict.begin(*range);
    } else if (const auto* line = std::get_if<audit::Line>(&**record)) {
      verdict.read(*line);
    } else {
      verdict.read(std::get<audit::Checkpoint>(**record));
    }
  }
  const int code = verdict.finish();
  fuzz::require(code == (told.str().contains("BROKEN") ? 1 : 0), "the verdict is what was told");
  return 0;
}
