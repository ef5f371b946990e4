// The commands about API keys, asked of a running otpd.
#pragma once

#include <iosfwd>

#include "app/command_line.h"
#include "app/config.h"

namespace otpd::app {

// Carries out key_create, key_list, key_rotate and key_revoke through the admin routes of the otpd
// that runs under this configuration. A secret goes to `out`, alone on its line; what is said
// about it goes to `err`. The exit code: 0, or 1 with what is wrong on `err`.
int run_key_operation(const CommandLine& command, const Config& config, std::ostream& out,
                      std::ostream& err);

}  // namespace otpd::app
