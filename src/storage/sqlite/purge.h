// Purge: removes garbage in slices between the commits.
#pragma once

#include <chrono>

#include "base/result.h"
#include "base/task.h"
#include "storage/backend.h"
#include "storage/sqlite/core.h"

namespace otpd::storage::sqlite {

// How much a slice may do, learnt from how long the slices took.
class SliceSize {
 public:
  static constexpr std::size_t k_smallest = 16;
  static constexpr std::size_t k_largest = 4096;
  static constexpr Millis k_aim{10};  // commits wait for one slice; the bound is 50 ms

  std::size_t rows() const { return rows_; }
  // Halves after a slice longer than the aim, doubles after one shorter than half of it.
  void took(std::chrono::steady_clock::duration time);

 private:
  std::size_t rows_ = 64;
};

// Runs until nothing is left that `now` and the retention say is garbage. One at a time; the
// caller keeps `core` alive.
Task<Result<Purged>> purge(Core& core, TimePoint now);

}  // namespace otpd::storage::sqlite
