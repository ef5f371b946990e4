#include "storage/redis/store.h"

#include <utility>

#include "storage/limits.h"
#include "storage/redis/values.h"
#include "storage/redis/write.h"

namespace otpd::storage::redis {
namespace {

using SharedPtr = std::shared_ptr<Shared>;
using Kind = net::RedisReply::Kind;

// Remembers when what was written will be due; what is due already was rung for.
void expect_jobs(Shared& shared, const Write& write) {
  const TimePoint now = shared.clock.now();
  bool later = false;
  const auto expect = [&](TimePoint due_at) {
    if (due_at <= now) return;
    shared.outlook.expect(write.partition, due_at);
    later = true;
  };
  for (const otp::NewJob* job : write.enqueue) expect(job->due_at);
  for (const otp::JobEnd* end : write.finish) {
    if (end->how == otp::JobEnd::How::retry) expect(end->due_at);
  }
  if (later) shared.bell->ring();
}

// Writes one partition's part; `shared` and `write` outlive it.
Task<Result<otp::CommitResult>> carry_out(Shared& shared, const Write& write) {
  if (!write.events.empty() || write.has_jobs()) co_await shared.keep(write.partition);
  auto call = write_call(write, shared.names[write.partition],
                         {.now = shared.clock.now(),
                          .max_backlog = shared.max_backlog,
                          .dead_letters = shared.retention.dead_letters});
  call.replicated = shared.replicated;
  const auto reply = co_await shared.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->kind != Kind::integer) co_return strange_answer();
  if (reply->number == 0) co_return otp::CommitResult::conflict;
  if (reply->number == 1) {
    expect_jobs(shared, write);
    co_return otp::CommitResult::done;
  }
  shared.refused.add();
  co_return fail(Failure::overloaded, "too many audit events wait to be written for good");
}

// All of them, the first one first: if it is refused, nothing is written.
Task<Result<otp::CommitResult>> carry_out(Shared& shared, const std::vector<Write>& writes) {
  for (const Write& write : writes) {
    auto written = co_await carry_out(shared, write);
    if (!written || *written == otp::CommitResult::conflict) co_return written;
  }
  co_return otp::CommitResult::done;
}

class RedisStore final : public otp::Store {
 public:
  explicit RedisStore(SharedPtr shared) : shared_(std::move(shared)) {}

  Task<Result<otp::Record>> load(otp::Key key) override {
    const SharedPtr shared = shared_;
    if (auto fits = check_key(key); !fits) co_return std::unexpected(fits.error());
    const std::string name = shared->names[partition_of(key, shared->partitions())].record(key);
    auto reply = co_await shared->call({.words = {"GET", name}, .key = name});
    if (!reply) co_return std::unexpected(reply.error());
    otp::Record record;
    if (!reply->is_nil()) {
      auto read = read_record(reply->text);
      if (!read) co_return strange_answer();
      record = std::move(*read);
    }
    shared->cache.put(key, record);
    co_return record;
  }

  std::optional<otp::Record> recall(const otp::Key& key) override {
    return shared_->cache.get(key);
  }

  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override {
    const SharedPtr shared = shared_;
    if (auto fits = check_record(key, bytes); !fits) co_return std::unexpected(fits.error());
    if (auto fit = check_effects(effects); !fit) co_return std::unexpected(fit.error());
    const std::uint64_t version = shared->draw_version();
    const NewState state{&key, expected, version, &bytes, expires_at};
    auto committed = co_await carry_out(*shared, plan_commit(state, effects, shared->partitions()));
    if (committed && *committed == otp::CommitResult::done) {
      shared->cache.put(key, bytes.empty() ? otp::Record{} : otp::Record{bytes, version});
    } else {
      shared->cache.erase(key);
    }
    co_return committed;
  }

  Task<Result<void>> append(otp::Effects effects) override {
    const SharedPtr shared = shared_;
    if (auto fit = check_effects(effects); !fit) co_return fit;
    const auto written = co_await carry_out(*shared, plan_append(effects, shared->partitions()));
    if (!written) co_return std::unexpected(written.error());
    co_return Result<void>();
  }

  Task<Result<void>> ping() override {
    const SharedPtr shared = shared_;
    co_return co_await shared->clients.ping();
  }

 private:
  SharedPtr shared_;
};

}  // namespace

std::unique_ptr<otp::Store> make_redis_store(std::shared_ptr<Shared> shared) {
  return std::make_unique<RedisStore>(std::move(shared));
}

}  // namespace otpd::storage::redis
