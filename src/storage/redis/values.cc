#include "storage/redis/values.h"

#include <algorithm>
#include <charconv>

#include "storage/limits.h"

namespace otpd::storage::redis {
namespace {

constexpr std::int64_t k_last_ms = 9'999'999'999'999;  // in the year 2286
constexpr std::size_t k_attempt_digits = 5;
constexpr std::size_t k_key_length_bytes = 2;
constexpr std::size_t k_lease_bytes = 8;

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string digits(std::int64_t value, std::size_t width) {
  const std::string text = std::to_string(value);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

std::optional<std::int64_t> read_digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string version_text(std::uint64_t version) {
  return version == 0 ? std::string() : big_endian(version, k_version_bytes);
}

std::string record_value(std::uint64_t version, std::string_view bytes) {
  std::string value = big_endian(version, k_version_bytes);
  value.append(bytes);
  return value;
}

std::optional<otp::Record> read_record(std::string_view value) {
  if (value.size() <= k_version_bytes) return std::nullopt;
  return otp::Record{.bytes = std::string(value.substr(k_version_bytes)),
                     .version = from_big_endian(value.substr(0, k_version_bytes))};
}

std::uint64_t pack(const Lease& lease) {
  return std::uint64_t{lease.partition} << 48 | std::uint64_t{lease.times & 0xffff} << 32 |
         lease.number;
}

Lease unpack(std::uint64_t lease) {
  return {.partition = static_cast<Partition>(lease >> 48),
          .times = static_cast<std::uint32_t>(lease >> 32 & 0xffff),
          .number = static_cast<std::uint32_t>(lease)};
}

std::string member(std::string_view id, std::uint64_t lease) {
  return std::string(id) + big_endian(lease, k_lease_bytes);
}

std::optional<std::uint64_t> lease_in(std::string_view member) {
  if (member.size() != k_job_id_bytes + k_lease_bytes) return std::nullopt;
  return from_big_endian(member.substr(k_job_id_bytes));
}

std::string time_text(TimePoint time) {
  const std::int64_t ms = time.time_since_epoch().count();
  return digits(std::clamp<std::int64_t>(ms, 0, k_last_ms), k_time_digits);
}

std::optional<TimePoint> read_time(std::string_view text) {
  const auto ms = read_digits(text);
  if (!ms) return std::nullopt;
  return TimePoint(Millis(*ms));
}

std::string job_value(const otp::NewJob& job) {
  std::string value = time_text(job.expires_at);
  value += big_endian(job.key.size(), k_key_length_bytes);
  value += job.key;
  value += job.sealed;
  return value;
}

std::optional<delivery::Job> read_job(std::string_view member, std::string_view due_at,
                                      std::string_view value) {
  constexpr std::size_t k_head = k_time_digits + k_key_length_bytes;
  const auto lease = lease_in(member);
  const auto due = read_time(due_at);
  if (!lease || !due || value.size() < k_head) return std::nullopt;
  const auto expires_at = read_time(value.substr(0, k_time_digits));
  const std::size_t key_bytes = from_big_endian(value.substr(k_time_digits, k_key_length_bytes));
  if (!expires_at || value.size() < k_head + key_bytes) return std::nullopt;
  return delivery::Job{.id = std::string(member.substr(0, k_job_id_bytes)),
                       .key = std::string(value.substr(k_head, key_bytes)),
                       .sealed = std::string(value.substr(k_head + key_bytes)),
                       .due_at = *due,
                       .expires_at = *expires_at,
                       .attempt = unpack(*lease).times,
                       .lease = *lease};
}

std::string letter_text(TimePoint died_at, std::uint32_t attempts, std::string_view reason) {
  return time_text(died_at) + digits(attempts, k_attempt_digits) + std::string(reason);
}

std::optional<delivery::DeadLetter> read_letter(std::string_view id, std::string_view value) {
  constexpr std::size_t k_head = k_time_digits + k_attempt_digits;
  if (value.size() < k_head + k_time_digits) return std::nullopt;
  const std::size_t tail = value.size() - k_time_digits;
  const auto died_at = read_time(value.substr(0, k_time_digits));
  const auto attempts = read_digits(value.substr(k_time_digits, k_attempt_digits));
  const auto expires_at = read_time(value.substr(tail));
  if (!died_at || !attempts || !expires_at) return std::nullopt;
  return delivery::DeadLetter{.id = std::string(id),
                              .reason = std::string(value.substr(k_head, tail - k_head)),
                              .attempts = static_cast<std::uint32_t>(*attempts),
                              .died_at = *died_at,
                              .expires_at = *expires_at};
}

}  // namespace otpd::storage::redis
