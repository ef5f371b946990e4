// RedisStore: the port to records on Redis.
#pragma once

#include <memory>

#include "otp/store.h"
#include "storage/redis/shared.h"

namespace otpd::storage::redis {

std::unique_ptr<otp::Store> make_redis_store(std::shared_ptr<Shared> shared);

}  // namespace otpd::storage::redis
