// Runs: what the program can measure.
#pragma once

#include <cstddef>
#include <vector>

#include "report.h"
#include "services.h"

namespace otpd::bench {

struct Options {
  Programs programs;
  std::size_t connections = 32;
  std::size_t rounds = 5;
  std::size_t per_round = 0;  // sends, and verifies, of one round; 0: what suits the hash
  double overload_seconds = 10;
  bool hashes() const { return programs.hash == "argon2id"; }
};

// Rounds of sends and verifies with raw hashes between them. Prints a table, and last the two
// lines "ratio.send X", "ratio.verify X" (otpd's CPU time per operation, delivery included, over
// that of one raw hash) or, without Argon2id, "cpu.send N us", "cpu.verify N us". False if
// `check` and a figure is missed.
Result<bool> measure_cost(const Options& options, bool check);

// Rounds of introspections of live sessions over HTTP, with as many of the cheapest answer between
// them, and then of codes of authenticator apps. Prints a table, and last the lines
// "cpu.introspect N us", "introspect.per_core N /s", "ratio.introspect X" (its CPU time over that
// of a GET /healthz) and "cpu.totp N us". False if `check` and a figure is missed.
Result<bool> measure_introspection(const Options& options, bool check);

// The peak of accepted sends in a closed loop, and what becomes of it when twice as many are
// offered. False if `check` and a figure is missed.
Result<bool> measure_overload(const Options& options, bool check);

}  // namespace otpd::bench
