// take_waiting: how Queue::take waits, on every backend.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "delivery/queue.h"
#include "storage/doorbell.h"
#include "storage/job_book.h"

namespace otpd::storage {

// Queue::take. Between two looks into `book` it waits for `bell`, which must ring whenever a job
// enters or is given back, or for the next job to be ready by `clock`. The caller keeps `book` and
// `clock` alive; a closed bell ends the wait.
Task<std::vector<delivery::Job>> take_waiting(JobBook& book, std::shared_ptr<Doorbell> bell,
                                              const Clock& clock, TimePoint now, Millis lease,
                                              std::size_t max, Millis wait);

}  // namespace otpd::storage
