#include <cmath>
#include <cstdio>

#include "runs.h"

namespace otpd::bench {
namespace {

constexpr double k_times_the_peak = 2;
constexpr std::size_t k_peak_connections = 60;  // below the bound of otpd's hash queue
constexpr std::size_t k_first_guess = 400;
constexpr double k_min_goodput = 0.90;
constexpr double k_max_refusal_ms = 50;

// Accepted sends per second of a closed loop.
double rate(const Phase& phase) {
  return static_cast<double>(phase.load.good.size()) / to_s(phase.load.elapsed);
}

std::size_t in_seconds(double seconds, double per_second) {
  return static_cast<std::size_t>(std::ceil(seconds * per_second));
}

struct Overload {
  Phase peak_before, offered, peak_after;
  double offered_per_second = 0;
  // Other programs come and go: what is compared lies before and after.
  double peak() const { return (rate(peak_before) + rate(peak_after)) / 2; }
  double goodput() const {
    return static_cast<double>(offered.load.good_in_time) * offered_per_second /
           static_cast<double>(offered.load.good.size() + offered.load.refused.size());
  }
};

Result<Overload> run_overload(Phases& phases, double seconds) {
  const auto guess = phases.send(k_first_guess);
  if (!guess) return std::unexpected(guess.error());
  Overload run;
  auto before = phases.send(in_seconds(seconds / 2, rate(*guess)));
  if (!before) return std::unexpected(before.error());
  run.peak_before = std::move(*before);
  run.offered_per_second = k_times_the_peak * rate(run.peak_before);
  auto offered = phases.offer(in_seconds(seconds, run.offered_per_second), run.offered_per_second);
  if (!offered) return std::unexpected(offered.error());
  run.offered = std::move(*offered);
  auto after = phases.send(in_seconds(seconds / 2, rate(run.peak_before)));
  if (!after) return std::unexpected(after.error());
  run.peak_after = std::move(*after);
  return run;
}

}  // namespace

Result<bool> measure_overload(const Options& options, bool check) {
  Generator generator;
  auto services = Services::start(options.programs, generator);
  if (!services) return std::unexpected(services.error());
  Phases phases(*services, generator, k_peak_connections);
  const auto run = run_overload(phases, options.overload_seconds);
  if (!run) return std::unexpected(run.error());

  std::printf("otpd with %s, sends, %.1f times the peak offered\n", options.programs.hash.c_str(),
              run->offered_per_second / run->peak());
  print_columns();
  print_phase("peak, before", run->peak_before.load, rate(run->peak_before));
  print_phase("overload", run->offered.load, run->goodput());
  print_phase("peak, after", run->peak_after.load, rate(run->peak_after));
  const Latencies refusals = summarise(run->offered.load.refused);
  const double goodput = run->goodput() / run->peak();
  const std::vector<Figure> figures = {
      {"overload.goodput", goodput, Figure::Must::stay_above, k_min_goodput},
      {"overload.refusal_p50, ms", to_ms(refusals.p50), Figure::Must::stay_below,
       k_max_refusal_ms}};
  std::printf("\n");
  const bool passed = !check || check_figures(figures);
  std::printf("overload.goodput %.3f\noverload.refusal_p50 %.2f ms\noverload.refusal_p99 %.2f ms\n",
              goodput, to_ms(refusals.p50), to_ms(refusals.p99));
  return passed;
}

}  // namespace otpd::bench
