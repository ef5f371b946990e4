#include "storage/postgres/session.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace otpd::storage::postgres {
namespace {

constexpr int k_binary = 1;

struct ConninfoFree {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Conninfo = std::unique_ptr<PQconninfoOption, ConninfoFree>;

Conninfo parse_url(const Secret& url) {
  return Conninfo(PQconninfoParse(std::string(url.reveal()).c_str(), nullptr));
}

std::string first_line(const char* message) {
  std::string line(message == nullptr ? "" : message);
  line.resize(std::min(line.find('\n'), line.size()));
  return line;
}

// What the server does for us on every connection: it ends what nobody waits for any more.
std::string server_options(const PostgresConfig& config) {
  const auto limit = std::to_string(config.call_timeout.count());
  const auto idle = std::to_string(2 * config.call_timeout.count());
  // Every query of ours has an index, also while a table is still too small for statistics.
  return "-c statement_timeout=" + limit + " -c idle_in_transaction_session_timeout=" + idle +
         " -c client_connection_check_interval=1000 -c enable_seqscan=off"
         " -c default_transaction_isolation=read\\ committed";
}

// The parameters of a connection: those of the URL, and ours.
class ConnectParameters {
 public:
  ConnectParameters(const PQconninfoOption* given, const PostgresConfig& config) {
    std::string options = server_options(config);
    for (; given != nullptr && given->keyword != nullptr; ++given) {
      if (given->val == nullptr) continue;
      if (std::string_view(given->keyword) == "options") {
        options += " ";
        options += given->val;
      } else {
        add(given->keyword, given->val);
      }
    }
    add("options", std::move(options));
    add("client_encoding", "UTF8");
    add("fallback_application_name", "otpd");
    add("keepalives", "1");
    add("keepalives_idle", "10");
    add("keepalives_interval", "3");
    add("keepalives_count", "3");
    add("tcp_user_timeout", std::to_string(config.call_timeout.count()));
    for (const std::string& value : values_) value_pointers_.push_back(value.c_str());
    keywords_.push_back(nullptr);
    value_pointers_.push_back(nullptr);
  }
  ~ConnectParameters() {
    for (std::string& value : values_) wipe(value);
  }
  ConnectParameters(const ConnectParameters&) = delete;
  ConnectParameters& operator=(const ConnectParameters&) = delete;

  const char* const* keywords() const { return keywords_.data(); }
  const char* const* values() const { return value_pointers_.data(); }

 private:
  void add(const char* keyword, std::string value) {
    keywords_.push_back(keyword);
    values_.push_back(std::move(value));
  }

