// Generator: sends many requests and measures how they are answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http_client.h"
#include "statistics.h"

namespace otpd::bench {

enum class Verdict : std::uint8_t { good, refused, unexpected };

// What is sent, and what is expected of the answers.
struct Work {
  std::string name;        // for the progress line and for errors
  std::uint16_t port = 0;  // on 127.0.0.1
  std::size_t count = 0;
  std::function<std::string(std::size_t)> request;
  std::function<Verdict(std::size_t, const Answer&)> judge;
};

struct Load {
  Nanos elapsed{0};  // from the first request to the last answer
  std::vector<Nanos> good;
  std::vector<Nanos> refused;
  std::size_t good_in_time = 0;  // of an open loop: before the last arrival was due
};

// On one thread, its caller's. An answer that is not expected, an answer that does not come within
// 20 s, and a request to stop end a run with a failure.
class Generator {
 public:
  Generator();
  ~Generator();

  // `connections` clients, each sending its next request when the last one was answered.
  Result<Load> closed_loop(const Work& work, std::size_t connections);

  // Requests at fixed times, whether the earlier ones were answered or not, over as many
  // connections as that takes, up to `max_connections`. Latencies count from the time that the
  // schedule meant, so a server that stalls cannot hide it.
  Result<Load> open_loop(const Work& work, double per_second, std::size_t max_connections);

  // One GET that is answered 200.
  Result<std::string> get(std::uint16_t port, const std::string& target);

 private:
  struct Run;
  using Connections = std::vector<std::unique_ptr<HttpConnection>>;

  Task<void> client(Run& run, HttpConnection& connection);
  Task<void> arrivals(Run& run, double per_second, std::size_t max_connections);
  Task<void> arrival(Run& run, HttpConnection* connection, std::size_t index);
  Task<void> exchange(Run& run, HttpConnection& connection, std::size_t index, Nanos intended);
  Result<Load> drive(Run& run);
  Connections& connections_to(std::uint16_t port, std::size_t count);

  boost::asio::io_context loop_{1};
  std::map<std::uint16_t, Connections> connections_;
};

}  // namespace otpd::bench
