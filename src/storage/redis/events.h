// RedisEvents: the audit events that wait in Redis to be written for good.
#pragma once

#include <memory>

#include "audit/pump.h"
#include "storage/redis/shared.h"

namespace otpd::storage::redis {

std::unique_ptr<audit::EventStream> make_redis_events(std::shared_ptr<Shared> shared);

// The smallest mark after `mark` ("<ms>-<number>", as a stream gives it); nothing if it is no mark.
std::optional<std::string> mark_after(std::string_view mark);

}  // namespace otpd::storage::redis
