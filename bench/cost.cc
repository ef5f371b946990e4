#include <cstdio>

#include "progress.h"
#include "raw_hash.h"
#include "runs.h"

namespace otpd::bench {
namespace {

constexpr std::size_t k_raw_hashes_per_thread = 30;
constexpr std::size_t k_hashes_per_round = 400;
constexpr std::size_t k_cheap_hashes_per_round = 4'000;
constexpr double k_max_ratio = 1.10;
constexpr double k_max_send_us = 150;
constexpr double k_max_idle_bytes = 64.0 * 1024 * 1024;
constexpr double k_max_start_ms = 300;

// What was measured of one kind of operation, over all rounds.
struct Series {
  Load all;
  Nanos cpu{0};
  Nanos finished{0};
  std::vector<double> us_per_operation;  // of each round
  std::vector<double> ratios;

  void add(const Phase& phase, Nanos raw) {
    const auto count = static_cast<std::int64_t>(phase.load.good.size());
    all.good.insert(all.good.end(), phase.load.good.begin(), phase.load.good.end());
    cpu += phase.cpu;
    finished += phase.finished;
    us_per_operation.push_back(to_us(phase.cpu / count));
    if (raw > Nanos(0)) ratios.push_back(to_us(phase.cpu / count) / to_us(raw));
  }
  double per_second() const { return static_cast<double>(all.good.size()) / to_s(finished); }
};

struct Measured {
  Series send, verify;
  std::vector<double> raw_us;
};

class CostRun {
 public:
  CostRun(const Options& options, Phases& phases) : options_(options), phases_(phases) {
    count_ = options.per_round;
    if (count_ == 0) count_ = options.hashes() ? k_hashes_per_round : k_cheap_hashes_per_round;
  }

  Result<Measured> run() {
    if (auto warm = phases_.send(count_ / 4 + 1); !warm) return std::unexpected(warm.error());
    Nanos before = raw();
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      const auto sent = phases_.send(count_);
      if (!sent) return std::unexpected(sent.error());
      const Nanos between = raw();
      const auto codes = phases_.read_codes();
      if (!codes) return std::unexpected(codes.error());
      const auto verified = phases_.verify(*codes);
      if (!verified) return std::unexpected(verified.error());
      const Nanos after = raw();
      // Other programs come and go: a phase is compared with the hashes just before and after.
      measured_.send.add(*sent, (before + between) / 2);
      measured_.verify.add(*verified, (between + after) / 2);
      before = after;
    }
    return std::move(measured_);
  }

 private:
  Nanos raw() {
    if (!options_.hashes()) return Nanos(0);
    const Progress progress("raw hashes");
    const Nanos cost = raw_hash_cpu({}, usable_cores(), k_raw_hashes_per_thread);
    measured_.raw_us.push_back(to_us(cost));
    return cost;
  }

  const Options& options_;
  Phases& phases_;
  std::size_t count_ = 0;
  Measured measured_;
};

void print_cpu(const Options& options, const Measured& measured) {
  std::printf("\n%-34s %9.1f us\n", "otpd's CPU per send, delivered",
              median(measured.send.us_per_operation));
  std::printf("%-34s %9.1f us\n", "otpd's CPU per verify",
              median(measured.verify.us_per_operation));
  if (!options.hashes()) return;
  std::printf("%-34s %9.1f us (%zu at once)\n", "CPU of one raw crypto_pwhash",
              median(measured.raw_us), usable_cores());
}

}  // namespace

Result<bool> measure_cost(const Options& options, bool check) {
  Generator generator;
  auto services = Services::start(options.programs, generator);
  if (!services) return std::unexpected(services.error());
  services->settle();
  const double idle_bytes = static_cast<double>(services->otpd().resident_bytes());
  std::printf("otpd with %s, %zu connections, %zu rounds\n", options.programs.hash.c_str(),
              options.connections, options.rounds);
  print_head(*services);

  Phases phases(*services, generator, options.connections);
  const auto measured = CostRun(options, phases).run();
  if (!measured) return std::unexpected(measured.error());
  print_memory("after", services->otpd().resident_bytes());
  print_columns();
  print_phase("send", measured->send.all, measured->send.per_second());
  print_phase("verify", measured->verify.all, measured->verify.per_second());
  print_cpu(options, *measured);

  using enum Figure::Must;
  std::vector<Figure> figures = {
      {"resident memory idle, bytes", idle_bytes, stay_below, k_max_idle_bytes},
      {"start to first answer, ms", to_ms(services->start_time()), stay_below, k_max_start_ms}};
  const double send_us = median(measured->send.us_per_operation);
  const double verify_us = median(measured->verify.us_per_operation);
  const double send_ratio = median(measured->send.ratios);
  const double verify_ratio = median(measured->verify.ratios);
  if (options.hashes()) {
    figures.push_back({"ratio.send", send_ratio, stay_below, k_max_ratio});
    figures.push_back({"ratio.verify", verify_ratio, stay_below, k_max_ratio});
  } else {
    figures.push_back({"cpu.send, us", send_us, stay_below, k_max_send_us});
  }
  const bool passed = !check || check_figures(figures);
  if (options.hashes()) {
    std::printf("ratio.send %.3f\nratio.verify %.3f\n", send_ratio, verify_ratio);
  } else {
    std::printf("cpu.send %.0f us\ncpu.verify %.0f us\n", send_us, verify_us);
  }
  return passed;
}

}  // namespace otpd::bench
