// Values: what otpd's things look like in Redis, see scripts.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/queue.h"
#include "otp/store.h"
#include "storage/redis/names.h"

namespace otpd::storage::redis {

// --- records: 8 bytes version, then the bytes
inline constexpr std::size_t k_version_bytes = 8;

// The version as a script compares it; "" for 0, that there is none.
std::string version_text(std::uint64_t version);
std::string record_value(std::uint64_t version, std::string_view bytes);
// Nothing if it is no record.
std::optional<otp::Record> read_record(std::string_view value);

// --- leases: the partition, how often the job was taken, and a number that no lease of the same
// job had before; the number is 0 for a job that nobody has.
struct Lease {
  Partition partition = 0;
  std::uint32_t times = 0;
  std::uint32_t number = 0;
  bool operator==(const Lease&) const = default;
};
std::uint64_t pack(const Lease& lease);
Lease unpack(std::uint64_t lease);

// A job's place in the sorted sets.
std::string member(std::string_view id, std::uint64_t lease);
// The lease in a member; nothing if it is none.
std::optional<std::uint64_t> lease_in(std::string_view member);

// A time in decimal milliseconds, always 13 digits; what does not fit is the first or last that
// does.
inline constexpr std::size_t k_time_digits = 13;
std::string time_text(TimePoint time);
std::optional<TimePoint> read_time(std::string_view digits);

// --- jobs: expires_at, the key with its length (2 bytes), the sealed message
std::string job_value(const otp::NewJob& job);
// What take answers for one job.
std::optional<delivery::Job> read_job(std::string_view member, std::string_view due_at,
                                      std::string_view value);

// --- dead letters: died_at, attempts (5 digits), reason; the script adds expires_at
std::string letter_text(TimePoint died_at, std::uint32_t attempts, std::string_view reason);
std::optional<delivery::DeadLetter> read_letter(std::string_view id, std::string_view value);

}  // namespace otpd::storage::redis
