// DatabaseFile: makes the file, keeps its mode, and holds it for one process alone.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace otpd::storage::sqlite {

// Holds an exclusive lock on `<path>.lock` while it lives. SQLite's own locks let several
// processes write in turn, which is one too many: one writer is what makes the record cache and
// the release of orphaned leases correct.
class DatabaseFile {
 public:
  // Makes the file (mode 0600) if there is none and takes the lock. Failure::unavailable if
  // another opener holds it or the folder cannot be written.
  static Result<DatabaseFile> open(const std::string& path);

  DatabaseFile(DatabaseFile&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}
  DatabaseFile& operator=(DatabaseFile&&) = delete;
  ~DatabaseFile();

 private:
  explicit DatabaseFile(int lock) : lock_(lock) {}
  int lock_;
};

}  // namespace otpd::storage::sqlite
