#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/secret.h"

namespace otpd::log {
namespace {

// A Secret, or what is in one, cannot become a field by accident.
template <class T>
concept Loggable = requires(T value) { Field("key", value); };
static_assert(Loggable<const char*> && Loggable<std::string> && Loggable<int> && Loggable<double>);
static_assert(!Loggable<Secret> && !Loggable<Secret&> && !Loggable<const Secret&>);

// What `act` writes to standard error, line by line.
template <class Act>
std::vector<std::string> lines_of(Act act) {
  std::FILE* file = std::tmpfile();
  const int before = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  act();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  EXPECT_EQ(std::fseek(file, 0, SEEK_SET), 0);
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
}

}  // namespace
}  // namespace otpd::log
