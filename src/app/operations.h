// Operations: asking the otpd that runs, through its admin routes.
#pragma once

#include <iosfwd>

#include "app/command_line.h"
#include "app/config.h"

namespace otpd::app {

// Carries out the actions from providers_list on: asks the otpd at server.listen with the admin
// token of auth.admin_token_file, and prints the answer for people. The exit code: 0, or 1 with
// what is wrong on `err`.
int run_operation(const CommandLine& command, const Config& config, std::ostream& out,
                  std::ostream& err);

}  // namespace otpd::app
