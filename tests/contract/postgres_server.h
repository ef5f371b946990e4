// A PostgreSQL of the tests' own, in a temporary folder, without fsync.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"
#include "storage/postgres/backend.h"

struct pg_conn;

namespace otpd::storage {

// A connection beside the backend's, as an operator's psql would have.
class PostgresShell {
 public:
  explicit PostgresShell(const std::string& url);
  ~PostgresShell();
  PostgresShell(const PostgresShell&) = delete;
  PostgresShell& operator=(const PostgresShell&) = delete;

  // Runs the statements and expects success; the first column of the last one's first row.
  std::string run(const std::string& sql);
  int number(const std::string& sql) { return std::stoi(run(sql)); }

 private:
  pg_conn* connection_;
};

class PostgresServer {
 public:
  // Throws if it does not start. As root it runs under another user, which PostgreSQL demands.
  PostgresServer();
  ~PostgresServer() { stop(); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // The one that most tests of this process share, started at the first call.
  static PostgresServer& shared();

  void start();
  void stop();

  std::string url(const std::string& database) const;

  // An empty database, which is emptied for the next one when the handle goes; its name. The server
  // outlives the handle.
  std::shared_ptr<std::string> make_database();

  // Stops every process of the server in its tracks: what is asked is taken in and never answered.
  void freeze();
  void thaw();

 private:
  void give_back(const std::string& database);

  TemporaryFolder folder_;
  pid_t process_ = 0;
  int databases_ = 0;
  std::vector<std::string> free_;  // databases
  std::vector<pid_t> frozen_;
};

// A configuration for that database.
PostgresConfig postgres_config(const World& world, const PostgresServer& server,
                               const std::string& database);

// Opens a backend in a new database of the shared server; `world.backend` must be empty.
PostgresBackend& open_postgres(World& world);

}  // namespace otpd::storage
