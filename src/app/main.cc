// otpd: the program. Reads what it is asked to do, and does it.
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>

#include "app/assemble.h"
#include "app/audit_operations.h"
#include "app/command_line.h"
#include "app/key_operations.h"
#include "app/operations.h"
#include "app/otpd.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "crypto/primitives.h"

namespace otpd::app {
namespace {

constexpr int k_misuse = 2;
constexpr std::size_t k_api_key_bytes = 32;

ConfigChecks config_checks() {
  ConfigChecks checks;
  checks.message_template = [](std::string_view purpose, std::string_view channel,
                               std::string_view locale,
                               std::string_view text) -> std::optional<std::string> {
    delivery::TemplateConfig one;
    one.overrides[std::string(purpose)][std::string(channel)][std::string(locale)].text = text;
    const auto made = delivery::Templates::make(one);
    if (made) return std::nullopt;
    return made.error().message;
  };
  checks.now = SystemClock{}.now();
  return checks;
}

LoadRequest load_request(const CommandLine& command) {
  return {command.config_file, process_environment(), command.flags, config_checks()};
}

// Blocks until the process is told to end; the signals are blocked in every thread.
void wait_for_end() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  int signal = 0;
  sigwait(&ends, &signal);
  log::info("draining", {{"signal", signal}});
}

void prepare_process() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // A thread that wakes waits its turn rather than interrupt the one that hashes: events are then
  // handled several at a time, with warm caches. Best effort.
  const sched_param no_priority{};
  sched_setscheduler(0, SCHED_BATCH, &no_priority);
  rlimit no_core{0, 0};  // a core dump would hold every key
  setrlimit(RLIMIT_CORE, &no_core);
}

int serve(const LoadedConfig& loaded) {
  prepare_process();
  const Config& config = loaded.config;
  log::start(config.log.level);
  for (const std::string& warning : loaded.warnings) log::warn(warning);
  auto otpd = Otpd::start(config);
  if (!otpd) {
    log::stop();
    std::cerr << "otpd cannot start: " << otpd.error().message << "\n";
    return 1;
  }
  log::info("otpd is ready", {{"version", OTPD_VERSION},
                              {"url", (*otpd)->url()},
                              {"data", config.data.dir},
                              {"admin_token_file", config.auth.admin_token_file}});
  wait_for_end();
  (*otpd)->drain();
  otpd->reset();
  log::info("otpd has ended");
  log::stop();
  return 0;
}

int show_keys(const crypto::KeyRing& keys) {
  for (const crypto::Generation& generation : keys.generations()) {
    std::cout << fmt::format("{}  {}{}\n", generation.id, rfc3339(generation.created_at),
                             generation.id == keys.active().id ? "  active" : "");
  }
  return 0;
}

int work_on_keys(const Config& config, Action action) {
  if (!config.crypto.keys.empty() && action == Action::keys_rotate) {
    std::cerr << "the keys come from crypto.keys, not from a file: rotate them where they are\n";
    return k_misuse;
  }
  crypto::SystemRandom random;
  const TimePoint now = SystemClock{}.now();
  const auto folder = make_private_folder(config.data.dir);
  auto keys = folder ? open_keys(config.crypto, now, random) : std::unexpected(folder.error());
  if (!keys) {
    std::cerr << keys.error().message << "\n";
    return 1;
  }
  if (action == Action::keys_show) return show_keys(*keys);
  keys->rotate(now, random);
  if (const auto saved = keys->save(config.crypto.key_file); !saved) {
    std::cerr << saved.error().message << "\n";
    return 1;
  }
  std::cout << fmt::format("generation {} is active after the next start of otpd\n",
                           keys->active().id);
  return 0;
}

int new_api_key(const std::string& name) {
  crypto::SystemRandom random;
  Secret key("otpk_" + base64url_encode(random.bytes(k_api_key_bytes)));
  std::cout << "The key, shown this once:\n  " << key.reveal()
            << "\nThe entry for auth.api_keys:\n  \"" << name << ":"
            << hex_encode(crypto::sha256(key.reveal())) << "\"\n";
  return 0;
}

AuditOutput audit_output() {
  return {std::cout, std::cerr, isatty(STDERR_FILENO) == 1 ? &std::cerr : nullptr};
}

int run(int argc, char** argv) {
  const CommandLine command = parse_command_line(argc, argv);
  switch (command.action) {
    case Action::print:
      (command.exit_code == 0 ? std::cout : std::cerr) << command.text;
      return command.exit_code;
    case Action::config_check:
    case Action::config_show:
    case Action::config_default:
    case Action::app_list:
    case Action::app_show:
      return run_config_command(command, load_request(command), std::cout, std::cerr);
    case Action::key_new:
      return new_api_key(command.key.name);
    case Action::serve:
    case Action::keys_show:
    case Action::keys_rotate:
    case Action::key_create:
    case Action::key_list:
    case Action::key_rotate:
    case Action::key_revoke:
    case Action::providers_list:
    case Action::provider_disable:
    case Action::provider_enable:
    case Action::queue_show:
    case Action::letters_list:
    case Action::letter_requeue:
    case Action::verification_show:
    case Action::factor_list:
    case Action::factor_remove:
    case Action::factor_unlock:
    case Action::audit_search:
    case Action::audit_export:
      break;
    case Action::audit_verify:
      if (!command.audit.file.empty()) return verify_audit_file(command.audit, audit_output());
      break;
  }
  const auto loaded = load_config(load_request(command));
  if (!loaded) {
    std::cerr << "otpd: " << describe(loaded.error());
    return k_misuse;
  }
  if (command.action == Action::serve) return serve(*loaded);
  if (command.action == Action::keys_show || command.action == Action::keys_rotate) {
    return work_on_keys(loaded->config, command.action);
  }
  if (command.action == Action::audit_search || command.action == Action::audit_export ||
      command.action == Action::audit_verify) {
    return run_audit_operation(command, loaded->config, audit_output());
  }
  if (command.action == Action::key_create || command.action == Action::key_list ||
      command.action == Action::key_rotate || command.action == Action::key_revoke) {
    return run_key_operation(command, loaded->config, std::cout, std::cerr);
  }
  return run_operation(command, loaded->config, std::cout, std::cerr);
}

}  // namespace
}  // namespace otpd::app

int main(int argc, char** argv) {
  otpd::crypto::init();
  return otpd::app::run(argc, argv);
}
