#include "postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace otpd::storage {
namespace {

const std::string k_programs = "/usr/lib/postgresql/15/bin/";

struct User {
  uid_t uid;
  gid_t gid;
};

// The user that PostgreSQL runs as when we are root.
User humble_user() {
  for (const char* name : {"postgres", "nobody"}) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> text{};
    getpwnam_r(name, &entry, text.data(), text.size(), &found);
    if (found != nullptr) return {found->pw_uid, found->pw_gid};
  }
  throw std::runtime_error("no user to run PostgreSQL as");
}

// Starts a program of PostgreSQL that ends with us, with its output in `log`.
pid_t spawn(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const bool root = geteuid() == 0;
  const User as = root ? humble_user() : User{geteuid(), getegid()};
  const pid_t child = fork();
  if (child != 0) return child;
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (root && (setgroups(0, nullptr) != 0 || setgid(as.gid) != 0 || setuid(as.uid) != 0)) _exit(1);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // at once, with all its processes; a change of user undoes it
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

PostgresShell::PostgresShell(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(connection_) != CONNECTION_OK) {
    const std::string why = PQerrorMessage(connection_);
    PQfinish(connection_);
    throw std::runtime_error(why);
  }
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
}

PostgresShell::~PostgresShell() {
  PQfinish(connection_);
}

std::string PostgresShell::run(const std::string& sql) {
  PGresult* result = PQexec(connection_, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      << PQresultErrorMessage(result) << sql;
  const bool any = PQntuples(result) > 0 && PQnfields(result) > 0;
  std::string value = any ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  return value;
}

PostgresServer::PostgresServer() {
  if (geteuid() == 0) {
    const User owner = humble_user();
    if (chown(folder_.path().c_str(), owner.uid, owner.gid) != 0) {
      throw std::runtime_error("cannot give the folder away");
    }
  }
  const pid_t initdb = spawn({k_programs + "initdb", "-D", folder_ / "data", "-U", "otpd", "-A",
                              "trust", "-E", "UTF8", "--locale=C", "--no-sync"},
                             folder_ / "initdb.log");
  int status = 0;
  waitpid(initdb, &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed");
  start();
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

void PostgresServer::start() {
  process_ = spawn({k_programs + "postgres", "-D", folder_ / "data", "-c",
                    "listen_addresses=", "-c", "unix_socket_directories=" + folder_.path().string(),
                    "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"},
                   folder_ / "postgres.log");
  for (int tries = 0; tries < 600; ++tries) {
    if (PQping(url("postgres").c_str()) == PQPING_OK) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  stop();
  throw std::runtime_error("PostgreSQL does not start");
}

void PostgresServer::stop() {
  if (process_ == 0) return;
  thaw();
  kill(process_, SIGINT);
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

std::string PostgresServer::url(const std::string& database) const {
  return "host=" + folder_.path().string() + " user=otpd dbname=" + database;
}

std::shared_ptr<std::string> PostgresServer::make_database() {
  if (free_.empty()) {
    free_.push_back("test" + std::to_string(databases_++));
    PostgresShell(url("postgres")).run("CREATE DATABASE " + free_.back() + " TEMPLATE template0");
  }
  const std::string name = free_.back();
  free_.pop_back();
  return {new std::string(name), [this](std::string* database) {
            if (process_ != 0) give_back(*database);
            delete database;
          }};
}

// To empty a database is ten times as fast as to make one.
void PostgresServer::give_back(const std::string& database) {
  PostgresShell shell(url(database));
  shell.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  shell.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  free_.push_back(database);
}

void PostgresServer::freeze() {
  std::istringstream pids(PostgresShell(url("postgres"))
                              .run("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity"));
  frozen_ = {process_};
  for (pid_t pid = 0; pids >> pid;) frozen_.push_back(pid);
  for (const pid_t pid : frozen_) kill(pid, SIGSTOP);
}

void PostgresServer::thaw() {
  for (const pid_t pid : frozen_) kill(pid, SIGCONT);
  frozen_.clear();
}

PostgresConfig postgres_config(const World& world, const PostgresServer& server,
                               const std::string& database) {
  PostgresConfig config;
  config.url = Secret(server.url(database));
  config.retention = world.retention;
  return config;
}

PostgresBackend& open_postgres(World& world) {
  PostgresServer& server = PostgresServer::shared();
  const auto database = server.make_database();
  world.place = database;
  auto opened =
      open_postgres_backend(postgres_config(world, server, *database), world.clock, world.metrics);
  if (!opened) throw std::runtime_error(opened.error().message);
  PostgresBackend& backend = **opened;
  world.backend = std::move(*opened);
  return backend;
}

}  // namespace otpd::storage
