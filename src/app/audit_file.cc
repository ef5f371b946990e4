#include "app/audit_file.h"

#include <fmt/format.h>

#include <istream>
#include <ostream>

#include "audit/json.h"
#include "base/encoding.h"
#include "base/rfc3339.h"

namespace otpd::app {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int k_export_version = 1;
constexpr std::size_t k_export_key_bytes = 32;

ordered_json shown_time(const std::optional<TimePoint>& time) {
  return time ? ordered_json(rfc3339(*time)) : ordered_json();
}

std::optional<TimePoint> time_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return parse_rfc3339(found->get<std::string>());
}

std::uint64_t count_in(const json& object, const char* name) {
  const json& value = object.at(name);
  if (!value.is_number_unsigned()) throw json::other_error::create(501, "not a number", &value);
  return value.get<std::uint64_t>();
}

std::optional<ExportHeader> header_in(const json& object) {
  try {
    ExportHeader header;
    header.public_key = hex_decode(object.at("public_key").get<std::string>()).value_or("");
    header.from = time_in(object, "from");
    header.to = time_in(object, "to");
    header.exported_at = time_in(object, "exported_at").value_or(TimePoint());
    header.chains = object.at("chains").get<std::vector<std::uint32_t>>();
    if (header.public_key.size() != k_export_key_bytes) return std::nullopt;
    return header;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

void write_record(std::ostream& out, const ExportHeader& header) {
  out << ordered_json{{"otpd_audit_export", k_export_version},
                      {"public_key", hex_encode(header.public_key)},
                      {"from", shown_time(header.from)},
                      {"to", shown_time(header.to)},
                      {"exported_at", rfc3339(header.exported_at)},
                      {"chains", header.chains}}
             .dump()
      << '\n';
}

void write_record(std::ostream& out, const AuditChain& range) {
  const ordered_json body{
      {"chain", range.chain}, {"first", range.span.first}, {"last", range.span.last}};
  out << ordered_json{{"range", body}}.dump() << '\n';
}

void write_record(std::ostream& out, std::uint32_t chain, const AuditWalk::Step& step) {
  const auto* line = std::get_if<audit::Line>(&step);
  const ordered_json body = line != nullptr ? audit::to_json(chain, *line)
                                            : audit::to_json(std::get<audit::Checkpoint>(step));
  out << ordered_json{{line != nullptr ? "line" : "checkpoint", body}}.dump() << '\n';
}

Result<ExportHeader> ExportReader::header() {
  std::string text;
  std::getline(in_, text);
  ++row_;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("otpd_audit_export")) {
    return fail(Failure::invalid, "this is no export of an audit log");
  }
  if (object["otpd_audit_export"] != k_export_version) {
    return fail(Failure::invalid, "this export is of another version of otpd");
  }
  auto header = header_in(object);
  if (!header) return fail(Failure::invalid, "the first line of the file is damaged");
  return std::move(*header);
}

Result<std::optional<ExportRecord>> ExportReader::next() {
  std::string text;
  if (!std::getline(in_, text)) return std::nullopt;
  ++row_;
  const bool whole = !in_.eof();  // its line end, too
  const auto refused = [&] {
    return fail(Failure::invalid,
                fmt::format("line {} of the file is not what an export holds", row_));
  };
  try {
    const json record = json::parse(text);
    if (!whole || !record.is_object() || record.size() != 1) return refused();
    auto read_one = read(record);
    if (!read_one) return refused();
    return std::move(*read_one);
  } catch (const json::exception&) {
    return refused();
  }
}

Result<ExportRecord> ExportReader::read(const json& record) {
  const std::string name = record.begin().key();
  const json& body = record.front();
  if (name == "range") {
    chain_ = body.at("chain").get<std::uint32_t>();
    return AuditChain{*chain_, {count_in(body, "first"), count_in(body, "last")}};
  }
  if (!chain_ || body.at("chain") != *chain_) return fail(Failure::invalid, "of another chain");
  if (name == "line") {
    auto line = audit::line_from_json(body);
    if (!line) return std::unexpected(line.error());
    return std::move(*line);
  }
  if (name != "checkpoint") return fail(Failure::invalid, "of no known kind");
  auto checkpoint = audit::checkpoint_from_json(body);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  return std::move(*checkpoint);
}

}  // namespace otpd::app
