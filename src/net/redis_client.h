// RedisClient: commands and scripts to Redis 7, one server or a cluster, over pipelined
// connections (RESP2, https://redis.io/docs/reference/protocol-spec/).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"

namespace otpd::net {

struct RedisNode {
  std::string host;
  std::uint16_t port = 6379;
  bool operator==(const RedisNode&) const = default;
};

struct RedisConfig {
  // At least one: a server (or a few, of which one is the master), or any few nodes of the cluster.
  std::vector<RedisNode> nodes;
  bool cluster = false;
  std::string user;     // of the ACL; empty: "default"
  Secret password;      // empty: no AUTH
  bool tls = false;     // the certificate must be the host's
  std::string ca_file;  // PEM; empty: the system's
  Millis connect_timeout{1'000};
  Millis call_timeout{1'000};        // of one call with all its redirections and repetitions
  Millis replica_timeout{500};       // how long a replicated call waits for a replica
  Millis topology_every{10'000};     // the slot map is asked for again
  std::size_t max_waiting = 10'000;  // calls without an answer, per node; more are refused
};
// A copy, its password included.
RedisConfig clone(const RedisConfig& config);

// An answer, as RESP has it. Never an error: those are failures.
struct RedisReply {
  enum class Kind : std::uint8_t { nil, status, integer, text, array };
  Kind kind = Kind::nil;
  std::int64_t number = 0;
  std::string text;  // of a status or a bulk string
  std::vector<RedisReply> items;
  bool is_nil() const { return kind == Kind::nil; }
};

// A script and the digest by which a node knows it.
class RedisScript {
 public:
  explicit RedisScript(std::string body);
  const std::string& body() const { return body_; }
  const std::string& sha1() const { return sha1_; }  // 40 hexadecimal digits

 private:
  std::string body_;
  std::string sha1_;
};

struct RedisCall {
  std::vector<std::string> words;  // the command and its arguments; with a script: keys, then args
  std::string key;                 // its hash slot decides the node; empty: any master
  const RedisScript* script = nullptr;  // by EVALSHA, and EVAL where the node does not know it
  std::size_t keys = 0;                 // of a script: how many of `words` are keys
  bool replicated = false;              // answered when a replica has it too (WAIT 1), or after
                            // replica_timeout (a tenth of it while none answers), which is
                            // counted in otpd_redis_unreplicated_total
};

// For one loop. Connects when it is first asked and again after a loss, with backoff and jitter;
// while a node cannot be reached, calls to it fail at once.
class RedisClient {
 public:
  // `loop` and `metrics` outlive the client.
  static std::unique_ptr<RedisClient> make(boost::asio::io_context& loop, RedisConfig config,
                                           Metrics& metrics);
  virtual ~RedisClient() = default;

  // The answer. Redirections (MOVED, ASK) are followed, and what was certainly not done (TRYAGAIN,
  // CLUSTERDOWN, LOADING, NOREPLICAS, NOSCRIPT, READONLY after a fail-over) is repeated with
  // backoff inside the deadline. What may have been done is never repeated. Failures: unavailable
  // (nobody answers, or the connection was lost, and it may have been done; or Redis takes no
  // writes now), timeout, overloaded, internal (an error of Redis's that no repetition mends; its
  // words).
  virtual Task<Result<RedisReply>> call(RedisCall call) = 0;

  // Whether every master that is known answers.
  virtual Task<Result<void>> ping() = 0;

  // Calls `heard(channel)` whenever something is published on one of these sharded channels
  // (SPUBLISH), and once for each channel after every (re)connection, when something may have been
  // missed. To be called once.
  virtual void subscribe(std::vector<std::string> channels,
                         std::function<void(const std::string&)> heard) = 0;

  // Ends all connections; what waits fails, and so does every later call.
  virtual void close() = 0;
};

// A client on each of some loops.
class RedisClients {
 public:
  // All outlive the clients. At least one loop.
  RedisClients(std::vector<boost::asio::io_context*> loops, const RedisConfig& config,
               Metrics& metrics);
  // The loops run no longer, or never did.
  ~RedisClients();

  // Through the client of the calling coroutine's own loop, or of the first if it has none. Resumes
  // on the coroutine's own loop. As RedisClient::call.
  Task<Result<RedisReply>> call(RedisCall call);
  Task<Result<void>> ping();
  // As RedisClient::subscribe, on the first loop; from any thread.
  void subscribe(std::vector<std::string> channels, std::function<void(const std::string&)> heard);

 private:
  struct Member;
  std::vector<Member> members_;
};

}  // namespace otpd::net
