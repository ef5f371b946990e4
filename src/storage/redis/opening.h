// Opening: what is asked of a Redis before anything is kept in it.
#pragma once

#include <string>
#include <string_view>

#include "net/redis_client.h"
#include "storage/redis/backend.h"

namespace otpd::storage::redis {

// The value of `name` in what INFO answers; "" if it is not there.
std::string info_value(std::string_view info, std::string_view name);

// Nothing, or why this server cannot be used: older than 7.0, or one that evicts keys when its
// memory is full. What INFO does not say is not objected to.
Result<void> check_info(std::string_view info);

// Checks every partition's server and the number of partitions, which it writes if it is the first.
// On the client's loop.
Task<Result<void>> check_redis(net::RedisClient& client, const RedisBackendConfig& config);

}  // namespace otpd::storage::redis
