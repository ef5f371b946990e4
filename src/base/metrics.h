// Metrics: named counters, gauges and histograms, exported in the Prometheus text format.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace otpd {

// Handles are cheap to copy, live as long as their Metrics, and are safe from any thread.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void add(double amount = 1) const;
  double value() const;

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void set(double value) const;
  void add(double amount) const;

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void observe(double value) const;

 private:
  prometheus::Histogram* histogram_;
};

// The registry of one process. Labels must come from a fixed set (a route, an outcome, a lane's
// name), never from a request.
class Metrics {
 public:
  using Labels = std::initializer_list<std::pair<std::string, std::string>>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The metric of that name and labels, made at the first call. Safe from any thread; keep the
  // handle, the look-up takes a lock.
  Counter counter(const std::string& name, const std::string& help, Labels labels = {});
  Gauge gauge(const std::string& name, const std::string& help, Labels labels = {});
  // A latency histogram in seconds, from 50 µs to 30 s.
  Histogram seconds(const std::string& name, const std::string& help, Labels labels = {});

  // Everything in the Prometheus text format, version 0.0.4.
  std::string render() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otpd
