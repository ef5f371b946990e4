// Phases: a round of sends, and a round of verifies with the codes that arrived.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "services.h"

namespace otpd::bench {

// What one phase did, and what it cost.
struct Phase {
  Load load;
  Nanos cpu{0};       // of otpd, until everything was delivered and written
  Nanos finished{0};  // from the first request until everything was delivered
};

class Phases {
 public:
  // Both must outlive the phases.
  Phases(Services& services, Generator& generator, std::size_t connections)
      : services_(services), generator_(generator), connections_(connections) {}

  // Sends to `count` people who got nothing yet, and waits until all their messages have arrived.
  Result<Phase> send(std::size_t count);

  // The codes of the people of the last send, read from the carrier's inbox.
  Result<std::vector<std::string>> read_codes();

  // Verifies the people of the last send, each with the code in `codes`. The tokens of their
  // sessions are kept for introspect().
  Result<Phase> verify(const std::vector<std::string>& codes);

  // Asks `count` times whether a session of the last verify is alive, one after the other.
  Result<Phase> introspect(std::size_t count);

  // Has `count` new users each import an authenticator app with the same secret.
  Result<void> enrol(std::size_t count);

  // One right code of this moment for each app of the last enrol().
  Result<Phase> verify_apps();

  // Asks `count` times for the cheapest answer that there is.
  Result<Phase> ask_health(std::size_t count);

  // Offers `count` sends to new people, `per_second`, whatever otpd answers; waits until all that
  // was accepted has arrived.
  Result<Phase> offer(std::size_t count, double per_second);

 private:
  Work send_work(std::size_t count);
  Result<void> wait_for_delivery();
  Result<Phase> measure(const std::function<Result<Load>()>& run, bool delivers);

  Services& services_;
  Generator& generator_;
  const std::size_t connections_;
  std::size_t first_ = 0;  // the people of the last send: first_ to next_ - 1
  std::size_t next_ = 0;
  std::size_t accepted_ = 0;  // sends in all
  std::vector<std::string> tokens_;
  std::size_t users_ = 0;          // that have an app
  std::vector<std::string> apps_;  // of the last enrol(): their paths
};

// The code in a message: its first group of 4 to 10 digits; empty if there is none.
std::string code_in(std::string_view text);

// The code at that Unix time of the apps that enrol() makes.
std::string app_code(std::int64_t epoch);

// A text member of an answer, such as a session's token; empty if there is none.
std::string member_in(std::string_view body, std::string_view name);

}  // namespace otpd::bench
