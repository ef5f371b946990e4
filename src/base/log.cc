#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/rfc3339.h"

namespace otpd::log {
namespace {

constexpr std::size_t k_max_waiting_bytes = 2 << 20;
// A busy server's lines are written many at a time: a wake-up and a system call for each would
// cost more than the line.
constexpr Millis k_gather{20};

constexpr std::string_view k_names[] = {"debug", "info", "warn", "error", "off"};

void write_to_stderr(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return;  // nobody listens, and there is nobody to tell
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// The lines that wait, and the thread that writes them.
class LineWriter {
 public:
  ~LineWriter() { stop(); }

  void start() {
    stop();
    stopping_ = false;
    thread_ = std::thread([this] { run(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void add(std::string_view line) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() + line.size() > k_max_waiting_bytes) drop_older_half();
      waiting_ += line;
      if (!std::exchange(idle_, false)) return;
    }
    wake_.notify_one();
  }

 private:
  void drop_older_half() {
    const auto end = waiting_.find('\n', waiting_.size() / 2);
    waiting_.erase(0, end == waiting_.npos ? end : end + 1);
  }

  void run() {
    std::string lines;
    std::unique_lock lock(mutex_);
    while (true) {
      idle_ = waiting_.empty();
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      wake_.wait_for(lock, k_gather, [this] { return stopping_; });
      lines.swap(waiting_);
      lock.unlock();
      write_to_stderr(lines);
      lines.clear();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  bool idle_ = false;  // the thread waits for a first line
  bool stopping_ = false;
  std::thread thread_;
};

std::atomic<Level> g_level{Level::off};
LineWriter g_writer;

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

void append_value(std::string& line, std::string_view text) {
  if (is_plain(text)) {
    line.append(1, '"').append(text).append(1, '"');
    return;
  }
  // A peer can put any bytes into what is logged: replace what is not UTF-8.
  line += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_value(std::string& line, std::int64_t number) {
  fmt::format_to(std::back_inserter(line), "{}", number);
}

void append_value(std::string& line, double number) {
  fmt::format_to(std::back_inserter(line), "{}", std::isfinite(number) ? number : 0.0);
}

}  // namespace

void start(Level level) {
  g_writer.start();
  g_level = level;
}

void stop() {
  g_level = Level::off;
  g_writer.stop();
}

bool parse_level(std::string_view name, Level& level) {
  for (std::size_t i = 0; i < std::size(k_names); ++i) {
    if (name == k_names[i]) {
      level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (level < g_level.load(std::memory_order_relaxed) || level == Level::off) return;
  std::string line;
  line.reserve(256);
  line.append(R"({"time":")").append(rfc3339(SystemClock{}.now())).append(R"(","level":")");
  line.append(k_names[static_cast<std::size_t>(level)]).append(R"(","message":)");
  append_value(line, message);
  for (const Field& field : fields) {
    line += ',';
    append_value(line, field.key);
    line += ':';
    std::visit([&](const auto& value) { append_value(line, value); }, field.value);
  }
  line += "}\n";
  g_writer.add(line);
}

}  // namespace otpd::log
