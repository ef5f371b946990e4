// The inside of RedisClient: which node gets a call, and what follows from its answer.
#pragma once

#include <array>
#include <memory>

#include "net/redis_nodes.h"
#include "net/redis_slots.h"
#include "net/redis_topology.h"

namespace otpd::net {

// For one loop; make it as a shared_ptr.
class RedisRouter : public std::enable_shared_from_this<RedisRouter> {
 public:
  RedisRouter(Executor loop, std::shared_ptr<const RedisConfig> config, Metrics& metrics);

  // As RedisClient's.
  Task<Result<RedisReply>> call(RedisCall call);
  Task<Result<void>> ping();
  void close();

  // Resumes when the nodes are known. Failure::unavailable: none could be asked.
  Task<Result<bool>> ready(Steady::time_point deadline);
  // Who is the master for a key, as far as known; null: nobody.
  const RedisNode* master_of(const std::string& key);
  // The node just proved to be away, or not to be the master.
  void mistrust(const RedisNode& node);
  // Calls `changed` whenever the masters may have changed.
  void on_change(std::function<void()> changed);

 private:
  // Where a call stands.
  struct Attempt {
    Steady::time_point deadline;
    RedisForm form = RedisForm::digest;
    std::optional<RedisNode> ask;  // the next attempt goes there, with ASKING
    RedisNode node;                // of the last attempt
    std::uint32_t tries = 0;
    std::uint32_t pauses = 0;
  };

  Task<Result<RedisReply>> repeat(const RedisCall& call, Steady::time_point deadline);
  const RedisNode* any_master();
  std::optional<Error> on_failure(RedisHeard heard, const RedisConnection& connection,
                                  Attempt& attempt);
  // The pause before the next attempt, or the failure.
  Result<Millis> on_error(const std::string& words, Attempt& attempt);
  Result<Millis> pause(Attempt& attempt, Failure failure, std::string why);
  Result<RedisReply> count(Result<RedisReply> answer, Steady::time_point begun);

  const std::shared_ptr<const RedisConfig> config_;
  RedisNodes nodes_;
  std::shared_ptr<RedisTopology> topology_;  // of a cluster
  SeededRandom random_;
  std::size_t current_ = 0;  // without a cluster: which of the nodes; with one: the last any_master
  bool over_ = false;
  std::array<Counter, 5> results_;
  Counter redirects_;
  Histogram seconds_;
  RedisCall ping_;
};

}  // namespace otpd::net
