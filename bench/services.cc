#include "services.h"

#include <fstream>
#include <sstream>
#include <thread>

#include "stop.h"

namespace otpd::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds k_start_limit{20};
constexpr std::chrono::microseconds k_ask_every{500};
constexpr std::size_t k_shown_log_bytes = 2'000;

// Asks until `child` answers.
bool wait_for_answer(const Child& child, Generator& generator, std::uint16_t port,
                     const std::string& target) {
  const auto give_up = Steady::now() + k_start_limit;
  while (child.runs() && !stop_asked() && Steady::now() < give_up) {
    if (generator.get(port, target)) return true;
    std::this_thread::sleep_for(k_ask_every);
  }
  return false;
}

std::string on_port(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

Result<Services> Services::start(const Programs& programs, Generator& generator) {
  Services services;
  auto folder = TemporaryFolder::make();
  if (!folder) return std::unexpected(folder.error());
  services.folder_ = std::move(*folder);
  if (const auto sim = services.start_sim(programs, generator); !sim) {
    return std::unexpected(sim.error());
  }
  if (const auto otpd = services.start_otpd(programs, generator); !otpd) {
    return std::unexpected(otpd.error());
  }
  return services;
}

Result<void> Services::start_sim(const Programs& programs, Generator& generator) {
  sim_port_ = free_port();
  auto child =
      Child::start({programs.sms_sim, "--listen", on_port(sim_port_), "--no-smtp", "--no-smpp"},
                   folder_->path() / "log");
  if (!child) return std::unexpected(child.error());
  sim_.emplace(std::move(*child));
  if (wait_for_answer(*sim_, generator, sim_port_, "/stats.json")) return {};
  return std::unexpected(explain(programs.sms_sim.string() + " does not answer"));
}

Result<void> Services::start_otpd(const Programs& programs, Generator& generator) {
  otpd_port_ = free_port();
  std::vector<std::string> command = {
      programs.otpd, "--server.listen=" + on_port(otpd_port_),
      "--server.trusted_proxies=127.0.0.1/32", "--data.dir=" + (folder_->path() / "data").string(),
      "--auth.public=true", "--crypto.hash=" + programs.hash,
      // Nobody is refused: a run sends more than anybody should.
      "--limits.application_sends_per_hour=10000000", "--limits.application_sends_per_day=30000000",
      "--destinations.country_sends_per_hour=10000000",
      "--destinations.country_sends_per_day=30000000",
      "--destinations.block_sends_per_hour=10000000", "--pumping.min_sends=1000000",
      "--budget.per_day=10000000", "--budget.country_per_day=10000000",
      // A receipt is a request of the carrier's, not part of a send.
      "--delivery.receipts=false", "--providers.twilio.base_url=http://" + on_port(sim_port_)};
  command.insert(command.end(), programs.otpd_flags.begin(), programs.otpd_flags.end());
  const auto begun = Steady::now();
  auto child = Child::start(command, folder_->path() / "log");
  if (!child) return std::unexpected(child.error());
  otpd_.emplace(std::move(*child));
  const bool answers = wait_for_answer(*otpd_, generator, otpd_port_, "/healthz");
  start_time_ = Steady::now() - begun;
  if (answers) return {};
  return std::unexpected(explain(programs.otpd.string() + " does not answer"));
}

void Services::settle() const {
  constexpr std::chrono::milliseconds window{25};
  constexpr std::chrono::microseconds quiet{250};
  const auto give_up = Steady::now() + std::chrono::seconds(5);
  int quiet_windows = 0;
  while (quiet_windows < 2 && Steady::now() < give_up && !stop_asked()) {
    const Nanos before = otpd_->cpu();
    std::this_thread::sleep_for(window);
    quiet_windows = otpd_->cpu() - before < quiet ? quiet_windows + 1 : 0;
  }
}

Result<void> Services::check() const {
  if (!sim_->runs()) return std::unexpected(explain("sms-sim has ended"));
  if (!otpd_->runs()) return std::unexpected(explain("otpd has ended"));
  return {};
}

Error Services::explain(const std::string& what) const {
  std::ostringstream log;
  log << std::ifstream(folder_->path() / "log").rdbuf();
  const std::string text = log.str();
  const std::size_t from = text.size() - std::min(text.size(), k_shown_log_bytes);
  return {Failure::unavailable, stop_asked() ? "stopped" : what + "\n" + text.substr(from)};
}

}  // namespace otpd::bench
