#include "storage/redis/health_board.h"

#include <utility>

#include "base/encoding.h"

namespace otpd::storage::redis {
namespace {

constexpr std::size_t k_process_bytes = 9;

// KEYS: news (a hash: process -> seconds and news), disabled (a set). ARGV: process, news, seconds
// after which a silent process is forgotten, life in ms of both keys. The time is Redis's own, so
// that the clocks of the machines need not agree. Answers the others' news, then the disabled
// lanes.
constexpr const char* k_exchange = R"lua(
local K, A, call = KEYS, ARGV, redis.call
local now = tonumber(call('TIME')[1])
call('HSET', K[1], A[1], now .. ' ' .. A[2])
local all = call('HGETALL', K[1])
local news = {}
for i = 1, #all, 2 do
  local space = string.find(all[i + 1], ' ', 1, true)
  local said_at = tonumber(string.sub(all[i + 1], 1, space - 1))
  if said_at + tonumber(A[3]) < now then
    call('HDEL', K[1], all[i])
  elseif all[i] ~= A[1] then
    news[#news + 1] = string.sub(all[i + 1], space + 1)
  end
end
for i = 1, 2 do call('PEXPIRE', K[i], A[4]) end
return {news, call('SMEMBERS', K[2])}
)lua";

const net::RedisScript& exchange_script() {
  static const net::RedisScript script(k_exchange);
  return script;
}

constexpr const char* k_silent_s = "3";

class RedisHealthBoard final : public delivery::HealthBoard {
 public:
  RedisHealthBoard(std::shared_ptr<Shared> shared, const std::string& prefix)
      : shared_(std::move(shared)),
        tag_("{" + prefix + ":lanes}"),
        process_(base64url_encode(crypto::SystemRandom().bytes(k_process_bytes))) {}

  Task<Result<Posted>> exchange(std::vector<delivery::LaneNews> mine) override {
    const auto shared = shared_;
    const auto reply = co_await shared->call(
        {.words = {news(), disabled(), process_, delivery::encode_news(mine), k_silent_s, life()},
         .key = tag_,
         .script = &exchange_script(),
         .keys = 2});
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->items.size() != 2) co_return strange_answer();
    Posted posted;
    for (const net::RedisReply& said : reply->items[0].items) {
      const auto read = delivery::decode_news(said.text);
      if (!read) continue;  // of another version
      posted.news.insert(posted.news.end(), read->begin(), read->end());
    }
    for (const net::RedisReply& lane : reply->items[1].items) posted.disabled.insert(lane.text);
    co_return posted;
  }

  Task<Result<void>> set_disabled(std::string lane, bool off) override {
    const auto shared = shared_;
    const auto reply = co_await shared->call(
        {.words = {off ? "SADD" : "SREM", disabled(), std::move(lane)}, .key = tag_});
    if (!reply) co_return std::unexpected(reply.error());
    co_return Result<void>();
  }

 private:
  std::string news() const { return tag_ + ":news"; }
  std::string disabled() const { return tag_ + ":disabled"; }
  static std::string life() { return std::to_string(k_shared_life.count()); }

  const std::shared_ptr<Shared> shared_;
  const std::string tag_;
  const std::string process_;
};

}  // namespace

std::unique_ptr<delivery::HealthBoard> make_redis_health_board(std::shared_ptr<Shared> shared,
                                                               const std::string& prefix) {
  return std::make_unique<RedisHealthBoard>(std::move(shared), prefix);
}

}  // namespace otpd::storage::redis
