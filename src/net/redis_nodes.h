// RedisNodes: the connections of one client, by node.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "net/redis_connection.h"

namespace otpd::net {

// For one loop. Connections are made when they are first wanted.
class RedisNodes {
 public:
  RedisNodes(Executor loop, std::shared_ptr<const RedisConfig> config, Metrics& metrics);

  // The connection for calls that need no replica, or for those that do.
  std::shared_ptr<RedisConnection> get(const RedisNode& node, bool replicating);
  // Whether a connection to one of these has been lost and not been made again.
  bool any_down(const std::vector<RedisNode>& nodes) const;
  // Closes what is connected elsewhere and has nothing to do.
  void retain(const std::vector<RedisNode>& nodes);
  // For good.
  void close();

 private:
  struct Order {
    bool operator()(const RedisNode& a, const RedisNode& b) const {
      return a.port != b.port ? a.port < b.port : a.host < b.host;
    }
  };
  struct Pair {
    std::shared_ptr<RedisConnection> of[2];  // plain, replicating
  };

  const Executor loop_;
  const std::shared_ptr<const RedisConfig> config_;
  const RedisConnectionMetrics metrics_;
  bool over_ = false;
  std::map<RedisNode, Pair, Order> nodes_;
};

}  // namespace otpd::net
