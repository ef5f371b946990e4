#include "app/audit_operations.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <ostream>

#include "app/admin_client.h"
#include "app/audit_file.h"
#include "app/audit_verdict.h"
#include "app/audit_walk.h"
#include "audit/csv.h"
#include "audit/json.h"
#include "base/encoding.h"
#include "base/rfc3339.h"
#include "net/form.h"

namespace otpd::app {
namespace {

using nlohmann::json;

constexpr std::size_t k_search_page = 1'000;
constexpr std::uint64_t k_progress_step = 5'000;

int audit_failed(const AuditOutput& to, const Error& error) {
  to.err << "otpd: " << error.message << "\n";
  return 1;
}

// Tells whoever watches how far it is.
class Progress {
 public:
  Progress(std::ostream* out, const char* what) : out_(out), what_(what) {}
  ~Progress() {
    if (out_ != nullptr && told_) *out_ << "\n";
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void count() {
    if (++lines_ % k_progress_step != 0 || out_ == nullptr) return;
    told_ = true;
    *out_ << "\r" << lines_ << " lines " << what_ << std::flush;
  }

 private:
  std::ostream* out_;
  const char* what_;
  std::uint64_t lines_ = 0;
  bool told_ = false;
};

std::string search_target(const AuditRequest& request, std::size_t limit,
                          const std::string& before) {
  std::string target = fmt::format("/admin/events?limit={}", limit);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) target += fmt::format("&{}={}", name, net::percent_encode(value));
  };
  const auto second = [](TimePoint time) {
    return std::to_string(std::chrono::ceil<Seconds>(time).time_since_epoch().count());
  };
  add("phone", request.phone);
  add("application", request.application);
  add("email", request.email);
  add("user_id", request.user);
  add("verification_id", request.verification);
  add("event_type", request.type);
  if (request.from) add("from", second(std::chrono::floor<Seconds>(*request.from)));
  if (request.to) add("to", second(*request.to));
  add("before", before);
  return target;
}

// Without what a terminal would obey: control characters, in UTF-8 also those from U+0080 on.
std::string harmless(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool high = c == 0xc2 && i + 1 < text.size() && (text[i + 1] & 0x60) == 0;
    if (c < 0x20 || c == 0x7f || high) text[i] = '?';
    if (high) text.erase(i + 1, 1);
  }
  return text;
}

std::string table_row(const audit::Event& event) {
  const auto shown = [](const std::string& text) { return text.empty() ? "-" : text; };
  return harmless(fmt::format("{:<24}  {:<16} {:<40} {:<15} {:<2} {:<14} {:<10} {}",
                              rfc3339(event.created_at), shown(event.event_type),
                              shown(event.verification_id), shown(event.ip_address),
                              shown(event.country), shown(event.purpose), shown(event.provider),
                              shown(event.detail))) +
         "\n";
}

std::string audit_row(const audit::Event& event, AuditFormat format) {
  if (format == AuditFormat::csv) return audit::csv_row(event);
  if (format == AuditFormat::ndjson) return audit::to_json(event).dump() + "\n";
  return table_row(event);
}

int search(AdminClient& client, const AuditRequest& request, const AuditOutput& to) {
  if (request.format == AuditFormat::csv) to.out << audit::csv_header();
  std::string before;
  for (std::size_t left = request.limit; left > 0;) {
    const auto page =
        client.ask("GET", search_target(request, std::min(left, k_search_page), before));
    if (!page) return audit_failed(to, page.error());
    const json events = page->value("events", json::array());
    for (const json& each : events) {
      const auto event = audit::event_from_json(each);
      if (!event) return audit_failed(to, event.error());
      to.out << audit_row(*event, request.format);
    }
    left -= std::min(left, events.size());
    before = page->value("next", "");
    if (before.empty()) break;
  }
  return 0;
}

AdminAsk asking(AdminClient& client) {
  return [&client](const std::string& target) { return client.ask("GET", target); };
}

Result<void> export_chains(AdminClient& client, const AuditChains& chains, std::ostream& out,
                           Progress& progress) {
  for (const AuditChain& chain : chains.chains) {
    AuditWalk walk(asking(client), chain);
    const auto span = walk.begin();
    if (!span) return std::unexpected(span.error());
    write_record(out, AuditChain{chain.chain, *span});
    for (;;) {
      const auto step = walk.next();
      if (!step) return std::unexpected(step.error());
      if (!*step) break;
      write_record(out, chain.chain, **step);
      progress.count();
    }
  }
  out.flush();
  if (!out) return fail(Failure::unavailable, "the export cannot be written");
  return {};
}

