// Cuts the power under the store and looks whether everything acknowledged is still there.
//
// Killing the process cannot show this: what the kernel has survives a killed process whether it
// was synced or not.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "storage/backend.h"
#include "volume.h"

namespace otpd::powerloss {
namespace {

constexpr int k_rounds = 6;
constexpr int k_writers = 32;
constexpr int k_megabytes = 512;

using Number = std::uint32_t;

std::string name_of(Number number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016x", number);
  return text;
}

// A state, a job and an audit line under one name, as a send writes them.
Task<bool> write_one(storage::Backend& backend, TimePoint now, Number number) {
  const std::string name = name_of(number);
  otp::Effects effects;
  effects.enqueue.push_back({.id = name,
                             .key = name,
                             .due_at = now,
                             .expires_at = now + std::chrono::minutes(5),
                             .sealed = std::string(160, 's')});
  effects.events.push_back({.id = name, .event_type = "send", .created_at = now});
  auto done = co_await backend.store().commit(name, 0, std::string(600, 'b'),
                                              now + std::chrono::hours(1), std::move(effects));
  co_return done && *done == otp::CommitResult::done;
}

// The child: writes until it is killed, and reports every acknowledged number to `acks`.
[[noreturn]] void write_until_killed(const std::string& path, Number first, int acks) {
  SystemClock clock;
  Metrics metrics;
  storage::SqliteConfig config;
  config.path = path;
  auto backend = storage::open_sqlite_backend(config, clock, metrics);
  if (!backend) {
    std::cerr << backend.error().message << "\n";
    _exit(1);
  }
  boost::asio::io_context loop;
  Number next = first;
  auto writer = [&]() -> Task<void> {
    while (true) {
      const Number number = next++;
      const bool written = co_await write_one(**backend, clock.now(), number);
      if (!written) co_return;
      if (write(acks, &number, sizeof number) != sizeof number) _exit(1);
    }
  };
  for (int i = 0; i < k_writers; ++i) {
    boost::asio::co_spawn(loop.get_executor(), writer(), boost::asio::detached);
  }
  loop.run();
  pause();
  _exit(0);
}

// What waits in the pipe now.
std::vector<Number> drain(int from) {
  fcntl(from, F_SETFL, O_NONBLOCK);
  std::vector<Number> numbers;
  for (Number number = 0; read(from, &number, sizeof number) == sizeof number;) {
    numbers.push_back(number);
  }
  return numbers;
}

// Lets a child write for `time` after its first acknowledgement, cuts the power, and returns what
// was acknowledged before.
std::vector<Number> write_and_cut(Volume& volume, const std::string& path, Number first,
                                  Millis time) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    write_until_killed(path, first, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  std::vector<Number> acknowledged;
  auto cut_after = [&, begin = std::chrono::steady_clock::time_point()]() mutable {
    if (acknowledged.size() == 1) begin = std::chrono::steady_clock::now();
    return std::chrono::steady_clock::now() - begin >= time;
  };
  for (Number number = 0; read(pipe_ends[0], &number, sizeof number) == sizeof number;) {
    acknowledged.push_back(number);
    if (cut_after()) break;
  }
  // What was reported before the power goes and nothing later: a sync that runs just while ext4 is
  // being stopped can claim success wrongly, which a machine without power cannot.
  const auto rest = drain(pipe_ends[0]);
  acknowledged.insert(acknowledged.end(), rest.begin(), rest.end());
  EXPECT_TRUE(volume.cut_power().has_value());
  kill(child, SIGKILL);
  close(pipe_ends[0]);
  waitpid(child, nullptr, 0);
  return acknowledged;
}

// The file as an operator's shell sees it, after SQLite's own recovery.
class Shell {
 public:
  explicit Shell(const std::string& path) { sqlite3_open(path.c_str(), &db_); }
  ~Shell() { sqlite3_close(db_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    std::string text = sqlite3_errmsg(db_);
    if (sqlite3_step(statement) == SQLITE_ROW) {
      text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    return text;
  }

 private:
  sqlite3* db_ = nullptr;
};

int missing(Shell& shell, const std::vector<Number>& acknowledged) {
  int count = 0;
  for (const Number number : acknowledged) {
    const std::string blob = "CAST('" + name_of(number) + "' AS BLOB)";
    const std::string all =
        shell.text("SELECT (SELECT count(*) FROM records WHERE key = " + blob +
                   ") + (SELECT count(*) FROM jobs WHERE id = " + blob +
                   ") + (SELECT count(*) FROM otp_events WHERE id = '" + name_of(number) + "')");
    if (all != "3") ++count;
  }
  return count;
}

TEST(PowerLoss, WhatWasAcknowledgedIsThere) {
  if (const auto reason = why_no_volume()) {
    std::cout << "power loss cannot be simulated here: " << *reason << "\n";
    return;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "otpd-power-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    auto volume = Volume::make(folder, k_megabytes);
    ASSERT_TRUE(volume.has_value()) << volume.error().message;
    const std::string path = volume->path() + "/otpd.db";
    SeededRandom random(static_cast<std::uint64_t>(getpid()));
    std::vector<Number> acknowledged;
    for (int round = 0; round < k_rounds; ++round) {
      const Millis time(50 + random.u64() % 400);
      const auto now = write_and_cut(*volume, path, static_cast<Number>(round) << 24, time);
      EXPECT_FALSE(now.empty());
      acknowledged.insert(acknowledged.end(), now.begin(), now.end());
      ASSERT_TRUE(volume->restart().has_value());
      Shell shell(path);
      EXPECT_EQ(shell.text("PRAGMA integrity_check"), "ok");
      EXPECT_EQ(missing(shell, acknowledged), 0)
          << "of " << now.size() << " acknowledged in round " << round;
    }
    std::cout << acknowledged.size() << " commits were acknowledged before " << k_rounds
              << " power cuts\n";
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace otpd::powerloss
