// The command line: what otpd is asked to do.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "app/audit_request.h"
#include "app/config_load.h"
#include "app/key_request.h"

namespace otpd::app {

enum class Action : std::uint8_t {
  serve,           // otpd
  print,           // --help, --version, or a mistake: print `text` and end with `exit_code`
  config_check,    // otpd config check
  config_show,     // otpd config show
  config_default,  // otpd config default: print the documented file of all defaults
  app_list,        // otpd app list: the applications of the configuration
  app_show,        // otpd app show NAME: what is different there
  keys_show,       // otpd keys show: ids and dates only
  keys_rotate,     // otpd keys rotate
  key_new,         // otpd key new NAME: an API key for the configuration, of no running otpd
  // Asked of the otpd that runs under this configuration:
  key_create,         // otpd key create NAME
  key_list,           // otpd key list
  key_rotate,         // otpd key rotate NAME
  key_revoke,         // otpd key revoke NAME
  providers_list,     // otpd providers list
  provider_disable,   // otpd providers disable NAME
  provider_enable,    // otpd providers enable NAME
  queue_show,         // otpd queue show
  letters_list,       // otpd dead-letters list
  letter_requeue,     // otpd dead-letters requeue ID
  verification_show,  // otpd verification show ID: its timeline
  factor_list,        // otpd factor list USER
  factor_remove,      // otpd factor remove USER FACTOR
  factor_unlock,      // otpd factor unlock USER
  audit_search,       // otpd audit search
  audit_export,       // otpd audit export
  audit_verify,       // otpd audit verify: with a file offline, without one of the running otpd
};

struct CommandLine {
  Action action = Action::serve;
  std::string config_file;         // --config; empty: none
  std::vector<std::string> flags;  // "--section.key=value", as given, for LoadRequest
  KeyRequest key;                  // of the key commands; with a valid name, but for key_list
  std::string argument;            // NAME, ID or USER of what a running otpd is asked
  std::string factor;              // of factor_remove
  std::string application;         // of factor_*; empty: the base one
  AuditRequest audit;
  std::string text;   // of print; ends with a line feed
  int exit_code = 0;  // of print: 0 for standard output, 2 for standard error
};

// What `argv` asks for. Never exits, never prints, never throws.
CommandLine parse_command_line(int argc, const char* const* argv);

// Carries out config_* and app_*, which ask the configuration alone; the exit code: 0, or 2 with
// what is wrong on `err`.
int run_config_command(const CommandLine& command, const LoadRequest& request, std::ostream& out,
                       std::ostream& err);

}  // namespace otpd::app
