// Schema: the tables, and how an older database becomes a current one.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "storage/postgres/session.h"

namespace otpd::storage::postgres {

// The schema that this program reads and writes; a database's is in the table otp_schema.
std::int64_t current_schema();

// The advisory locks of the database that we take.
namespace advisory {
inline constexpr std::int64_t k_schema = 0x6f74'7064'0000'0001;  // "otpd"
inline constexpr std::int64_t k_partitions = 0x6f74'7064'0000'0002;
}  // namespace advisory

// Applies the migrations that the database lacks, all in one transaction; several processes may try
// at once. Failures: invalid (a newer schema), and those of any statement.
Result<void> migrate(Session& session);

}  // namespace otpd::storage::postgres
