#include "redis_harness.h"

#include <atomic>
#include <list>
#include <map>

#include "net/event_loops.h"

namespace otpd::storage {
namespace {

// The loops of backends that ended; never destroyed. Whoever still waited for one gives up by its
// own deadline, and only then lets go of the connections, which must not outlive their loop; and a
// call that was cut off holds a timer of its caller's loop, which is gone by now.
std::list<std::unique_ptr<net::EventLoops>>& ended_loops() {
  static auto& loops = *new std::list<std::unique_ptr<net::EventLoops>>;
  return loops;
}

// Carries what waits into a log in memory before every answer.
class CaughtUpLog final : public audit::AuditLog {
 public:
  CaughtUpLog(audit::EventStream& from, Backend& into) : from_(from), into_(into) {}

  Task<Result<std::vector<audit::Event>>> search(audit::Query query) override {
    if (auto carried = co_await carry(); !carried) co_return std::unexpected(carried.error());
    co_return co_await into_.audit().search(std::move(query));
  }
  Task<Result<std::vector<audit::Head>>> heads() override {
    if (auto carried = co_await carry(); !carried) co_return std::unexpected(carried.error());
    co_return co_await into_.audit().heads();
  }
  Task<Result<std::optional<audit::ChainSpan>>> span(std::uint32_t chain, TimePoint from,
                                                     TimePoint to) override {
    return into_.audit().span(chain, from, to);
  }
  Task<Result<std::vector<audit::Line>>> lines(std::uint32_t chain, std::uint64_t from,
                                               std::size_t limit) override {
    return into_.audit().lines(chain, from, limit);
  }
  Task<Result<std::vector<audit::Checkpoint>>> checkpoints(std::uint32_t chain, std::uint64_t from,
                                                           std::size_t limit) override {
    return into_.audit().checkpoints(chain, from, limit);
  }
  Task<Result<void>> add_checkpoint(audit::Checkpoint checkpoint) override {
    return into_.audit().add_checkpoint(std::move(checkpoint));
  }

 private:
  // Partition by partition they come; in the order of their time they are kept, as the tests
  // expect.
  Task<Result<void>> carry() {
    std::multimap<TimePoint, audit::Event> events;
    for (std::uint32_t p = 0; p < from_.partitions(); ++p) {
      for (;;) {
        auto waiting = co_await from_.read(p, 100);
        if (!waiting) co_return std::unexpected(waiting.error());
        if (waiting->empty()) break;
        std::vector<std::string> marks;
        for (audit::EventStream::Waiting& one : *waiting) {
          marks.push_back(std::move(one.mark));
          events.emplace(one.event.created_at, std::move(one.event));
        }
        auto forgotten = co_await from_.forget(p, std::move(marks));
        if (!forgotten) co_return forgotten;
      }
    }
    for (auto& [_, event] : events) {
      otp::Effects effects;
      effects.events.push_back(std::move(event));
      auto written = co_await into_.store().append(std::move(effects));
      if (!written) co_return written;
    }
    co_return Result<void>();
  }

  audit::EventStream& from_;
  Backend& into_;
};

class RedisWorld final : public Backend {
 public:
  RedisWorld(const RedisBackendConfig& config, World& world)
      : loops_(std::make_unique<net::EventLoops>(1, "redis")),
        kept_(make_memory_backend(world.clock, world.retention)) {
    auto opened = open_redis_backend(config, {&(*loops_)[0]}, world.clock, world.metrics);
    if (!opened) throw std::runtime_error(opened.error().message);
    behind_ = std::move(*opened);
    log_ = std::make_unique<CaughtUpLog>(behind_->events(), *kept_);
  }
  ~RedisWorld() override {
    loops_->stop();
    behind_.reset();
    ended_loops().push_back(std::move(loops_));
  }

  otp::Store& store() override { return behind_->store(); }
  delivery::Queue& queue() override { return behind_->queue(); }
  audit::AuditLog& audit() override { return *log_; }
  Task<Result<Purged>> purge(TimePoint now) override { return kept_->purge(now); }

 private:
  std::unique_ptr<net::EventLoops> loops_;
  std::unique_ptr<Backend> kept_;
  std::unique_ptr<RedisBackend> behind_;
  std::unique_ptr<CaughtUpLog> log_;
};

RedisBackendConfig config_for(const World& world, std::vector<net::RedisNode> nodes, bool cluster) {
  static std::atomic<int> next = 0;
  RedisBackendConfig config;
  config.redis.nodes = std::move(nodes);
  config.redis.cluster = cluster;
  config.prefix = "t" + std::to_string(++next);
  config.partitions = 8;
  config.replicated = cluster;
  config.retention = world.retention;
  return config;
}

}  // namespace

net::TestRedis& test_redis() {
  static net::TestRedis server;
  return server;
}

net::TestRedisCluster& test_redis_cluster() {
  static net::TestRedisCluster cluster;
  return cluster;
}

std::unique_ptr<Backend> make_redis_world(const RedisBackendConfig& config, World& world) {
  return std::make_unique<RedisWorld>(config, world);
}

RedisBackendConfig redis_config(const World& world) {
  return config_for(world, {test_redis().node()}, false);
}

RedisBackendConfig redis_cluster_config(const World& world) {
  return config_for(world, test_redis_cluster().nodes(), true);
}

void open_redis(World& world) {
  world.backend = make_redis_world(redis_config(world), world);
}

void open_redis_cluster(World& world) {
  world.backend = make_redis_world(redis_cluster_config(world), world);
}

}  // namespace otpd::storage
