#include "phases.h"

#include <sodium.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "people.h"
#include "progress.h"
#include "stop.h"

namespace otpd::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_ask_sim_every{5};
constexpr std::chrono::seconds k_longest_delivery{20};
constexpr std::size_t k_inbox_readers = 8;
constexpr std::size_t k_max_open_connections = 2'000;

std::string from_address(std::size_t person) {
  return "X-Forwarded-For: " + address_of(person) + "\r\n";
}

Verdict judge_send(const Answer& answer) {
  if (answer.status == 202) return Verdict::good;
  const bool refused = answer.status == 503 && answer.body.contains(R"("error":"overloaded")");
  return refused ? Verdict::refused : Verdict::unexpected;
}

// An app with the secret of RFC 6238's test vectors for SHA-256, in base 32.
constexpr std::string_view k_secret = "12345678901234567890123456789012";
constexpr std::string_view k_app =
    R"({"type":"totp","algorithm":"SHA256",)"
    R"("secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"})";

std::string factors_of(std::size_t user) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/users/00000000-0000-4000-8000-%012zx/factors", user);
  return path.data();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string app_code(std::int64_t epoch) {
  std::array<unsigned char, 8> step{};
  for (std::size_t i = 0; i < step.size(); ++i) {
    step[i] = static_cast<unsigned char>((epoch / 30) >> (56 - 8 * i));
  }
  crypto_auth_hmacsha256_state state;
  const std::string secret(k_secret);
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()),
                              secret.size());
  crypto_auth_hmacsha256_update(&state, step.data(), step.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_final(&state, mac.data());
  const std::size_t at = mac.back() & 0xfU;  // RFC 4226 section 5.3
  const std::uint32_t value = (mac[at] & 0x7fU) << 24U |
                              static_cast<std::uint32_t>(mac[at + 1] << 16U) |
                              static_cast<std::uint32_t>(mac[at + 2] << 8U) | mac[at + 3];
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%06u", value % 1'000'000);
  return text.data();
}

std::string code_in(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - i >= 4 && end - i <= 10) return std::string(text.substr(i, end - i));
    i = end;
  }
  return {};
}

std::string member_in(std::string_view body, std::string_view name) {
  const std::string before = "\"" + std::string(name) + "\":\"";
  const auto at = body.find(before);
  if (at == std::string_view::npos) return {};
  body.remove_prefix(at + before.size());
  const auto end = body.find('"');
  return std::string(end == std::string_view::npos ? std::string_view() : body.substr(0, end));
}

Work Phases::send_work(std::size_t count) {
  first_ = next_;
  next_ += count;
  const auto request = [first = first_](std::size_t i) {
    return make_request("POST", "/otp/send", from_address(first + i),
                        R"({"phone":")" + phone_of(first + i) + R"("})");
  };
  return {"send", services_.otpd_port(), count, request,
          [](std::size_t, const Answer& answer) { return judge_send(answer); }};
}

Result<Phase> Phases::send(std::size_t count) {
  Work work = send_work(count);
  work.judge = [](std::size_t, const Answer& answer) {
    return answer.status == 202 ? Verdict::good : Verdict::unexpected;
  };
  return measure([&] { return generator_.closed_loop(work, connections_); }, true);
}

Result<Phase> Phases::offer(std::size_t count, double per_second) {
  Work work = send_work(count);
  work.name = "overload";
  return measure([&] { return generator_.open_loop(work, per_second, k_max_open_connections); },
                 true);
}

Result<std::vector<std::string>> Phases::read_codes() {
  std::vector<std::string> codes(next_ - first_);
  const Work work{"read codes", services_.sim_port(), codes.size(),
                  [&](std::size_t i) {
                    return make_request("GET",
                                        "/inbox.json?to=%2B" + phone_of(first_ + i).substr(1));
                  },
                  [&](std::size_t i, const Answer& answer) {
                    const auto inbox = nlohmann::json::parse(answer.body, nullptr, false);
                    if (answer.status != 200 || !inbox.is_array() || inbox.size() != 1) {
                      return Verdict::unexpected;
                    }
                    codes[i] = code_in(inbox[0].value("text", ""));
                    return codes[i].empty() ? Verdict::unexpected : Verdict::good;
                  }};
  const auto read = generator_.closed_loop(work, k_inbox_readers);
  if (!read) return std::unexpected(read.error());
  return codes;
}

