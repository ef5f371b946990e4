// take: how the processes share the jobs of all partitions.
//
// Nobody coordinates them: a partition's jobs are handed out by one script, so two takers never get
// the same. A process is led to a partition by its doorbell, and once a second it looks at all of
// them for what became due or was left behind by a holder that died.
#pragma once

#include <memory>
#include <vector>

#include "delivery/queue.h"
#include "storage/redis/shared.h"

namespace otpd::storage::redis {

// Queue::take.
Task<Result<std::vector<delivery::Job>>> take(std::shared_ptr<Shared> shared, TimePoint now,
                                              Millis lease, std::size_t max, Millis wait);

}  // namespace otpd::storage::redis
