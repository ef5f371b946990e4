#include "storage/redis/shared.h"

#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "storage/redis/scripts.h"

namespace otpd::storage::redis {
namespace {

constexpr std::size_t k_usual_record_bytes = 1024;
constexpr Millis k_keep_every = std::chrono::hours(1);
constexpr Millis k_look_every{1'000};

std::vector<Names> all_names(const RedisBackendConfig& config) {
  std::vector<Names> names;
  for (Partition p = 0; p < config.partitions; ++p) names.emplace_back(config.prefix, p);
  return names;
}

std::int64_t steady_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Millis>(now).count();
}

}  // namespace

Shared::Shared(const RedisBackendConfig& config, std::vector<boost::asio::io_context*> loops,
               const Clock& clock_to_use, Metrics& metrics)
    : replicated(config.replicated),
      retention(config.retention),
      max_backlog(config.max_backlog),
      clock(clock_to_use),
      names(all_names(config)),
      outlook(config.partitions,
              static_cast<Partition>(crypto::SystemRandom().u64() % config.partitions)),
      cache(config.cache_records * k_usual_record_bytes),
      refused(metrics.counter("otpd_audit_refused_total",
                              "Writes refused because too many audit events wait.")),
      clients(std::move(loops), config.redis, metrics),
      kept_until_(config.partitions) {}

Task<Result<net::RedisReply>> Shared::call(net::RedisCall call) {
  return clients.call(std::move(call));
}

net::RedisCall Shared::script_call(const net::RedisScript& script, Partition partition,
                                   std::vector<std::string> keys,
                                   const std::vector<std::string>& args) const {
  const std::size_t count = keys.size();
  keys.insert(keys.end(), args.begin(), args.end());
  return {.words = std::move(keys),
          .key = names[partition].doorbell(),
          .script = &script,
          .keys = count};
}

Task<void> Shared::keep(Partition partition) {
  const std::int64_t now = steady_ms();
  std::int64_t until = kept_until_[partition];
  if (until > now) co_return;
  // One asks; others need not wait for it, since a name that has no expiry yet gets one.
  if (!kept_until_[partition].compare_exchange_strong(until, now + k_keep_every.count())) co_return;
  const Names& name = names[partition];
  const auto kept =
      co_await call(script_call(keep_script(), partition, {name.events(), name.due(), name.held()},
                                {std::to_string(k_shared_life.count())}));
  if (kept) co_return;
  distrust(partition);
  log::warn("Redis could not be told to keep a partition", {{"reason", kept.error().message}});
}

bool Shared::is_time_to_look() {
  const std::int64_t now = steady_ms();
  std::int64_t at = look_at_;
  return at <= now && look_at_.compare_exchange_strong(at, now + k_look_every.count());
}

Millis Shared::until_look() const {
  return Millis(look_at_ - steady_ms());
}

std::uint64_t Shared::draw_version() {
  for (;;) {
    if (const std::uint64_t drawn = random_.u64(); drawn != 0) return drawn;
  }
}

std::uint32_t Shared::draw_lease_number() {
  return static_cast<std::uint32_t>(draw_version() % 0xffff'ffffU) + 1;
}

std::unexpected<Error> strange_answer() {
  return fail(Failure::corrupt, "Redis answered something that otpd never wrote");
}

}  // namespace otpd::storage::redis
