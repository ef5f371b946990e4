#include "crypto/key_ring.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <fstream>
#include <set>
#include <thread>

#include "crypto/primitives.h"

namespace otpd::crypto {
namespace {

namespace fs = std::filesystem;
constexpr TimePoint k_ring_time{Millis(1'700'000'000'123)};

bool same_ring(const KeyRing& a, const KeyRing& b) {
  return a.to_json().reveal() == b.to_json().reveal();
}

struct KeyRingTest : ::testing::Test {
  KeyRingTest() {
    std::string name = (fs::temp_directory_path() / "otpd-ring-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder / "keys.json";
  }
  ~KeyRingTest() override { fs::remove_all(folder); }

  void write_file(std::string_view text, mode_t mode = 0600) const {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
  mode_t mode() const {
    struct stat status{};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }

  fs::path folder, path;
  SystemRandom random;
};

TEST_F(KeyRingTest, EveryKeyIsItsOwn) {
  KeyRing ring = KeyRing::create(k_ring_time, random);
  ring.rotate(k_ring_time + Seconds(1), random);
  std::set<std::string_view> keys = {ring.index_key()};
  for (const Generation& g : ring.generations()) {
    keys.insert(g.pepper.reveal());
    keys.insert(g.seal.reveal());
  }
  EXPECT_EQ(keys.size(), 5U);
  for (const std::string_view key : keys) EXPECT_EQ(key.size(), 32U);
}

TEST_F(KeyRingTest, RotationKeepsTheOldAndActivatesTheNew) {
  KeyRing ring = KeyRing::create(k_ring_time, random);
  const std::string old(ring.active().pepper.reveal());
  const std::string index(ring.index_key());
  ring.rotate(k_ring_time + Seconds(1), random);
  EXPECT_EQ(ring.active().id, 2U);
  EXPECT_EQ(ring.active().created_at, k_ring_time + Seconds(1));
  ASSERT_NE(ring.find(1), nullptr);
  EXPECT_EQ(ring.find(1)->pepper.reveal(), old);
  EXPECT_EQ(ring.find(2), &ring.active());
  EXPECT_EQ(ring.find(0), nullptr);
  EXPECT_EQ(ring.find(3), nullptr);
  EXPECT_EQ(ring.index_key(), index);
}

TEST_F(KeyRingTest, JsonRoundTrips) {
  KeyRing ring = KeyRing::create(k_ring_time, random);
  for (int i = 0; i < 20; ++i) ring.rotate(k_ring_time + Seconds(i), random);
  const auto again = KeyRing::from_json(ring.to_json().reveal());
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(same_ring(ring, *again));
  EXPECT_EQ(again->generations().size(), 21U);
  EXPECT_EQ(again->generations()[5].created_at, k_ring_time + Seconds(4));
}

TEST_F(KeyRingTest, RefusesEveryOtherForm) {
  const std::string key = "\"" + std::string(43, 'A') + "\"";
  const auto generation = [&](std::string_view id, std::string_view rest = "") {
    return "{\"id\":" + std::string(id) +
           ",\"created_at\":\"2025-01-01T00:00:00Z\",\"pepper\":" + key + ",\"seal\":" + key +
           std::string(rest) + "}";
  };
  const auto ring = [&](std::string_view generations, std::string_view rest = "") {
    return "{\"index\":" + key + ",\"generations\":" + std::string(generations) +
           std::string(rest) + "}";
  };
  const std::string good = ring("[" + generation("1") + "," + generation("7") + "]");
  ASSERT_TRUE(KeyRing::from_json(good).has_value());

  const auto replaced = [&](std::string_view what, std::string_view by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "text"},
      {"null", "ring"},
      {"[]", "ring"},
      {"{}", "index"},
      {good + "x", "text"},
      {good + good, "text"},
      {std::string(70'000, ' ') + good, "text"},
      {ring("[]"), "generations"},
      {ring("{}"), "generations"},
      {ring("[1]"), "generation"},
      {ring("[" + generation("1") + "]", ",\"extra\":1"), "ring"},
      {ring("[" + generation("1") + "]", ",\"index\":" + key), "text"},
      {ring("[" + generation("1", ",\"id\":2") + "]"), "text"},
      {ring("[" + generation("1", ",\"extra\":2") + "]"), "generation"},
      {ring("[" + generation("0") + "]"), "id"},
      {ring("[" + generation("-1") + "]"), "id"},
      {ring("[" + generation("1.0") + "]"), "id"},
      {ring("[" + generation("\"1\"") + "]"), "id"},
      {ring("[" + generation("4294967296") + "]"), "id"},
      {ring("[" + generation("18446744073709551617") + "]"), "id"},
      {ring("[" + generation("2") + "," + generation("1") + "]"), "id"},
      {ring("[" + generation("2") + "," + generation("2") + "]"), "id"},
      {replaced("2025-01-01T00:00:00Z", "2025-01-01"), "created_at"},
      {replaced("\"2025-01-01T00:00:00Z\"", "0"), "created_at"},
      {replaced("\"pepper\"", "\"salt\""), "pepper"},
      {replaced(key, "\"\""), "index"},
      {replaced(key, "7"), "index"},
      {replaced(key, "\"" + std::string(42, 'A') + "\""), "index"},
      {replaced(key, "\"" + std::string(44, 'A') + "\""), "index"},
      {replaced(key, "\"" + std::string(42, 'A') + "B\""), "index"},
      {replaced(key, "\"" + std::string(42, 'A') + "+\""), "index"},
      {replaced("\"seal\":" + key, "\"seal\":null"), "seal"},
  };
  for (const auto& [text, member] : cases) {
    const auto parsed = KeyRing::from_json(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind, Failure::invalid);
    EXPECT_NE(parsed.error().message.find(member), std::string::npos)
        << parsed.error().message << " for " << text;
    EXPECT_EQ(parsed.error().message.find("AAAA"), std::string::npos) << "no key in a message";
  }
}

TEST_F(KeyRingTest, SavesPrivatelyAndLoads) {
  const mode_t umask_before = ::umask(0);
  KeyRing ring = KeyRing::create(k_ring_time, random);
  ASSERT_TRUE(ring.save(path).has_value());
  EXPECT_EQ(mode(), 0600U);
  ring.rotate(k_ring_time, random);
  ASSERT_TRUE(ring.save(path).has_value());
  EXPECT_EQ(mode(), 0600U);
  ::umask(umask_before);
  const auto loaded = KeyRing::load(path);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(same_ring(ring, *loaded));
  EXPECT_EQ(files(), 1U) << "nothing is left aside";
}

TEST_F(KeyRingTest, RefusesAFileThatOthersCanUse) {
  const KeyRing ring = KeyRing::create(k_ring_time, random);
  for (const mode_t bad : {0640, 0604, 0620, 0602, 0610, 0601, 0660, 0644, 0777}) {
    write_file(ring.to_json().reveal(), bad);
    const auto loaded = KeyRing::load(path);
    ASSERT_FALSE(loaded.has_value()) << bad;
    EXPECT_EQ(loaded.error().kind, Failure::invalid);
    EXPECT_FALSE(KeyRing::load_or_create(path, k_ring_time, random).has_value());
  }
  for (const mode_t good : {0600, 0400}) {
    write_file(ring.to_json().reveal(), good);
    EXPECT_TRUE(KeyRing::load(path).has_value()) << good;
    fs::remove(path);
  }
}

TEST_F(KeyRingTest, TellsMissingFromUnusable) {
  EXPECT_EQ(KeyRing::load(path).error().kind, Failure::unavailable);
  EXPECT_EQ(KeyRing::load(folder).error().kind, Failure::invalid);
  write_file("");
  EXPECT_EQ(KeyRing::load(path).error().kind, Failure::invalid);
  EXPECT_EQ(KeyRing::load_or_create(path, k_ring_time, random).error().kind, Failure::invalid);
  EXPECT_EQ(fs::file_size(path), 0U) << "a damaged ring is never replaced";
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(KeyRing::load(path).error().kind, Failure::invalid) << "and it must not hang";
  const auto nowhere = KeyRing::load_or_create(folder / "no" / "keys.json", k_ring_time, random);
  EXPECT_EQ(nowhere.error().kind, Failure::internal);
}

TEST_F(KeyRingTest, CreatesOnceAndThenLoads) {
  const auto created = KeyRing::load_or_create(path, k_ring_time, random);
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(mode(), 0600U);
  const auto loaded = KeyRing::load_or_create(path, k_ring_time + Seconds(9), random);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(same_ring(*created, *loaded));
  EXPECT_EQ(files(), 1U);
}

TEST_F(KeyRingTest, RacingCreatorsAgreeOnOneRing) {
  for (int round = 0; round < 20; ++round) {
    fs::remove(path);
    constexpr int k_racers = 8;
    std::barrier start(k_racers);
    std::vector<std::string> rings(k_racers);
    {
      std::vector<std::jthread> racers;
      for (std::string& ring : rings) {
        racers.emplace_back([&] {
          start.arrive_and_wait();
          const auto mine = KeyRing::load_or_create(path, k_ring_time, random);
          if (mine) ring = mine->to_json().reveal();
        });
      }
    }
    ASSERT_FALSE(rings[0].empty());
    EXPECT_EQ(std::set<std::string>(rings.begin(), rings.end()).size(), 1U);
    EXPECT_EQ(files(), 1U);
  }
}

}  // namespace
}  // namespace otpd::crypto
