#include "statistics.h"

#include <algorithm>
#include <cmath>

namespace otpd::bench {

Nanos percentile(const std::vector<Nanos>& sorted, double percent) {
  if (sorted.empty()) return Nanos(0);
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Latencies summarise(std::vector<Nanos> samples) {
  std::ranges::sort(samples);
  return {percentile(samples, 50), percentile(samples, 90), percentile(samples, 99),
          percentile(samples, 100)};
}

Nanos Schedule::at(std::size_t index) const {
  return Nanos(std::llround(static_cast<double>(index) * 1e9 / per_second_));
}

std::size_t Schedule::due(Nanos elapsed) const {
  if (elapsed < Nanos(0)) return 0;
  auto count = static_cast<std::size_t>(to_s(elapsed) * per_second_);
  while (at(count) <= elapsed) ++count;
  while (count > 0 && at(count - 1) > elapsed) --count;
  return count;
}

}  // namespace otpd::bench
