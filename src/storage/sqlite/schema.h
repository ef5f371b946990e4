// Schema: the tables, and how an older file becomes a current one.
#pragma once

#include <string>

#include "base/result.h"
#include "storage/sqlite/connection.h"

namespace otpd::storage::sqlite {

// The schema that this program reads and writes; a file's is in `PRAGMA user_version`.
int current_schema();

// Applies the migrations that the file lacks, all in one transaction, and turns WAL on. `path` is
// for messages. Failures: invalid (a newer schema, or a database of another program), corrupt
// (not a database), unavailable.
Result<void> migrate(Connection& connection, const std::string& path);

}  // namespace otpd::storage::sqlite
