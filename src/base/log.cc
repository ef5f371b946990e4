#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"

namespace otpd::log {
namespace {

constexpr std::size_t k_queue_lines = 8192;

constexpr std::string_view k_names[] = {"debug", "info", "warn", "error", "off"};

std::atomic<Level> g_level{Level::off};
std::shared_ptr<spdlog::logger> g_logger;

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
  spdlog::init_thread_pool(k_queue_lines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_pattern("%v");
  g_logger = std::make_shared<spdlog::async_logger>("otpd", sink, spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  g_level = level;
}

void stop() {
  g_level = Level::off;
  spdlog::shutdown();  // joins the writer before its logger goes
  g_logger.reset();
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
  line += '}';
  g_logger->log(spdlog::level::info, line);
}

}  // namespace otpd::log
