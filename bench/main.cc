// otpd-bench: puts a real otpd under load and says what it costs.
#include <sodium.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "runs.h"
#include "stop.h"

namespace otpd::bench {
namespace {

struct Asked {
  Options options;
  bool overload = false;
  bool introspect = false;
  bool quick = false;
  bool check = false;
};

std::filesystem::path beside_us(const char* name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

void define(CLI::App& app, Asked& asked) {
  Options& options = asked.options;
  options.programs.otpd = beside_us("otpd");
  options.programs.sms_sim = beside_us("sms-sim");
  app.add_option("--hash", options.programs.hash, "How otpd hashes codes")
      ->check(CLI::IsMember({"argon2id", "hmac"}))
      ->capture_default_str();
  app.add_flag("--overload", asked.overload, "Measure what happens at twice the peak instead");
  app.add_flag("--introspect", asked.introspect, "Measure what asking for a session costs instead")
      ->excludes("--overload");
  app.add_flag("--quick", asked.quick, "A few seconds: does it work at all?");
  app.add_flag("--check", asked.check, "Exit with 1 if a figure is missed");
  app.add_option("--connections", options.connections, "Requests in flight")
      ->check(CLI::Range(1, 60))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Rounds of sends and verifies")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--per-round", options.per_round, "Operations in each; 0: what suits the hash")
      ->check(CLI::Range(0, 50'000));
  app.add_option("--otpd", options.programs.otpd, "The otpd to measure");
  app.add_option("--sms-sim", options.programs.sms_sim, "The carrier to send through");
  app.add_option("--otpd-flag", options.programs.otpd_flags,
                 "A further flag for otpd, such as --data.backend=memory");
}

void shorten(Asked& asked) {
  asked.options.rounds = 1;
  asked.options.per_round = 50;
  asked.options.overload_seconds = 1;
}

void allow_many_connections() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int run(const Asked& asked) {
  const auto passed = asked.overload     ? measure_overload(asked.options, asked.check)
                      : asked.introspect ? measure_introspection(asked.options, asked.check)
                                         : measure_cost(asked.options, asked.check);
  if (passed) return *passed ? 0 : 1;
  std::fflush(stdout);
  std::fprintf(stderr, "otpd-bench: %s\n", passed.error().message.c_str());
  return stop_asked() ? 130 : 2;
}

}  // namespace
}  // namespace otpd::bench

int main(int argc, char** argv) {
  otpd::bench::Asked asked;
  CLI::App app("otpd-bench: what otpd costs, measured with simulated carriers");
  otpd::bench::define(app, asked);
  CLI11_PARSE(app, argc, argv);
  if (asked.quick) otpd::bench::shorten(asked);
  if (sodium_init() < 0) return 2;
  otpd::bench::watch_for_stop();
  otpd::bench::allow_many_connections();
  return otpd::bench::run(asked);
}
