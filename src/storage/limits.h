// Limits: what a store takes in, checked before anything waits for it.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "otp/store.h"

namespace otpd::storage {

inline constexpr std::size_t k_max_key_bytes = 256;
inline constexpr std::size_t k_max_record_bytes = 1 << 20;
inline constexpr std::size_t k_max_effects = 1000;
inline constexpr std::size_t k_job_id_bytes = 16;
inline constexpr std::size_t k_max_sealed_bytes = 64 << 10;
inline constexpr std::size_t k_max_field_bytes = 1024;  // of an event or a reason
inline constexpr std::size_t k_max_take = 1000;
inline constexpr std::size_t k_max_search = 1000;
inline constexpr std::size_t k_max_dead_letters = 1000;

// Nothing, or Failure::invalid with the part that no backend takes.
Result<void> check_key(const otp::Key& key);
Result<void> check_record(const otp::Key& key, const std::string& bytes);
Result<void> check_effects(const otp::Effects& effects);

}  // namespace otpd::storage
