#include "harness.h"

#include <stdlib.h>

#include <stdexcept>

namespace otpd::storage {

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent) {
  std::string name = (parent / "otpd-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}

std::uint64_t World::put(const otp::Key& key, std::uint64_t expected, const std::string& bytes,
                         otp::Effects effects) {
  EXPECT_EQ(commit(key, expected, bytes, std::move(effects)), otp::CommitResult::done);
  return load(key).version;
}

otp::CommitResult World::commit(const otp::Key& key, std::uint64_t expected,
                                const std::string& bytes, otp::Effects effects) {
  const TimePoint expires_at = clock.now() + std::chrono::hours(1);
  return await(store().commit(key, expected, bytes, expires_at, std::move(effects))).value();
}

otp::Record World::load(const otp::Key& key) {
  auto loaded = await(store().load(key));
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

void World::append(otp::Effects effects) {
  const auto appended = await(store().append(std::move(effects)));
  ASSERT_TRUE(appended.has_value()) << appended.error().message;
}

std::vector<delivery::Job> World::take(std::size_t max, Millis lease) {
  return await(queue().take(clock.now(), lease, max, Millis(0))).value();
}

delivery::QueueStats World::stats() {
  return await(queue().stats(clock.now())).value();
}

std::vector<audit::Event> World::events(audit::Query query) {
  return await(audit().search(std::move(query))).value();
}

otp::NewJob World::job(char letter, Millis due_in) const {
  return {.id = std::string(16, letter),
          .key = std::string("r\0key", 5) + letter,
          .due_at = clock.now() + due_in,
          .expires_at = clock.now() + std::chrono::minutes(5),
          .sealed = std::string("sealed\0", 7) + letter};
}

audit::Event World::event(std::string_view type) {
  return {.id = uuid_v7(clock.now(), random),
          .user_id = "550e8400-e29b-41d4-a716-446655440000",
          .channel_hash = "00ff",
          .event_type = std::string(type),
          .ip_address = "2001:db8::1",
          .country = "US",
          .created_at = clock.now(),
          .verification_id = "v1",
          .purpose = "login",
          .provider = "log",
          .detail = "ip"};
}

otp::JobEnd end_of(const delivery::Job& job, otp::JobEnd::How how, TimePoint due_at,
                   std::string reason) {
  return {
      .id = job.id, .lease = job.lease, .how = how, .due_at = due_at, .reason = std::move(reason)};
}

SqliteConfig sqlite_config(const World& world) {
  SqliteConfig config;
  config.path = world.folder / "otpd.db";
  config.retention = world.retention;
  return config;
}

void open_sqlite(World& world, const SqliteConfig& config) {
  auto opened = open_sqlite_backend(config, world.clock, world.metrics);
  if (!opened) throw std::runtime_error(opened.error().message);
  world.backend = std::move(*opened);
}

}  // namespace otpd::storage
