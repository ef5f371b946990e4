#include "storage/redis/scripts.h"

namespace otpd::storage::redis {
namespace {

constexpr const char* k_write = R"lua(
local K, A, call = KEYS, ARGV, redis.call
local state = A[3] ~= ''
if state and call('GETRANGE', K[1], 0, 7) ~= A[1] then return 0 end
if A[4] ~= '' and call('XLEN', K[2]) >= tonumber(A[4]) then return 2 end
if state then
  if A[2] == '' then call('DEL', K[1]) else call('SET', K[1], A[2], 'PX', A[3]) end
end
local k, a = 5, 6
local step = A[6]
while step do
  if step == 'e' then
    call('XADD', K[2], '*', 'e', A[a + 1])
    a = a + 2
  elseif step == 'n' then
    if call('SET', K[k], A[a + 3], 'NX', 'PX', A[a + 4]) then
      call('ZADD', K[3], A[a + 2], A[a + 1])
    end
    k, a = k + 1, a + 5
  else
    local member = A[a + 1]
    local ours = call('ZREM', K[4], member) == 1 or call('ZREM', K[3], member) == 1
    if step == 'd' then
      if ours then call('DEL', K[k]) end
      k, a = k + 1, a + 2
    elseif step == 'r' then
      if ours then call('ZADD', K[3], A[a + 3], A[a + 2]) end
      a = a + 4
    else
      local job = ours and call('GET', K[k])
      if job then
        local expires_at = string.sub(job, 1, 13)
        local left = tonumber(expires_at) - tonumber(A[a + 3])
        if left > 0 then call('SET', K[k + 1], job, 'PX', left) end
        call('SET', K[k], A[a + 2] .. expires_at, 'PX', A[a + 4])
        local dead = K[#K]
        call('ZREMRANGEBYSCORE', dead, '-inf', A[a + 5])
        call('ZADD', dead, A[a + 3], string.sub(member, 1, 16))
        call('PEXPIRE', dead, A[a + 4])
      end
      k, a = k + 2, a + 6
    end
  end
  step = A[a]
end
if A[5] ~= '' then call('SPUBLISH', A[5], '') end
return 1
)lua";

constexpr const char* k_take = R"lua(
local K, A, call = KEYS, ARGV, redis.call
if A[7] == '1' then
  local over = call('ZRANGEBYSCORE', K[2], '-inf', A[1], 'WITHSCORES', 'LIMIT', 0, 100)
  for i = 1, #over, 2 do
    call('ZADD', K[1], over[i + 1], over[i])
    call('ZREM', K[2], over[i])
  end
end
local now, first = tonumber(A[1]), call('ZRANGE', K[1], 0, A[3], 'WITHSCORES')
local gone, held, taken, last = {}, {}, {''}, 2 * A[3]
for i = 1, #first, 2 do
  local member, due = first[i], first[i + 1]
  if i > last or tonumber(due) > now then
    taken[1] = due
    break
  end
  local id = string.sub(member, 1, 16)
  local job = redis.pcall('GET', A[4] .. id)
  if type(job) == 'table' then break end
  gone[#gone + 1] = member
  if job then
    local high, low = string.byte(member, 19, 20)
    local times = math.min(high * 256 + low + 1, 65535)
    local leased = id .. A[5] .. string.char(math.floor(times / 256), times % 256) .. A[6]
    held[#held + 1], held[#held + 2] = A[2], leased
    local n = #taken
    taken[n + 1], taken[n + 2], taken[n + 3] = leased, due, job
  end
end
if #gone > 0 then call('ZREM', K[1], unpack(gone)) end
if #held > 0 then call('ZADD', K[2], unpack(held)) end
return taken
)lua";

constexpr const char* k_keep = R"lua(
local K, A, call = KEYS, ARGV, redis.call
if call('EXISTS', K[1]) == 0 then
  call('XADD', K[1], '*', 'e', '')
  call('XTRIM', K[1], 'MAXLEN', 0)
end
call('ZADD', K[2], '+inf', '-')
call('ZADD', K[3], '+inf', '-')
for i = 1, 3 do call('PEXPIRE', K[i], A[1]) end
return 1
)lua";

constexpr const char* k_stats = R"lua(
local K, A, call = KEYS, ARGV, redis.call
local over = call('ZRANGEBYSCORE', K[2], '-inf', A[1], 'WITHSCORES', 'LIMIT', 0, 1)[2]
local ended = over and call('ZCOUNT', K[2], '-inf', A[1]) or 0
local oldest = call('ZRANGEBYSCORE', K[1], '-inf', A[1], 'WITHSCORES', 'LIMIT', 0, 1)[2]
if over and (not oldest or tonumber(over) < tonumber(oldest)) then oldest = over end
return {
  call('ZCOUNT', K[1], '-inf', '(+inf') + ended,
  call('ZCOUNT', K[2], '-inf', '(+inf') - ended,
  call('ZCOUNT', K[3], '(' .. A[2], '+inf'),
  oldest or ''
}
)lua";

constexpr const char* k_letters = R"lua(
local A, call = ARGV, redis.call
local ids = call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. A[3], 'LIMIT', 0, A[1])
local letters = {}
for _, id in ipairs(ids) do
  local letter = call('GET', A[2] .. id)
  if letter then letters[#letters + 1], letters[#letters + 2] = id, letter end
end
return letters
)lua";

constexpr const char* k_requeue = R"lua(
local K, A, call = KEYS, ARGV, redis.call
if not call('ZSCORE', K[1], A[1]) then return 0 end
local job = call('GET', K[4])
if not job then return 0 end
local left = tonumber(string.sub(job, 1, 13)) - tonumber(A[2])
if left <= 0 then return 0 end
call('ZREM', K[1], A[1])
call('DEL', K[4])
call('SET', K[3], job, 'PX', left + tonumber(A[4]))
call('ZADD', K[2], A[2], A[3])
call('SPUBLISH', A[5], '')
return 1
)lua";

}  // namespace

const net::RedisScript& write_script() {
  static const net::RedisScript script(k_write);
  return script;
}

const net::RedisScript& take_script() {
  static const net::RedisScript script(k_take);
  return script;
}

const net::RedisScript& keep_script() {
  static const net::RedisScript script(k_keep);
  return script;
}

const net::RedisScript& stats_script() {
  static const net::RedisScript script(k_stats);
  return script;
}

const net::RedisScript& letters_script() {
  static const net::RedisScript script(k_letters);
  return script;
}

const net::RedisScript& requeue_script() {
  static const net::RedisScript script(k_requeue);
  return script;
}

}  // namespace otpd::storage::redis
