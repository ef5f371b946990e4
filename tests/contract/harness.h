// The harness of the contract suite: a backend of each kind, and a way to await its answers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/task.h"
#include "base/uuid.h"
#include "storage/backend.h"

namespace otpd::storage {

// Runs `task` on a loop of its own until it answers.
template <class T>
T await(Task<T> task) {
  boost::asio::io_context loop;
  std::optional<T> answer;
  auto body = [&]() -> Task<void> { answer.emplace(co_await std::move(task)); };
  boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
  loop.run_for(std::chrono::seconds(120));
  if (!answer) throw std::runtime_error("the task never answered");
  return std::move(*answer);
}

// Starts `task` on `loop` and leaves its answer in `out`, which must outlive it.
template <class T>
void start(boost::asio::io_context& loop, Task<T> task, std::optional<T>& out) {
  auto body = [](Task<T> running, std::optional<T>& answer) -> Task<void> {
    answer.emplace(co_await std::move(running));
  };
  boost::asio::co_spawn(loop.get_executor(), body(std::move(task), out), boost::asio::detached);
}

// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline constexpr TimePoint k_start{Millis(1'800'000'000'000)};

// A world with one open backend.
class World {
 public:
  World() = default;
  // With its folder in that one.
  explicit World(const std::filesystem::path& parent) : folder(parent) {}

  otp::Store& store() { return backend->store(); }
  delivery::Queue& queue() { return backend->queue(); }
  audit::AuditLog& audit() { return backend->audit(); }

  // Commits and expects success; the version is what a load then says.
  std::uint64_t put(const otp::Key& key, std::uint64_t expected, const std::string& bytes,
                    otp::Effects effects = {});
  otp::CommitResult commit(const otp::Key& key, std::uint64_t expected, const std::string& bytes,
                           otp::Effects effects = {});
  otp::Record load(const otp::Key& key);
  void append(otp::Effects effects);
  std::vector<delivery::Job> take(std::size_t max = 10, Millis lease = Millis(1000));
  delivery::QueueStats stats();
  std::vector<audit::Event> events(audit::Query query = {});

  // A job due now, whose id is 16 times `letter`.
  otp::NewJob job(char letter, Millis due_in = Millis(0)) const;
  audit::Event event(std::string_view type = audit::event_type::k_send);

  TemporaryFolder folder;
  VirtualClock clock{k_start};
  SeededRandom random{7};
  Metrics metrics;
  Retention retention{.audit = std::chrono::days(365), .dead_letters = std::chrono::days(7)};
  std::shared_ptr<void> place;  // what else the backend needs while it lives
  std::unique_ptr<Backend> backend;
};

otp::JobEnd end_of(const delivery::Job& job, otp::JobEnd::How how, TimePoint due_at = {},
                   std::string reason = {});

// The SQLite backend in `world.folder`; `world.backend` must be empty.
SqliteConfig sqlite_config(const World& world);
void open_sqlite(World& world, const SqliteConfig& config);

}  // namespace otpd::storage
