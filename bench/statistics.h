// Statistics: the arithmetic of the measurements.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace otpd::bench {

using Nanos = std::chrono::nanoseconds;

inline double to_ms(Nanos time) {
  return std::chrono::duration<double, std::milli>(time).count();
}
inline double to_us(Nanos time) {
  return std::chrono::duration<double, std::micro>(time).count();
}
inline double to_s(Nanos time) {
  return std::chrono::duration<double>(time).count();
}

// The smallest value that at least `percent` (0 to 100) of `sorted` do not exceed (nearest rank);
// 0 if there are none.
Nanos percentile(const std::vector<Nanos>& sorted, double percent);

// The middle value; the mean of the two middle ones of an even number; 0 if there are none.
double median(std::vector<double> values);

struct Latencies {
  Nanos p50{0}, p90{0}, p99{0}, max{0};
};
Latencies summarise(std::vector<Nanos> samples);

// When the arrivals of an open loop are meant to come: evenly, whatever the server does.
class Schedule {
 public:
  // `per_second` > 0.
  explicit Schedule(double per_second) : per_second_(per_second) {}
  // The time of arrival `index`, from 0, after the start.
  Nanos at(std::size_t index) const;
  // How many arrivals are due when `elapsed` has passed.
  std::size_t due(Nanos elapsed) const;

 private:
  double per_second_;
};

}  // namespace otpd::bench
