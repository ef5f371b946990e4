// The board where all processes of a cluster leave what they know about carriers.
#pragma once

#include <memory>

#include "delivery/lane_news.h"
#include "storage/redis/shared.h"

namespace otpd::storage::redis {

// `prefix` as in RedisBackendConfig.
std::unique_ptr<delivery::HealthBoard> make_redis_health_board(std::shared_ptr<Shared> shared,
                                                               const std::string& prefix);

}  // namespace otpd::storage::redis
