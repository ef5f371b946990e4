#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/secret.h"

namespace otpd::log {
namespace {

using nlohmann::json;

// A Secret, a code or an address in one, cannot become a field.
template <class T>
concept Loggable = requires(T value) { Field("key", value); };
static_assert(Loggable<const char*> && Loggable<std::string> && Loggable<int> && Loggable<double>);
static_assert(!Loggable<Secret> && !Loggable<Secret&> && !Loggable<const Secret&>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

// The lines that `writing` leaves on standard error.
template <class Writing>
std::vector<std::string> lines_of(Level level, Writing writing) {
  ::testing::internal::CaptureStderr();
  start(level);
  writing();
  stop();
  std::istringstream text(::testing::internal::GetCapturedStderr());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Log, ALineIsAnObjectWithTimeLevelMessageAndFields) {
  const auto lines = lines_of(Level::debug, [] {
    warn("look", {{"text", "b"}, {"count", 3}, {"seconds", 0.5}, {"negative", -1}});
  });
  ASSERT_EQ(lines.size(), 1U);
  const json line = json::parse(lines[0]);
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["message"], "look");
  EXPECT_EQ(line["text"], "b");
  EXPECT_EQ(line["count"], 3);
  EXPECT_EQ(line["negative"], -1);
  EXPECT_EQ(line["seconds"], 0.5);
  const std::string time = line["time"];
  EXPECT_EQ(time.size(), 24U);
  EXPECT_EQ(time.back(), 'Z');
  EXPECT_TRUE(lines[0].starts_with("{\"time\":"));
}

TEST(Log, NothingThatIsLoggedCanBeginALineOfItsOwn) {
  const std::string evil("a\r\n{\"level\":\"error\"}\x1b[2J\0b\x7f", 27);
  const auto lines = lines_of(Level::info, [&] {
    info(evil, {{"field", evil}, {evil, "value"}});
    info("%v %s {} {0}");
  });
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  }
  const json line = json::parse(lines[0]);
  EXPECT_EQ(line["message"], evil);
  EXPECT_EQ(line["field"], evil);
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(json::parse(lines[1])["message"], "%v %s {} {0}");
}

TEST(Log, BytesThatAreNotUtf8AreReplaced) {
  const auto lines =
      lines_of(Level::info, [] { info("\xff\xfe", {{"field", "a\xc3"}, {"key\x80", "v"}}); });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(json::parse(lines[0])["field"], "a\xef\xbf\xbd");
}

TEST(Log, LinesBelowTheLevelAreDropped) {
  const auto write_all = [] {
    debug("d");
    info("i");
    warn("w");
    error("e");
  };
  EXPECT_EQ(lines_of(Level::debug, write_all).size(), 4U);
  EXPECT_EQ(lines_of(Level::warn, write_all).size(), 2U);
  EXPECT_EQ(lines_of(Level::off, write_all).size(), 0U);
}

TEST(Log, WithoutAWriterNothingHappens) {
  error("nobody hears it");
}

TEST(Log, LevelsHaveNames) {
  Level level = Level::off;
  for (const auto& [name, value] : {std::pair{"debug", Level::debug},
                                    {"info", Level::info},
                                    {"warn", Level::warn},
                                    {"error", Level::error},
                                    {"off", Level::off}}) {
    EXPECT_TRUE(parse_level(name, level));
    EXPECT_EQ(level, value);
  }
  EXPECT_FALSE(parse_level("INFO", level));
  EXPECT_FALSE(parse_level("", level));
}

}  // namespace
}  // namespace otpd::log
