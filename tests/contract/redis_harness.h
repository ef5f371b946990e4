// Backends on Redis for the contract suite: one server and one cluster per test program, started
// when they are first needed; every backend has a prefix of its own.
#pragma once

#include "harness.h"
#include "net/test_redis.h"
#include "storage/redis/backend.h"

namespace otpd::storage {

net::TestRedis& test_redis();
net::TestRedisCluster& test_redis_cluster();

// A RedisBackend behind the port of the others: the audit log is in memory, and whoever reads it
// reads what waited in Redis, too. `purge` purges that log alone.
std::unique_ptr<Backend> make_redis_world(const RedisBackendConfig& config, World& world);

// With a prefix that no other call gives.
RedisBackendConfig redis_config(const World& world);
RedisBackendConfig redis_cluster_config(const World& world);

void open_redis(World& world);
void open_redis_cluster(World& world);

}  // namespace otpd::storage
