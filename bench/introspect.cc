#include <algorithm>
#include <cstdio>

#include "runs.h"

namespace otpd::bench {
namespace {

constexpr std::size_t k_sessions = 200;
constexpr std::size_t k_asked_per_round = 20'000;
constexpr double k_min_per_core = 15'000;
constexpr std::size_t k_apps_per_round = 2'000;
constexpr double k_max_app_us = 200;

// Of both kinds, over all rounds.
struct Asked {
  Load introspections;
  Nanos took{0};
  std::vector<double> us, health_us, ratios;
};

double us_each(const Phase& phase) {
  return to_us(phase.cpu) / static_cast<double>(phase.load.good.size());
}

Result<void> open_sessions(Phases& phases, std::size_t count) {
  if (const auto sent = phases.send(count); !sent) return std::unexpected(sent.error());
  const auto codes = phases.read_codes();
  if (!codes) return std::unexpected(codes.error());
  const auto verified = phases.verify(*codes);
  if (!verified) return std::unexpected(verified.error());
  return {};
}

Result<Asked> ask_in_rounds(Phases& phases, std::size_t rounds, std::size_t count) {
  Asked asked;
  if (const auto warm = phases.introspect(count / 4 + 1); !warm) {
    return std::unexpected(warm.error());
  }
  auto before = phases.ask_health(count);
  for (std::size_t round = 0; round < rounds; ++round) {
    if (!before) return std::unexpected(before.error());
    const auto phase = phases.introspect(count);
    if (!phase) return std::unexpected(phase.error());
    auto after = phases.ask_health(count);
    if (!after) return std::unexpected(after.error());
    // Other programs come and go: compared with what was just before and after.
    const double health = (us_each(*before) + us_each(*after)) / 2;
    asked.us.push_back(us_each(*phase));
    asked.health_us.push_back(health);
    asked.ratios.push_back(us_each(*phase) / health);
    asked.took += phase->finished;
    auto& all = asked.introspections.good;
    all.insert(all.end(), phase->load.good.begin(), phase->load.good.end());
    before = std::move(after);
  }
  return asked;
}

// CPU per code of an authenticator app, in microseconds; each app is asked once, as each code is
// good once.
Result<double> cost_of_apps(Phases& phases, std::size_t rounds, std::size_t count) {
  std::vector<double> us;
  for (std::size_t round = 0; round < rounds; ++round) {
    if (const auto enrolled = phases.enrol(count); !enrolled) {
      return std::unexpected(enrolled.error());
    }
    const auto phase = phases.verify_apps();
    if (!phase) return std::unexpected(phase.error());
    us.push_back(us_each(*phase));
  }
  return median(us);
}

}  // namespace

Result<bool> measure_introspection(const Options& options, bool check) {
  Generator generator;
  auto services = Services::start(options.programs, generator);
  if (!services) return std::unexpected(services.error());
  services->settle();
  Phases phases(*services, generator, options.connections);
  if (const auto opened = open_sessions(phases, k_sessions); !opened) {
    return std::unexpected(opened.error());
  }
  const std::size_t count = options.per_round == 0 ? k_asked_per_round : options.per_round;
  std::printf("otpd with %zu sessions, %zu connections, %zu rounds of %zu\n", k_sessions,
              options.connections, options.rounds, count);
  print_head(*services);
  const auto asked = ask_in_rounds(phases, options.rounds, count);
  if (!asked) return std::unexpected(asked.error());
  const auto app_us = cost_of_apps(phases, options.rounds, std::min(count, k_apps_per_round));
  if (!app_us) return std::unexpected(app_us.error());
  print_columns();
  const double per_second =
      static_cast<double>(asked->introspections.good.size()) / to_s(asked->took);
  print_phase("introspect", asked->introspections, per_second);
  std::printf("\n%-34s %9.1f us\n", "otpd's CPU per GET /healthz", median(asked->health_us));
  const double us = median(asked->us);
  const double per_core = 1e6 / us;
  const bool passed =
      !check || check_figures({{"introspections per second and core", per_core,
                                Figure::Must::stay_above, k_min_per_core},
                               {"cpu.totp, us", *app_us, Figure::Must::stay_below, k_max_app_us}});
  std::printf("cpu.introspect %.1f us\nintrospect.per_core %.0f /s\nratio.introspect %.3f\n", us,
              per_core, median(asked->ratios));
  std::printf("cpu.totp %.1f us\n", *app_us);
  return passed;
}

}  // namespace otpd::bench
