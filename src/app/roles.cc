#include "app/roles.h"

#include <charconv>

namespace otpd::app {
namespace {

// "host:port" or "[::1]:port", as the configuration has checked.
net::RedisNode redis_node(std::string_view text) {
  const auto colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  net::RedisNode node{.host = std::string(host)};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), node.port);
  return node;
}

net::RedisConfig redis_config(const RedisSettings& settings) {
  net::RedisConfig redis;
  for (const std::string& node : settings.nodes) redis.nodes.push_back(redis_node(node));
  redis.cluster = settings.cluster;
  redis.user = settings.user;
  redis.password = settings.password.clone();
  redis.tls = settings.tls;
  redis.ca_file = settings.ca_file;
  redis.call_timeout = settings.timeout;
  redis.connect_timeout = settings.timeout;
  redis.replica_timeout = settings.replica_timeout;
  return redis;
}

}  // namespace

Duties duties_of(const ServerConfig& config) {
  const bool all = config.role == Role::all;
  return {.serves = all || config.role == Role::api,
          .delivers = all || config.role == Role::worker,
          .audits = all || config.role == Role::audit};
}

bool needs_postgres(const Config& config) {
  const bool answers_verify = duties_of(config.server).serves;
  return config.server.role == Role::audit ||
         (answers_verify && config.cluster.durability == Durability::strict);
}

storage::ClusterConfig make_cluster_config(const Config& config) {
  const storage::Retention retention{.audit = config.audit.retention,
                                     .dead_letters = config.delivery.dead_letter_retention};
  storage::ClusterConfig cluster;
  cluster.redis.redis = redis_config(config.redis);
  cluster.redis.prefix = config.redis.prefix;
  cluster.redis.partitions = config.redis.partitions;
  cluster.redis.replicated = config.cluster.durability != Durability::async;
  cluster.redis.max_backlog = config.cluster.audit_backlog;
  cluster.redis.retention = retention;
  cluster.postgres.url = config.postgres.url.clone();
  cluster.postgres.retention = retention;
  cluster.postgres.connections = config.postgres.connections;
  cluster.postgres.call_timeout = config.postgres.timeout;
  cluster.strict = config.cluster.durability == Durability::strict;
  return cluster;
}

}  // namespace otpd::app