Result<Phase> Phases::verify(const std::vector<std::string>& codes) {
  tokens_.assign(codes.size(), {});
  const Work work{"verify", services_.otpd_port(), codes.size(),
                  [&](std::size_t i) {
                    return make_request("POST", "/otp/verify", from_address(first_ + i),
                                        R"({"phone":")" + phone_of(first_ + i) + R"(","code":")" +
                                            codes[i] + R"("})");
                  },
                  [&](std::size_t i, const Answer& answer) {
                    if (answer.status == 200) tokens_[i] = member_in(answer.body, "session_token");
                    return tokens_[i].empty() ? Verdict::unexpected : Verdict::good;
                  }};
  return measure([&] { return generator_.closed_loop(work, connections_); }, false);
}

Result<Phase> Phases::introspect(std::size_t count) {
  const Work work{"introspect", services_.otpd_port(), count,
                  [&](std::size_t i) {
                    return make_request("POST", "/session/introspect", {},
                                        R"({"token":")" + tokens_[i % tokens_.size()] + R"("})");
                  },
                  [](std::size_t, const Answer& answer) {
                    const bool active =
                        answer.status == 200 && answer.body.contains(R"("active":true)");
                    return active ? Verdict::good : Verdict::unexpected;
                  }};
  return measure([&] { return generator_.closed_loop(work, connections_); }, false);
}

Result<void> Phases::enrol(std::size_t count) {
  const std::size_t first = users_;
  users_ += count;
  apps_.assign(count, {});
  const Work work{"enrol", services_.otpd_port(), count,
                  [&](std::size_t i) {
                    return make_request("POST", factors_of(first + i), {}, std::string(k_app));
                  },
                  [&](std::size_t i, const Answer& answer) {
                    const auto id = member_in(answer.body, "factor_id");
                    apps_[i] = factors_of(first + i) + "/" + id;
                    return id.empty() ? Verdict::unexpected : Verdict::good;
                  }};
  const auto done = generator_.closed_loop(work, connections_);
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<Phase> Phases::verify_apps() {
  const Work work{"verify_apps", services_.otpd_port(), apps_.size(),
                  [&](std::size_t i) {
                    return make_request("POST", apps_[i] + "/verify", {},
                                        R"({"code":")" + app_code(std::time(nullptr)) + R"("})");
                  },
                  [](std::size_t, const Answer& answer) {
                    return answer.status == 200 ? Verdict::good : Verdict::unexpected;
                  }};
  return measure([&] { return generator_.closed_loop(work, connections_); }, false);
}

Result<Phase> Phases::ask_health(std::size_t count) {
  const Work work{"health", services_.otpd_port(), count,
                  [](std::size_t) { return make_request("GET", "/healthz"); },
                  [](std::size_t, const Answer& answer) {
                    return answer.status == 200 ? Verdict::good : Verdict::unexpected;
                  }};
  return measure([&] { return generator_.closed_loop(work, connections_); }, false);
}

Result<Phase> Phases::measure(const std::function<Result<Load>()>& run, bool delivers) {
  services_.settle();
  const Nanos cpu_before = services_.otpd().cpu();
  const auto begun = Steady::now();
  auto load = run();
  const auto alive = services_.check();
  if (!alive) return std::unexpected(alive.error());
  if (!load) return std::unexpected(load.error());
  if (delivers) accepted_ += load->good.size();
  if (auto waited = wait_for_delivery(); !waited) return std::unexpected(waited.error());
  Phase phase;
  phase.finished = Steady::now() - begun;
  services_.settle();
  phase.cpu = services_.otpd().cpu() - cpu_before;
  phase.load = std::move(*load);
  return phase;
}

// Until every accepted message has arrived, and not one more, and none twice.
Result<void> Phases::wait_for_delivery() {
  const Progress progress("deliver");
  std::size_t delivered = 0;
  auto last_step = Steady::now();
  for (;;) {
    const auto body = generator_.get(services_.sim_port(), "/stats.json");
    if (!body) return std::unexpected(body.error());
    const auto stats = nlohmann::json::parse(*body, nullptr, false);
    if (!stats.is_object()) return fail(Failure::corrupt, "sms-sim's statistics are no object");
    const auto now_delivered = stats.value("accepted", std::size_t{0});
    if (stats.value("duplicates", std::size_t{0}) > 0 || now_delivered > accepted_) {
      return fail(Failure::corrupt, "a message arrived twice");
    }
    if (now_delivered == accepted_) return {};
    if (now_delivered != delivered) last_step = Steady::now();
    delivered = now_delivered;
    progress.show(delivered, accepted_);
    if (stop_asked()) return fail(Failure::unavailable, "stopped");
    if (Steady::now() - last_step > k_longest_delivery) {
      return fail(Failure::timeout,
                  std::to_string(accepted_ - delivered) + " accepted messages were not delivered");
    }
    std::this_thread::sleep_for(k_ask_sim_every);
  }
}

}  // namespace otpd::bench