  std::vector<const char*> keywords_;  // of libpq's own, or of ours
  std::vector<std::string> values_;
  std::vector<const char*> value_pointers_;
};

Failure kind_of(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (state == "57014" || state == "55P03") return Failure::timeout;  // statement, lock
  if (group == "08" || group == "57" || group == "53" || group == "40" || state == "25006") {
    return Failure::unavailable;  // lost, shut down, out of something, raced, read-only
  }
  return Failure::internal;
}

// What a statement is given, as libpq wants it.
struct Wire {
  explicit Wire(const Arguments& arguments) {
    for (const Argument& argument : arguments) {
      types.push_back(argument.type);
      values.push_back(argument.bytes ? argument.bytes->data() : nullptr);
      lengths.push_back(argument.bytes ? static_cast<int>(argument.bytes->size()) : 0);
      formats.push_back(k_binary);
    }
  }
  int size() const { return static_cast<int>(types.size()); }

  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

}  // namespace

Result<void> check_url(const Secret& url) {
  if (!url.empty() && parse_url(url)) return {};
  return fail(Failure::invalid, "the PostgreSQL URL cannot be read");
}

Result<void> Session::connect() {
  close();
  start_call(Steady::now() + config_.connect_timeout);
  const Conninfo given = parse_url(config_.url);
  const ConnectParameters parameters(given.get(), config_);
  connection_ = PQconnectStartParams(parameters.keywords(), parameters.values(), 0);
  if (connection_ == nullptr) return fail(Failure::unavailable, "libpq has no memory");
  if (!finish_connecting()) return take_failure();
  PQsetnonblocking(connection_, 1);
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  return set_up();
}

bool Session::finish_connecting() {
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (PQstatus(connection_) != CONNECTION_BAD && status != PGRES_POLLING_FAILED) {
    if (status == PGRES_POLLING_OK) return true;
    if (!wait_for(status == PGRES_POLLING_READING ? POLLIN : POLLOUT)) return false;
    status = PQconnectPoll(connection_);
  }
  lose();
  return false;
}

// What is acknowledged must be on a disk, whatever the server's default is.
Result<void> Session::set_up() {
  run_once(
      "SELECT set_config('synchronous_commit', 'on', false) "
      "WHERE current_setting('synchronous_commit') = 'off'");
  Result<void> done = take_failure();
  if (!done) close();
  return done;
}

void Session::close() {
  PQfinish(connection_);
  connection_ = nullptr;
  prepared_.clear();
}

bool Session::still_connected() {
  if (connection_ == nullptr) return false;
  pollfd socket{PQsocket(connection_), POLLIN, 0};
  while (poll(&socket, 1, 0) != 0) {  // a farewell, and then the end
    if (PQconsumeInput(connection_) == 1 && PQstatus(connection_) == CONNECTION_OK) continue;
    close();
    return false;
  }
  return true;
}

void Session::start_call(Steady::time_point deadline) {
  deadline_ = deadline;
  failure_.reset();
  failed_state_.clear();
}

Rows Session::run(std::string_view sql, const Arguments& arguments) {
  if (failure_) return {};
  if (connection_ == nullptr) return lose(), Rows();
  const auto name = prepare(sql, arguments);
  if (!name) return {};
  const Wire wire(arguments);
  if (PQsendQueryPrepared(connection_, name->c_str(), wire.size(), wire.values.data(),
                          wire.lengths.data(), wire.formats.data(), k_binary) == 0) {
    return lose(), Rows();
  }
  return finish();
}

// The statement's name, or nothing after a failure.
std::optional<std::string> Session::prepare(std::string_view sql, const Arguments& arguments) {
  const auto known = prepared_.find(sql);
  if (known != prepared_.end()) return known->second;
  std::string name = "s" + std::to_string(prepared_.size());
  const Wire wire(arguments);
  if (PQsendPrepare(connection_, name.c_str(), std::string(sql).c_str(), wire.size(),
                    wire.types.data()) == 0) {
    lose();
    return std::nullopt;
  }
  finish();
  if (failure_) return std::nullopt;
  return prepared_.emplace(sql, std::move(name)).first->second;
}

Rows Session::run_once(const std::string& sql, const Arguments& arguments) {
  if (failure_) return {};
  const Wire wire(arguments);
  if (connection_ == nullptr ||
      PQsendQueryParams(connection_, sql.c_str(), wire.size(), wire.types.data(),
                        wire.values.data(), wire.lengths.data(), wire.formats.data(),
                        k_binary) == 0) {
    return lose(), Rows();
  }
  return finish();
}

void Session::script(const std::string& sql) {
  if (failure_) return;
  if (connection_ == nullptr || PQsendQuery(connection_, sql.c_str()) == 0) return lose();
  finish();
}

// The last result of what was sent; nothing after a failure.
Rows Session::finish() {
  Rows last;
  if (!flush()) return {};
  while (true) {
    while (PQisBusy(connection_) != 0) {
      if (!wait_for(POLLIN)) return {};
      if (PQconsumeInput(connection_) == 0) return lose(), Rows();
    }
    PGresult* result = PQgetResult(connection_);
    if (result == nullptr) break;
    note_result(result);
    last = Rows(result);
  }
  if (PQstatus(connection_) == CONNECTION_BAD) lose();
  return failure_ ? Rows() : std::move(last);
}

bool Session::flush() {
  while (true) {
    const int left = PQflush(connection_);
    if (left == 0) return true;
    if (left < 0) break;
    if (!wait_for(POLLIN | POLLOUT)) return false;
    if (PQconsumeInput(connection_) == 0) break;
  }
  lose();
  return false;
}

bool Session::wait_for(short events) {
  while (true) {
    const auto left = std::chrono::ceil<Millis>(deadline_ - Steady::now());
    pollfd socket{PQsocket(connection_), events, 0};
    const int ready = poll(&socket, 1, static_cast<int>(std::max(left, Millis(0)).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    note({Failure::timeout, "PostgreSQL did not answer within the deadline"});
    close();
    return false;
  }
}

void Session::note_result(const pg_result* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  failed_state_ = state == nullptr ? "" : state;
  note({kind_of(failed_state_), "PostgreSQL: " + first_line(message) + " (" + failed_state_ + ")"});
}

void Session::lose() {
  const std::string why = first_line(connection_ == nullptr ? "" : PQerrorMessage(connection_));
  note({Failure::unavailable, "PostgreSQL cannot be reached" + (why.empty() ? why : ": " + why)});
  close();
}

Result<void> Session::take_failure() {
  if (!failure_) return {};
  Error error = std::move(*failure_);
  failure_.reset();
  return std::unexpected(std::move(error));
}

void Session::note(Error error) {
  if (!failure_) failure_ = std::move(error);
}

// Serialization, deadlock, the same key inserted by another.
bool Session::lost_race() const {
  return failed_state_ == "40001" || failed_state_ == "40P01" || failed_state_ == "23505";
}

Result<void> Session::end_transaction() {
  if (!failure_) {
    failed_state_.clear();
    script("COMMIT");
    return take_failure();
  }
  Result<void> failed = take_failure();
  if (connection_ != nullptr) {
    const std::string state = failed_state_;
    script("ROLLBACK");
    if (!take_failure() || state == "25006") close();  // a read-only server may have a successor
    failed_state_ = state;
  }
  return failed;
}

}  // namespace otpd::storage::postgres
