#include "report.h"

#include <cstdio>

namespace otpd::bench {
namespace {

constexpr double k_mib = 1024.0 * 1024.0;

void print_latencies(const std::string& name, const std::vector<Nanos>& samples,
                     double per_second) {
  const Latencies got = summarise(samples);
  std::printf("%-18s %8zu %9.0f %9.2f %9.2f %9.2f %9.2f\n", name.c_str(), samples.size(),
              per_second, to_ms(got.p50), to_ms(got.p90), to_ms(got.p99), to_ms(got.max));
}

}  // namespace

void print_head(const Services& services) {
  std::printf("%-26s %9.1f ms\n", "start to first answer", to_ms(services.start_time()));
  print_memory("idle", services.otpd().resident_bytes());
}

void print_memory(const std::string& when, std::uint64_t bytes) {
  std::printf("%-26s %9.1f MiB\n", ("resident memory " + when).c_str(),
              static_cast<double>(bytes) / k_mib);
}

void print_columns() {
  std::printf("\n%-18s %8s %9s %9s %9s %9s %9s\n", "", "answers", "/second", "p50 ms", "p90 ms",
              "p99 ms", "max ms");
}

void print_phase(const std::string& name, const Load& load, double per_second) {
  print_latencies(name, load.good, per_second);
  if (load.refused.empty()) return;
  print_latencies(name + " refused", load.refused,
                  static_cast<double>(load.refused.size()) / to_s(load.elapsed));
}

bool check_figures(const std::vector<Figure>& figures) {
  bool all = true;
  for (const Figure& figure : figures) {
    if (figure.holds()) continue;
    all = false;
    std::printf("MISSED: %s is %.3f; it must be %s %.3f\n", figure.name.c_str(), figure.value,
                figure.must == Figure::Must::stay_below ? "at most" : "at least", figure.limit);
  }
  return all;
}

}  // namespace otpd::bench
