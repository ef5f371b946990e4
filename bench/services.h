// Services: an otpd and the carrier that it sends through, started for one run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "load.h"
#include "processes.h"

namespace otpd::bench {

struct Programs {
  std::filesystem::path otpd;
  std::filesystem::path sms_sim;
  std::string hash = "argon2id";
  std::vector<std::string> otpd_flags;  // further ones, such as --data.backend=memory
};

class Services {
 public:
  // Starts both on free ports, otpd with its default configuration except that it believes our
  // X-Forwarded-For (so that the load comes from many clients) and needs no API key; waits for
  // their first answers.
  static Result<Services> start(const Programs& programs, Generator& generator);

  std::uint16_t otpd_port() const { return otpd_port_; }
  std::uint16_t sim_port() const { return sim_port_; }
  const Child& otpd() const { return *otpd_; }
  // From the start of the process to its first answer.
  Nanos start_time() const { return start_time_; }

  // Waits until otpd has finished what it does after its last answer: until it uses (nearly) no
  // CPU, for at most 5 s.
  void settle() const;

  // Both still run; otherwise a failure with the end of the log.
  Result<void> check() const;

 private:
  Result<void> start_sim(const Programs& programs, Generator& generator);
  Result<void> start_otpd(const Programs& programs, Generator& generator);
  Error explain(const std::string& what) const;

  std::unique_ptr<TemporaryFolder> folder_;
  std::uint16_t otpd_port_ = 0;
  std::uint16_t sim_port_ = 0;
  Nanos start_time_{0};
  std::optional<Child> sim_, otpd_;  // otpd ends first
};

}  // namespace otpd::bench
