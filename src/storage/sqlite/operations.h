// Operations: what the ports ask of the writer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "otp/store.h"
#include "storage/sqlite/core.h"
#include "storage/sqlite/writer.h"

namespace otpd::storage::sqlite {

// A commit before it has a version.
struct Commit {
  otp::Key key;
  std::uint64_t expected;
  std::string bytes;
  TimePoint expires_at;
  otp::Effects effects;
};

// Store::commit. `core` must outlive the operation.
std::unique_ptr<Operation> commit_operation(Core& core, Commit commit,
                                            Callback<Result<otp::CommitResult>> done);

// Store::append.
std::unique_ptr<Operation> append_operation(Core& core, otp::Effects effects,
                                            Callback<Result<bool>> done);

// Queue::requeue.
std::unique_ptr<Operation> requeue_operation(Core& core, std::string id, TimePoint now,
                                             Callback<Result<bool>> done);

// AuditLog::add_checkpoint.
std::unique_ptr<Operation> checkpoint_operation(audit::Checkpoint checkpoint,
                                                Callback<Result<bool>> done);

// Store::ping: a write if the last transaction failed, so that it tells when the disk is back.
std::unique_ptr<Operation> ping_operation(bool write, Callback<Result<bool>> done);

}  // namespace otpd::storage::sqlite
