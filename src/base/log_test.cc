#include "base/log.h"

#include <gtest/gtest.h>
<<<<<<< HEAD
#include <unistd.h>

#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

namespace otpd::log {
namespace {

// What `act` writes to standard error, line by line.
template <class Act>
std::vector<std::string> lines_of(Act act) {
  std::FILE* file = std::tmpfile();
  const int before = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  act();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::rewind(file);
  std::vector<std::string> lines(1);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += static_cast<char>(c);
    }
  }
  std::fclose(file);
  EXPECT_EQ(lines.back(), "");  // the last line has its end
  lines.pop_back();
  return lines;
}

TEST(Log, IsOneJsonObjectALine) {
  const auto lines = lines_of([] {
    start(Level::info);
    info("plain", {{"number", -42}, {"real", 0.25}, {"text", "a b"}});
    warn("quote \" back\\slash", {{"control", "a\nb\x01"}, {"bytes", "\xff\xc3\xa9"}});
    error("none", {{"not a number", std::numeric_limits<double>::quiet_NaN()}});
    stop();
  });
  ASSERT_EQ(lines.size(), 3U);
  const auto first = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(first.size(), 6U);
  EXPECT_EQ(first["level"], "info");
  EXPECT_EQ(first["message"], "plain");
  EXPECT_EQ(first["number"], -42);
  EXPECT_EQ(first["real"], 0.25);
  EXPECT_EQ(first["text"], "a b");
  EXPECT_EQ(first["time"].get<std::string>().size(), 24U);
  const auto second = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(second["message"], "quote \" back\\slash");
  EXPECT_EQ(second["control"], "a\nb\x01");
  EXPECT_EQ(second["bytes"], "\xef\xbf\xbd\xc3\xa9");  // U+FFFD for what is no UTF-8
  EXPECT_TRUE(nlohmann::json::parse(lines[2])["not a number"].is_number());
}

TEST(Log, DropsWhatIsBelowItsLevelOrAfterItsEnd) {
  const auto lines = lines_of([] {
    start(Level::warn);
    info("too low");
    warn("said");
    stop();
    error("too late");
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["message"], "said");
}

TEST(Log, WritesEveryLineOfManyThreadsWhole) {
  constexpr int k_threads = 4, k_lines = 500;
  const auto lines = lines_of([] {
    start(Level::info);
    std::vector<std::jthread> threads;
    for (int t = 0; t < k_threads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < k_lines; ++i) info("line", {{"thread", t}, {"index", i}});
      });
    }
    threads.clear();
    stop();
  });
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(k_threads * k_lines));
  std::vector<int> next(k_threads);
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["index"], next[json["thread"].get<std::size_t>()]++);
  }
}

TEST(Log, DropsTheOldestLinesWhenNobodyCanKeepUp) {
  const std::string long_text(60'000, 'x');
  constexpr int k_lines = 200;  // 12 MB within the time in which lines are gathered, or slower
  const auto lines = lines_of([&] {
    start(Level::info);
    for (int i = 0; i < k_lines; ++i) info(long_text, {{"index", i}});
    stop();
  });
  int last = -1;
  for (const std::string& line : lines) {
    const int index = nlohmann::json::parse(line)["index"];
    EXPECT_GT(index, last);
    last = index;
  }
  EXPECT_EQ(last, k_lines - 1);
=======

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
>>>>>>> h-usecase
}

}  // namespace
}  // namespace otpd::log
