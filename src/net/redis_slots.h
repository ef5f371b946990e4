// The rules of Redis Cluster (https://redis.io/docs/reference/cluster-spec/) and of what to do
// about an error: pure, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "net/redis_client.h"

namespace otpd::net {

inline constexpr std::size_t k_redis_slots = 16'384;

// The slot of a key: CRC16 (XMODEM) of its hash tag, or of all of it, modulo 16,384.
std::uint16_t redis_slot(std::string_view key);

// Who serves which slot.
class RedisSlotMap {
 public:
  // From the answer to CLUSTER SLOTS by `asked`, whose host stands where a node's is not told.
  // Failure::corrupt: it is no such answer.
  static Result<RedisSlotMap> parse(const RedisReply& slots, const RedisNode& asked);

  // The master of a slot; null: nobody serves it.
  const RedisNode* master(std::uint16_t slot) const;
  // MOVED: the slot is served by `node`, a master.
  void move(std::uint16_t slot, const RedisNode& node);

  const std::vector<RedisNode>& masters() const { return masters_; }
  const std::vector<RedisNode>& replicas() const { return replicas_; }
  bool knows(const RedisNode& node) const;

 private:
  static constexpr std::uint16_t k_nobody = 0xffff;
  std::uint16_t index_of(const RedisNode& master);

  std::vector<std::uint16_t> owners_ = std::vector<std::uint16_t>(k_redis_slots, k_nobody);
  std::vector<RedisNode> masters_;
  std::vector<RedisNode> replicas_;
};

// What to do about an error. But for `give_up`, the command was certainly not done.
struct RedisNext {
  enum class Step : std::uint8_t {
    give_up,     // no repetition mends it
    load,        // the same, with the whole script
    wait,        // the same, after a pause
    follow,      // at `node` from now on
    ask,         // at `node` this once, after ASKING
    other_node,  // after a pause, at whoever is the master then
  };
  Step step = Step::give_up;
  std::uint16_t slot = 0;
  RedisNode node;                       // without a host: that of the node that was asked
  Failure failure = Failure::internal;  // when given up, now or at the deadline
};
RedisNext redis_next(std::string_view error);

// The pause before the n-th repetition (from 1): 2 ms, doubled up to 100 ms, of which up to half is
// taken off at random.
Millis redis_backoff(std::uint32_t n, Random& random);

}  // namespace otpd::net
