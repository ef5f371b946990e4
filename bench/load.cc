#include "load.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <deque>

#include "progress.h"
#include "stop.h"

namespace otpd::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Millis k_show_every{50};
constexpr Seconds k_longest_answer{20};
constexpr std::size_t k_shown_body_bytes = 300;

}  // namespace

struct Generator::Run {
  explicit Run(const Work& what) : work(what) {}

  Nanos now() const { return Steady::now() - begun; }
  void give_up(Error why) {
    if (!failure) failure = std::move(why);
  }
  bool ended() const { return failure.has_value(); }

  const Work& work;
  const Steady::time_point begun = Steady::now();
  Load load;
  std::size_t next = 0;  // the next request of a closed loop
  std::size_t answered = 0;
  std::size_t running = 0;  // coroutines
  Nanos last_answer{0};
  std::optional<Error> failure;
  // Of an open loop:
  Nanos last_due = Nanos::max();
  std::optional<Schedule> schedule;
  std::vector<HttpConnection*> idle;
  std::deque<std::size_t> backlog;  // arrivals that found no connection
};

Generator::Generator() = default;
Generator::~Generator() = default;

Task<void> Generator::exchange(Run& run, HttpConnection& connection, std::size_t index,
                               Nanos intended) {
  const std::string request = run.work.request(index);
  auto answer = co_await connection.call(request);
  if (!answer) co_return run.give_up(answer.error());
  const Nanos now = run.now();
  run.last_answer = now;
  ++run.answered;
  switch (run.work.judge(index, *answer)) {
    case Verdict::good:
      run.load.good.push_back(now - intended);
      if (now <= run.last_due) ++run.load.good_in_time;
      break;
    case Verdict::refused:
      run.load.refused.push_back(now - intended);
      break;
    case Verdict::unexpected:
      run.give_up({Failure::corrupt, "answered " + std::to_string(answer->status) + " " +
                                         answer->body.substr(0, k_shown_body_bytes)});
  }
}

Task<void> Generator::client(Run& run, HttpConnection& connection) {
  while (run.next < run.work.count && !run.ended()) {
    const std::size_t index = run.next++;
    co_await exchange(run, connection, index, run.now());
  }
  --run.running;
}

Task<void> Generator::arrivals(Run& run, double per_second, std::size_t max_connections) {
  run.schedule.emplace(per_second);
  run.last_due = run.schedule->at(run.work.count);
  Timer timer(loop_.get_executor());
  std::size_t begun = 0;
  while (begun < run.work.count && !run.ended()) {
    const std::size_t due = std::min(run.schedule->due(run.now()), run.work.count);
    for (; begun < due; ++begun) {
      Connections& connections = connections_to(run.work.port, 0);
      if (run.idle.empty() && connections.size() < max_connections) {
        connections_to(run.work.port, connections.size() + 1);
        run.idle.push_back(connections.back().get());
      }
      if (run.idle.empty()) {
        run.backlog.push_back(begun);
        continue;
      }
      HttpConnection* connection = run.idle.back();
      run.idle.pop_back();
      ++run.running;
      boost::asio::co_spawn(loop_, arrival(run, connection, begun), boost::asio::detached);
    }
    timer.expires_at(run.begun + run.schedule->at(begun));
    co_await timer.async_wait(use_task);
  }
  --run.running;
}

Task<void> Generator::arrival(Run& run, HttpConnection* connection, std::size_t index) {
  co_await exchange(run, *connection, index, run.schedule->at(index));
  while (!run.backlog.empty() && !run.ended()) {
    index = run.backlog.front();
    run.backlog.pop_front();
    co_await exchange(run, *connection, index, run.schedule->at(index));
  }
  run.idle.push_back(connection);
  --run.running;
}

Generator::Connections& Generator::connections_to(std::uint16_t port, std::size_t count) {
  Connections& known = connections_[port];
  while (known.size() < count) {
    known.push_back(std::make_unique<HttpConnection>(loop_.get_executor(), port));
  }
  return known;
}

// Runs the coroutines of `run` to their end.
Result<Load> Generator::drive(Run& run) {
  const Progress progress(run.work.name);
  while (run.running > 0) {
    loop_.restart();
    loop_.run_for(k_show_every);
    progress.show(run.answered, run.work.count);
    if (stop_asked()) run.give_up({Failure::unavailable, "stopped"});
    if (run.now() - run.last_answer > k_longest_answer) {
      run.give_up({Failure::timeout, "no answer for 20 s"});
    }
    if (!run.ended()) continue;
    for (const auto& connection : connections_[run.work.port]) connection->close();
  }
  if (run.failure) {
    return fail(run.failure->kind, run.work.name + ": " + run.failure->message);
  }
  run.load.elapsed = run.last_answer;
  return std::move(run.load);
}

Result<Load> Generator::closed_loop(const Work& work, std::size_t connections) {
  Run run(work);
  const auto& clients = connections_to(work.port, connections);
  for (std::size_t i = 0; i < connections; ++i) {
    ++run.running;
    boost::asio::co_spawn(loop_, client(run, *clients[i]), boost::asio::detached);
  }
  return drive(run);
}

Result<Load> Generator::open_loop(const Work& work, double per_second,
                                  std::size_t max_connections) {
  Run run(work);
  for (const auto& known : connections_to(work.port, 0)) run.idle.push_back(known.get());
  ++run.running;
  boost::asio::co_spawn(loop_, arrivals(run, per_second, max_connections), boost::asio::detached);
  return drive(run);
}

Result<std::string> Generator::get(std::uint16_t port, const std::string& target) {
  std::string body;
  const Work work{"GET " + target.substr(0, target.find('?')), port, 1,
                  [&](std::size_t) { return make_request("GET", target); },
                  [&](std::size_t, const Answer& answer) {
                    body = answer.body;
                    return answer.status == 200 ? Verdict::good : Verdict::unexpected;
                  }};
  const auto load = closed_loop(work, 1);
  if (!load) return std::unexpected(load.error());
  return body;
}

}  // namespace otpd::bench