int export_to(AdminClient& client, const AuditRequest& request, std::ostream& out,
              const AuditOutput& to) {
  const auto chains = ask_chains(asking(client), request.from, request.to);
  if (!chains) return audit_failed(to, chains.error());
  ExportHeader header{chains->public_key, request.from, request.to, SystemClock{}.now(), {}};
  for (const AuditChain& chain : chains->chains) header.chains.push_back(chain.chain);
  write_record(out, header);
  Progress progress(to.progress, "exported");
  const auto done = export_chains(client, *chains, out, progress);
  return done ? 0 : audit_failed(to, done.error());
}

// For its owner alone: it tells who did what, and from where.
int export_audit(AdminClient& client, const AuditRequest& request, const AuditOutput& to) {
  if (request.out_file.empty()) return export_to(client, request, to.out, to);
  const mode_t before = ::umask(0077);
  std::ofstream file(request.out_file, std::ios::binary | std::ios::trunc);
  ::umask(before);
  if (file) return export_to(client, request, file, to);
  return audit_failed(to, {Failure::unavailable, "cannot write " + request.out_file});
}

// Whom to believe: the key that was given, or else the one that came with what it is to prove.
std::string key_to_trust(const AuditRequest& request, const std::string& found, const char* where,
                         std::ostream& err) {
  if (!request.public_key.empty()) return request.public_key;
  err << fmt::format(
      "warning: the public key {} comes from the {} that it is to prove: whoever can replace one "
      "can replace the other. Compare it with the one that you wrote down, or give --public-key.\n",
      hex_encode(found), where);
  return found;
}

void compare_keys(const AuditRequest& request, const std::string& found, const char* where,
                  AuditVerdict& verdict) {
  if (request.public_key.empty() || request.public_key == found) return;
  verdict.refute(
      fmt::format("the {} names the public key {}, which is another", where, hex_encode(found)));
}

int verify_running(AdminClient& client, const AuditRequest& request, const AuditOutput& to) {
  const auto chains = ask_chains(asking(client), request.from, request.to);
  if (!chains) return audit_failed(to, chains.error());
  AuditVerdict verdict(key_to_trust(request, chains->public_key, "otpd", to.err), to.out);
  compare_keys(request, chains->public_key, "otpd", verdict);
  Progress progress(to.progress, "checked");
  for (AuditChain chain : chains->chains) {
    AuditWalk walk(asking(client), chain);
    const auto span = walk.begin();
    if (!span) return audit_failed(to, span.error());
    chain.span = *span;
    verdict.begin(chain);
    while (!verdict.broken()) {
      const auto step = walk.next();
      if (!step) return audit_failed(to, step.error());
      if (!*step) break;
      verdict.read(**step);
      progress.count();
    }
  }
  return verdict.finish();
}

// The chains that the header promises and that never came.
void miss_chains(std::vector<std::uint32_t> promised, const std::vector<std::uint32_t>& seen,
                 AuditVerdict& verdict) {
  for (const std::uint32_t chain : promised) {
    if (std::ranges::find(seen, chain) != seen.end()) continue;
    verdict.refute(fmt::format("chain {} is missing", chain));
  }
}

int verify_records(ExportReader& reader, const ExportHeader& header, AuditVerdict& verdict,
                   Progress& progress) {
  std::vector<std::uint32_t> seen;
  for (;;) {
    const auto record = reader.next();
    if (!record) {
      verdict.refute(record.error().message);
      break;
    }
    if (!*record) break;
    if (const auto* range = std::get_if<AuditChain>(&**record)) {
      verdict.begin(*range);
      seen.push_back(range->chain);
    } else if (const auto* line = std::get_if<audit::Line>(&**record)) {
      verdict.read(*line);
      progress.count();
    } else {
      verdict.read(std::get<audit::Checkpoint>(**record));
    }
  }
  miss_chains(header.chains, seen, verdict);
  return verdict.finish();
}

}  // namespace

int run_audit_operation(const CommandLine& command, const Config& config, const AuditOutput& to) {
  const auto client = AdminClient::make(config);
  if (!client) return audit_failed(to, client.error());
  switch (command.action) {
    case Action::audit_search:
      return search(**client, command.audit, to);
    case Action::audit_export:
      return export_audit(**client, command.audit, to);
    default:
      return verify_running(**client, command.audit, to);
  }
}

int verify_audit_file(const AuditRequest& request, const AuditOutput& to) {
  std::ifstream in(request.file, std::ios::binary);
  if (!in) {
    to.err << "otpd: cannot read " << request.file << "\n";
    return 2;
  }
  ExportReader reader(in);
  const auto header = reader.header();
  if (!header) return audit_failed(to, header.error());
  AuditVerdict verdict(key_to_trust(request, header->public_key, "file", to.err), to.out);
  compare_keys(request, header->public_key, "file", verdict);
  Progress progress(to.progress, "checked");
  return verify_records(reader, *header, verdict, progress);
}

}  // namespace otpd::app
