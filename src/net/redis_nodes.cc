#include "net/redis_nodes.h"

#include <algorithm>

namespace otpd::net {

RedisNodes::RedisNodes(Executor loop, std::shared_ptr<const RedisConfig> config, Metrics& metrics)
    : loop_(loop),
      config_(std::move(config)),
      metrics_{metrics.counter("otpd_redis_reconnects_total", "Connections to Redis made again"),
               metrics.counter("otpd_redis_unreplicated_total",
                               "Calls answered without a replica that has them")} {}

std::shared_ptr<RedisConnection> RedisNodes::get(const RedisNode& node, bool replicating) {
  auto& connection = nodes_[node].of[replicating ? 1 : 0];
  if (!connection) {
    connection = std::make_shared<RedisConnection>(loop_, config_, node, replicating, metrics_);
    if (over_) connection->close();
  }
  return connection;
}

bool RedisNodes::any_down(const std::vector<RedisNode>& nodes) const {
  return std::ranges::any_of(nodes, [&](const RedisNode& node) {
    const auto found = nodes_.find(node);
    return found != nodes_.end() &&
           std::ranges::any_of(found->second.of, [](const auto& c) { return c && c->is_down(); });
  });
}

void RedisNodes::retain(const std::vector<RedisNode>& nodes) {
  for (auto& [node, pair] : nodes_) {
    if (std::ranges::find(nodes, node) != nodes.end()) continue;
    for (auto& connection : pair.of) {
      if (!connection || !connection->is_idle()) continue;
      connection->close();
      connection.reset();
    }
  }
  std::erase_if(nodes_,
                [](const auto& entry) { return !entry.second.of[0] && !entry.second.of[1]; });
}

void RedisNodes::close() {
  over_ = true;
  for (auto& [node, pair] : nodes_) {
    for (const auto& connection : pair.of) {
      if (connection) connection->close();
    }
  }
}

}  // namespace otpd::net
