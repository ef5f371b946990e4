// Beyond one machine: [redis], [postgres] and [cluster].
#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

bool cluster_is_prefix(std::string_view text) {
  return is_name(text);
}

bool cluster_is_user(std::string_view text) {
  return is_line(text) && !text.contains(' ');
}

bool cluster_is_postgres_url(std::string_view text) {
  return is_line(text) && (text.starts_with("postgresql://") || text.starts_with("postgres://"));
}

constexpr Key k_cluster_keys[] = {
    {.path = "redis.nodes",
     .binding = at<&Config::redis, &RedisSettings::nodes>,
     .check = is_host_and_port,
     .form = "host:port of a Redis server",
     .doc = "The Redis 7 server, or any few nodes of a Redis Cluster; the others are found through "
            "them."},
    {.path = "redis.cluster",
     .binding = at<&Config::redis, &RedisSettings::cluster>,
     .doc = "Whether redis.nodes are nodes of a Redis Cluster."},
    {.path = "redis.user",
     .binding = at<&Config::redis, &RedisSettings::user>,
     .check = cluster_is_user,
     .form = "the name of a user of Redis's ACL",
     .may_be_empty = true,
     .doc = "The user of Redis's ACL. Empty is \"default\"."},
    {.path = "redis.password",
     .binding = at<&Config::redis, &RedisSettings::password>,
     .check = is_line,
     .form = "a password",
     .may_be_empty = true,
     .doc = "That user's password; meant for OTPD_REDIS_PASSWORD in the environment."},
    {.path = "redis.tls",
     .binding = at<&Config::redis, &RedisSettings::tls>,
     .doc = "Whether Redis is spoken to over TLS. The certificate must be of the node's host."},
    {.path = "redis.ca_file",
     .binding = at<&Config::redis, &RedisSettings::ca_file>,
     .check = is_line,
     .form = "the path of a PEM file",
     .may_be_empty = true,
     .doc = "The authorities to trust for redis.tls. Empty is the system's."},
    {.path = "redis.prefix",
     .binding = at<&Config::redis, &RedisSettings::prefix>,
     .check = cluster_is_prefix,
     .form = "a name of a to z, 0 to 9 and _, beginning with a letter, at most 32 long",
     .doc = "What every key in Redis begins with, so that several otpd can share a server."},
    {.path = "redis.partitions",
     .binding = at<&Config::redis, &RedisSettings::partitions>,
     .min = 1,
     .max = 4'096,
     .unit = "partitions",
     .doc = "Into how many parts the data is cut; each lives on one node. Fixed by the first "
            "start: another number is refused ever after. At least a few per node."},
    {.path = "redis.timeout_ms",
     .binding = at<&Config::redis, &RedisSettings::timeout>,
     .min = 50,
     .max = 30'000,
     .unit = "milliseconds",
     .doc = "How long Redis may take to answer, redirections and repetitions included."},
    {.path = "redis.replica_timeout_ms",
     .binding = at<&Config::redis, &RedisSettings::replica_timeout>,
     .min = 10,
     .max = 10'000,
     .unit = "milliseconds",
     .doc = "How long an answer waits for a replica, with the durability \"replicated\" or "
            "\"strict\". After it the answer is given all the same, and "
            "otpd_redis_unreplicated_total counts it."},

    {.path = "postgres.url",
     .binding = at<&Config::postgres, &PostgresSettings::url>,
     .check = cluster_is_postgres_url,
     .form = "a URL like postgresql://otpd@db.example/otpd?sslmode=verify-full",
     .may_be_empty = true,
     .doc = "The PostgreSQL 15 database; meant for OTPD_POSTGRES_URL in the environment if it "
            "holds a password."},
    {.path = "postgres.connections",
     .binding = at<&Config::postgres, &PostgresSettings::connections>,
     .min = 1,
     .max = 64,
     .unit = "connections",
     .doc = "Connections of one process, each with a thread of its own."},
    {.path = "postgres.timeout_ms",
     .binding = at<&Config::postgres, &PostgresSettings::timeout>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "How long PostgreSQL may take to answer."},

    {.path = "cluster.durability",
     .binding = at<&Config::cluster, &ClusterSettings::durability>,
     .choices = {"async", "replicated", "strict"},
     .doc = "What an answer survives. \"async\": the crash of otpd; what Redis had not passed on "
            "is lost when a master dies. \"replicated\": the death of a master whose replica was "
            "in step. \"strict\": no code is ever accepted twice, whatever becomes of Redis, "
            "because PostgreSQL has the last word; verifying then needs PostgreSQL."},
    {.path = "cluster.audit_backlog",
     .binding = at<&Config::cluster, &ClusterSettings::audit_backlog>,
     .min = 1'000,
     .max = 10'000'000,
     .unit = "events per partition",
     .doc = "How many audit events may wait in Redis for PostgreSQL. Beyond it, what would write "
            "one is answered 503: the log stays complete."},
};

}  // namespace

std::span<const Key> cluster_keys() {
  return k_cluster_keys;
}

}  // namespace otpd::app
