#include "base/log.h"

#include <fmt/chrono.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace otpd::log {
namespace {

constexpr std::size_t k_queue_lines = 8192;
std::atomic<Level> g_level{Level::off};
std::shared_ptr<spdlog::logger> g_logger;

constexpr std::string_view k_names[] = {"debug", "info", "warn", "error", "off"};

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
  spdlog::shutdown();  // joins the writer first: the last line must not die with it
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
  const TimePoint now = SystemClock{}.now();
  nlohmann::ordered_json line;
  line["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z",
                             fmt::gmtime(std::chrono::time_point_cast<std::chrono::seconds>(now)),
                             now.time_since_epoch().count() % 1000);
  line["level"] = k_names[static_cast<std::size_t>(level)];
  line["message"] = message;
  for (const Field& field : fields) {
    std::visit([&](const auto& v) { line[std::string(field.key)] = v; }, field.value);
  }
  // A peer can put any bytes into what is logged: replace what is not UTF-8.
  g_logger->log(spdlog::level::info,
                line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace otpd::log
