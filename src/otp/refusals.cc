#include "otp/refusals.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "otp/limit.h"

namespace otpd::otp {
namespace {

constexpr Millis k_forget_every{1'000};

std::string sum_name(const audit::Event& line, std::string_view address) {
  return fmt::format("{}\n{}\n{}\n{}", line.application, line.event_type, line.detail, address);
}

}  // namespace

bool is_refusal_line(const audit::Event& line) {
  namespace type = audit::event_type;
  return line.event_type == type::k_limited || line.event_type == type::k_not_allowed ||
         line.event_type == type::k_captcha_required;
}

std::string refusal_detail(std::string_view reason, std::uint64_t left_out) {
  return left_out == 0 ? std::string(reason) : fmt::format("{}; {} more", reason, left_out);
}

// A clock that stepped back begins a window anew.
bool RefusalSums::is_over(const Sum& sum, TimePoint now) const {
  return now < sum.begun || now - sum.begun >= rules_.window;
}

// Looks through all of them at most once a second.
void RefusalSums::forget(TimePoint now) {
  if (forgot_at_ && now >= *forgot_at_ && now - *forgot_at_ < k_forget_every) return;
  forgot_at_ = now;
  std::erase_if(sums_, [&](const auto& one) { return is_over(one.second, now); });
}

RefusalSums::Sum& RefusalSums::sum_of(const audit::Event& line) {
  std::string name = sum_name(line, ip_bucket(line.ip_address));
  if (sums_.size() >= rules_.addresses && !sums_.contains(name)) {
    forget(line.created_at);
    if (sums_.size() >= rules_.addresses) name = sum_name(line, "others");
  }
  return sums_.try_emplace(std::move(name), line.created_at).first->second;
}

std::optional<std::uint64_t> RefusalSums::admit(const audit::Event& line) {
  Sum& sum = sum_of(line);
  if (is_over(sum, line.created_at)) {
    sum.begun = line.created_at;
    sum.told.clear();
  }
  const std::size_t who = std::hash<std::string>()(line.channel_hash + "\n" + line.user_id);
  if (sum.told.size() >= rules_.recipients || std::ranges::find(sum.told, who) != sum.told.end()) {
    ++sum.left_out;
    return std::nullopt;
  }
  sum.told.push_back(who);
  return std::exchange(sum.left_out, 0);
}

void RefusalStore::leave_out(std::vector<audit::Event>& lines) {
  std::erase_if(lines, [&](audit::Event& line) {
    if (!is_refusal_line(line)) return false;
    const auto left_out = sums_.with([&](RefusalSums& sums) { return sums.admit(line); });
    if (left_out) line.detail = refusal_detail(line.detail, *left_out);
    return !left_out;
  });
}

Task<Result<void>> RefusalStore::append(Effects effects) {
  leave_out(effects.events);
  if (effects.events.empty() && effects.finish.empty() && effects.enqueue.empty()) {
    co_return Result<void>();
  }
  co_return co_await behind_.append(std::move(effects));
}

}  // namespace otpd::otp
