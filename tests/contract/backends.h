// The backends that the contract suite runs on.
#pragma once

#include "harness.h"
#include "postgres_server.h"
#include "redis_harness.h"

namespace otpd::storage {

// What becomes garbage at one time: every audit line by itself, or all of a month.
enum class AuditUnit : std::uint8_t { line, month };

struct BackendKind {
  const char* name;
  void (*open)(World& world);
  AuditUnit audit_unit = AuditUnit::line;
};

inline void open_memory_backend(World& world) {
  world.backend = make_memory_backend(world.clock, world.retention);
}
inline void open_default_sqlite(World& world) {
  open_sqlite(world, sqlite_config(world));
}

// Without the cache every load is read from the file.
inline void open_uncached_sqlite(World& world) {
  SqliteConfig config = sqlite_config(world);
  config.cache_bytes = 0;
  open_sqlite(world, config);
}

inline void open_default_postgres(World& world) {
  open_postgres(world);
}

class Contract : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override { GetParam().open(world_); }
  World world_;
};

inline const BackendKind k_postgres{"postgres", open_default_postgres, AuditUnit::month};

inline const auto k_backends = ::testing::Values(
    BackendKind{"memory", open_memory_backend}, BackendKind{"sqlite", open_default_sqlite},
    BackendKind{"uncached", open_uncached_sqlite}, BackendKind{"redis", open_redis},
    BackendKind{"redis_cluster", open_redis_cluster}, k_postgres);

// Those that forget when they are told to; Redis forgets by itself, by its own clock.
inline const auto k_purging_backends = ::testing::Values(
    BackendKind{"memory", open_memory_backend}, BackendKind{"sqlite", open_default_sqlite},
    BackendKind{"uncached", open_uncached_sqlite}, k_postgres);

inline std::string backend_name(const ::testing::TestParamInfo<BackendKind>& info) {
  return info.param.name;
}

}  // namespace otpd::storage
