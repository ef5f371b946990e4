// The audit commands: search, export and verify.
#pragma once

#include <iosfwd>

#include "app/audit_request.h"
#include "app/command_line.h"
#include "app/config.h"

namespace otpd::app {

// What the commands write to. `progress` is null unless somebody watches `err`.
struct AuditOutput {
  std::ostream& out;
  std::ostream& err;
  std::ostream* progress = nullptr;
};

// Carries out audit_search, audit_export, and audit_verify of the otpd that runs under this
// configuration. The exit code: 0; 1 with what is wrong on `err`, or with the first broken line on
// `out`.
int run_audit_operation(const CommandLine& command, const Config& config, const AuditOutput& to);

// Carries out audit_verify of a file: needs neither an otpd nor a configuration. The exit code: 0;
// 1 with the first broken line on `out`; 2 if the file cannot be read at all.
int verify_audit_file(const AuditRequest& request, const AuditOutput& to);

}  // namespace otpd::app
