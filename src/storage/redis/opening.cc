#include "storage/redis/opening.h"

#include <charconv>

#include "base/log.h"
#include "storage/redis/names.h"
#include "storage/redis/shared.h"

namespace otpd::storage::redis {
namespace {

constexpr int k_oldest_major = 7;

// An INFO that is forbidden, for example by an ACL, is no reason not to start.
Task<Result<void>> check_server(net::RedisClient& client, std::string key) {
  const auto info = co_await client.call({.words = {"INFO"}, .key = std::move(key)});
  if (info) co_return check_info(info->text);
  if (info.error().kind != Failure::internal) co_return std::unexpected(info.error());
  log::warn("Redis does not tell its version and memory policy",
            {{"reason", info.error().message}});
  co_return Result<void>();
}

Task<Result<void>> check_partitions(net::RedisClient& client, const RedisBackendConfig& config) {
  const std::string name = config.prefix + ":partitions";
  const std::string ours = std::to_string(config.partitions);
  const std::string life = std::to_string(k_shared_life.count());
  const auto first =
      co_await client.call({.words = {"SET", name, ours, "NX", "PX", life}, .key = name});
  if (!first) co_return std::unexpected(first.error());
  const auto there = co_await client.call({.words = {"GET", name}, .key = name});
  if (!there) co_return std::unexpected(there.error());
  if (there->text != ours) {
    co_return fail(Failure::invalid, "this Redis has " + there->text +
                                         " partitions under the prefix " + config.prefix +
                                         ", and " + ours +
                                         " are configured; the number cannot be changed");
  }
  const auto kept = co_await client.call({.words = {"PEXPIRE", name, life}, .key = name});
  if (!kept) co_return std::unexpected(kept.error());
  co_return Result<void>();
}

}  // namespace

std::string info_value(std::string_view info, std::string_view name) {
  const std::string start = "\n" + std::string(name) + ":";
  const std::size_t at = info.find(start);
  if (at == info.npos) return {};
  const std::size_t begin = at + start.size();
  return std::string(info.substr(begin, info.find_first_of("\r\n", begin) - begin));
}

Result<void> check_info(std::string_view info) {
  const std::string version = info_value(info, "redis_version");
  int major = k_oldest_major;
  std::from_chars(version.data(), version.data() + version.size(), major);
  if (major < k_oldest_major) {
    return fail(Failure::invalid, "Redis " + version + " is too old: 7.0 or later is needed");
  }
  const std::string policy = info_value(info, "maxmemory_policy");
  if (!policy.empty() && policy != "noeviction") {
    return fail(Failure::invalid, "Redis has maxmemory-policy " + policy +
                                      " and would drop records: set it to noeviction");
  }
  return {};
}

Task<Result<void>> check_redis(net::RedisClient& client, const RedisBackendConfig& config) {
  for (Partition p = 0; p < config.partitions; ++p) {
    auto fits = co_await check_server(client, Names(config.prefix, p).doorbell());
    if (!fits) co_return fits;
  }
  co_return co_await check_partitions(client, config);
}

}  // namespace otpd::storage::redis
