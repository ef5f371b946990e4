// RedisQueue: the port to the jobs on Redis.
#pragma once

#include <memory>

#include "delivery/queue.h"
#include "storage/redis/shared.h"

namespace otpd::storage::redis {

std::unique_ptr<delivery::Queue> make_redis_queue(std::shared_ptr<Shared> shared);

}  // namespace otpd::storage::redis
