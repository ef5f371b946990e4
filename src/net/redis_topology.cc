#include "net/redis_topology.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/log.h"

namespace otpd::net {
namespace {

constexpr Millis k_redis_map_patience{250};  // with one node
constexpr Millis k_redis_map_least_pause{20};
constexpr Millis k_redis_map_pause_in_trouble{150};

Millis redis_time_left(Steady::time_point deadline) {
  return std::max(Millis(1), std::chrono::duration_cast<Millis>(deadline - Steady::now()));
}

}  // namespace

RedisTopology::RedisTopology(Executor loop, std::shared_ptr<const RedisConfig> config,
                             RedisNodes& nodes)
    : loop_(loop),
      config_(std::move(config)),
      nodes_(nodes),
      random_(static_cast<std::uint64_t>(Steady::now().time_since_epoch().count())),
      timer_(loop) {
  question_.words = {"CLUSTER", "SLOTS"};
}

void RedisTopology::start() {
  if (running_ || over_) return;
  running_ = true;
  boost::asio::co_spawn(
      loop_, [self = shared_from_this()] { return self->watch(); }, boost::asio::detached);
}

Task<Result<bool>> RedisTopology::wait_for_map(Steady::time_point deadline) {
  const auto self = shared_from_this();
  start();
  if (map_) co_return true;
  if (over_) co_return fail(Failure::unavailable, "the Redis client was closed");
  if (asked_ && !learnt_) co_return fail(Failure::unavailable, failure_);
  if (waiting_.size() >= config_->max_waiting) {
    co_return fail(Failure::overloaded, "too many calls wait for Redis");
  }
  co_return co_await await_callback<bool>(
      redis_time_left(deadline),
      [this](Callback<Result<bool>> done) { waiting_.push_back(std::move(done)); });
}

void RedisTopology::refresh_soon() {
  start();
  wanted_ = true;
  timer_.cancel();
}

void RedisTopology::move(std::uint16_t slot, const RedisNode& node) {
  if (map_) map_->move(slot, node);
  refresh_soon();
}

void RedisTopology::close() {
  over_ = true;
  timer_.cancel();
  changed_ = nullptr;
  for (auto& done : std::exchange(waiting_, {})) {
    done(fail(Failure::unavailable, "the Redis client was closed"));
  }
}

Task<void> RedisTopology::watch() {
  const auto self = shared_from_this();
  while (!over_) {
    wanted_ = false;
    const bool before = std::exchange(learnt_, co_await learn());
    if (over_) break;
    asked_ = true;
    if (!learnt_ && (before || !map_)) {
      log::warn("no map of the Redis cluster", {{"reason", failure_}});
    }
    for (auto& done : std::exchange(waiting_, {})) {
      if (map_) {
        done(true);
      } else {
        done(fail(Failure::unavailable, failure_));
      }
    }
    if (learnt_ && changed_) changed_();
    co_await rest();
  }
}

Task<bool> RedisTopology::learn() {
  for (const RedisNode& node : candidates()) {
    if (over_) co_return false;
    if (nodes_.get(node, false)->is_down()) continue;
    const bool learnt = co_await learn_from(node);
    if (learnt) co_return true;
  }
  co_return false;
}

Task<bool> RedisTopology::learn_from(RedisNode node) {
  const auto deadline = Steady::now() + std::min(k_redis_map_patience, config_->call_timeout);
  const auto connection = nodes_.get(node, false);
  auto heard = co_await connection->ask({.call = &question_, .deadline = deadline});
  if (over_) co_return false;
  if (!heard.answer || heard.answer->is_error) {
    failure_ = heard.answer ? heard.answer->reply.text : heard.answer.error().message;
    co_return false;
  }
  auto map = RedisSlotMap::parse(heard.answer->reply, node);
  if (!map) {
    failure_ = map.error().message;
    co_return false;
  }
  map_ = std::move(*map);
  auto known = map_->masters();
  known.insert(known.end(), map_->replicas().begin(), map_->replicas().end());
  nodes_.retain(known);
  co_return true;
}

// The masters first, each time another one; the configured nodes last.
std::vector<RedisNode> RedisTopology::candidates() {
  std::vector<RedisNode> all;
  const auto add = [&](const std::vector<RedisNode>& some) {
    for (std::size_t i = 0; i < some.size(); ++i) {
      const RedisNode& node = some[(i + turn_) % some.size()];
      if (std::ranges::find(all, node) == all.end()) all.push_back(node);
    }
  };
  if (map_) {
    add(map_->masters());
    add(map_->replicas());
  }
  add(config_->nodes);
  ++turn_;
  return all;
}

Task<void> RedisTopology::rest() {
  co_await sleep_for(k_redis_map_least_pause);
  if (over_ || wanted_) co_return;
  const bool trouble = !learnt_ || nodes_.any_down(map_->masters());
  Millis pause = trouble ? k_redis_map_pause_in_trouble : config_->topology_every;
  pause -= Millis(random_.u64() % static_cast<std::uint64_t>(pause.count() / 10 + 1));
  boost::system::error_code cancelled;
  timer_.expires_after(pause);
  co_await timer_.async_wait(boost::asio::redirect_error(use_task, cancelled));
}

}  // namespace otpd::net
