// What the tests of the SQLite backend share.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "harness.h"

namespace otpd::storage {

// A connection beside the backend's, as an operator's shell would have.
class Shell {
 public:
  explicit Shell(const std::string& path) { sqlite3_open(path.c_str(), &db_); }
  ~Shell() { sqlite3_close(db_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_);
  }
  // While the shell holds the write lock, the backend's writer waits.
  void hold_writer() { run("BEGIN IMMEDIATE"); }
  void release_writer() { run("COMMIT"); }

 private:
  sqlite3* db_ = nullptr;
};

class Sqlite : public ::testing::Test {
 protected:
  void open(const SqliteConfig& config) { open_sqlite(world_, config); }
  void open() { open(config_); }
  void reopen() {
    world_.backend.reset();
    open();
  }

  Error open_failure(const std::string& path) {
    SqliteConfig config = config_;
    config.path = path;
    auto opened = open_sqlite_backend(config, world_.clock, world_.metrics);
    return opened ? Error{Failure::internal, "it opened"} : opened.error();
  }

  Task<Result<otp::CommitResult>> commit(int n, std::size_t size = 100) {
    return world_.store().commit("k" + std::to_string(n), 0, std::string(size, 'x'),
                                 world_.clock.now() + std::chrono::hours(1), {});
  }
  double counter(const std::string& name) { return world_.metrics.counter(name, "").value(); }

  World world_;
  SqliteConfig config_ = sqlite_config(world_);
};

}  // namespace otpd::storage
