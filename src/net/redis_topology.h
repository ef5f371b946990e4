// RedisTopology: the slot map of a cluster, kept up to date.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/redis_nodes.h"
#include "net/redis_slots.h"

namespace otpd::net {

// Asks a node for the map (CLUSTER SLOTS): when it is first needed, every `topology_every`, when
// refresh_soon() says so, and again and again while a master cannot be reached, until its replica
// has taken over. For one loop; make it as a shared_ptr.
class RedisTopology : public std::enable_shared_from_this<RedisTopology> {
 public:
  // `nodes` lives as long as the topology or until close().
  RedisTopology(Executor loop, std::shared_ptr<const RedisConfig> config, RedisNodes& nodes);

  // Null before the first answer.
  const RedisSlotMap* map() const { return map_ ? &*map_ : nullptr; }
  // Resumes when there is a map. Failure::unavailable: no node could be asked; at once while none
  // can. Failure::overloaded: too many wait for it.
  Task<Result<bool>> wait_for_map(Steady::time_point deadline);
  // The map may be out of date.
  void refresh_soon();
  // MOVED said so.
  void move(std::uint16_t slot, const RedisNode& node);
  // Calls `changed` after every answer.
  void on_answer(std::function<void()> changed) { changed_ = std::move(changed); }
  void close();

 private:
  void start();
  Task<void> watch();
  Task<bool> learn();
  Task<bool> learn_from(RedisNode node);
  Task<void> rest();
  std::vector<RedisNode> candidates();

  const Executor loop_;
  const std::shared_ptr<const RedisConfig> config_;
  RedisNodes& nodes_;
  SeededRandom random_;
  RedisCall question_;
  std::optional<RedisSlotMap> map_;
  std::string failure_ = "no node of the Redis cluster can be reached";
  std::vector<Callback<Result<bool>>> waiting_;
  std::function<void()> changed_;
  std::size_t turn_ = 0;  // who is asked first
  bool running_ = false;
  bool asked_ = false;   // at least once
  bool learnt_ = false;  // the last time
  bool wanted_ = false;
  bool over_ = false;
  Timer timer_;
};

}  // namespace otpd::net
