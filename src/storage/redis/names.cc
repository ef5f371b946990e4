#include "storage/redis/names.h"

namespace otpd::storage::redis {

Partition partition_of(std::string_view key, std::uint32_t partitions) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : key) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211U;
  }
  return static_cast<Partition>((hash ^ (hash >> 32)) % partitions);
}

Names::Names(std::string_view prefix, Partition partition)
    : tag_(std::string(prefix) + ":{p" + std::to_string(partition) + "}") {}

}  // namespace otpd::storage::redis
