// What the tests of the PostgreSQL backend share.
#pragma once

#include "chain_reading.h"
#include "postgres_server.h"

namespace otpd::storage {

class Postgres : public ::testing::Test {
 protected:
  explicit Postgres(PostgresServer& server = PostgresServer::shared())
      : server_(server),
        database_(server.make_database()),
        config_(postgres_config(world_, server, *database_)) {}

  std::unique_ptr<PostgresBackend> opened() {
    auto backend = open_postgres_backend(config_, world_.clock, world_.metrics);
    if (!backend) throw std::runtime_error(backend.error().message);
    return std::move(*backend);
  }
  void open() {
    auto backend = opened();
    backend_ = backend.get();
    world_.backend = std::move(backend);
  }
  Failure open_failure() {
    auto backend = open_postgres_backend(config_, world_.clock, world_.metrics);
    return backend ? Failure::internal : backend.error().kind;
  }
  PostgresShell shell() { return PostgresShell(server_.url(*database_)); }

  std::vector<audit::Event> some_events(int count) {
    std::vector<audit::Event> events;
    for (int i = 0; i < count; ++i) events.push_back(world_.event());
    return events;
  }
  // Awaits on a loop that is still there when the answer comes after the deadline.
  template <class T>
  T await_here(Task<T> task) {
    std::optional<T> answer;
    start(loop_, std::move(task), answer);
    loop_.restart();
    while (!answer && loop_.run_one_for(std::chrono::seconds(60)) > 0) {
    }
    if (!answer) throw std::runtime_error("the task never answered");
    return std::move(*answer);
  }
  Result<void> try_write(std::uint32_t chain, std::vector<audit::Event> events) {
    return await_here(backend_->sink().write(chain, std::move(events)));
  }
  // From any thread.
  void write(std::uint32_t chain, std::vector<audit::Event> events) {
    const auto written = await(backend_->sink().write(chain, std::move(events)));
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }
  audit::Head head_of(std::uint32_t chain) {
    for (const audit::Head& head : heads(backend_->audit())) {
      if (head.chain == chain) return head;
    }
    return {.chain = chain};
  }
  // Expects that the chain holds exactly these events.
  void expect_written(std::uint32_t chain, const std::vector<audit::Event>& events) {
    expect_chain(lines(backend_->audit(), chain), head_of(chain), events);
  }

  boost::asio::io_context loop_;
  World world_;
  PostgresServer& server_;
  const std::shared_ptr<std::string> database_;
  PostgresConfig config_;
  PostgresBackend* backend_ = nullptr;
};

}  // namespace otpd::storage
