#include "providers/site_verify.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "base/rfc3339.h"
#include "net/form.h"
#include "providers/json_body.h"

namespace otpd::providers {
namespace {

constexpr std::size_t k_max_verdict_bytes = 16 * 1024;
constexpr std::size_t k_max_code_bytes = 64;
constexpr std::size_t k_max_error_codes = 16;
constexpr Millis k_hop{500};  // to the client's loop and back

// The configuration is wrong, or the vendor is.
constexpr std::string_view k_not_the_clients[] = {"missing-input-secret",  "invalid-input-secret",
                                                  "invalid-sitekey",       "invalid-widget-id",
                                                  "invalid-parsed-secret", "internal-error"};
// Our site key and our secret are no pair, or the client brought what was solved for another pair.
constexpr std::string_view k_other_site[] = {"sitekey-secret-mismatch", "not-using-dummy-passcode",
                                             "not-using-dummy-secret"};
constexpr std::string_view k_too_late[] = {"timeout-or-duplicate", "expired-input-response",
                                           "already-seen-response",
                                           "invalid-or-already-seen-response"};

template <std::size_t Count>
bool any_of(const nlohmann::json& codes, const std::string_view (&known)[Count]) {
  if (!codes.is_array() || codes.size() > k_max_error_codes) return false;
  return std::ranges::any_of(codes, [&](const nlohmann::json& code) {
    return std::ranges::find(known, plain_text(code, k_max_code_bytes)) != std::end(known);
  });
}

// "2026-11-22T10:20:30Z", with or without a fraction of any length.
std::optional<TimePoint> read_time(const nlohmann::json& value) {
  std::string text = plain_text(value, k_max_code_bytes);
  const auto dot = text.find('.');
  if (dot != std::string::npos && text.ends_with('Z') && text.size() - dot > 5) {
    text.replace(dot + 4, std::string::npos, "Z");
  }
  return parse_rfc3339(text);
}

class SiteVerify final : public otp::CaptchaJudge {
 public:
  SiteVerify(SiteVerifyConfig config, boost::asio::io_context& loop, net::Client& client)
      : config_(std::move(config)), loop_(loop), client_(client) {}

  Task<Result<otp::VendorVerdict>> ask(std::string token) override {
    const auto start = [this, &token](Callback<Result<otp::VendorVerdict>> done) {
      boost::asio::co_spawn(loop_.get_executor(), ask_there(std::move(token), std::move(done)),
                            boost::asio::detached);
    };
    auto verdict = co_await await_callback<otp::VendorVerdict>(config_.timeout + k_hop, start);
    if (!verdict) {
      log::warn(
          "a captcha's vendor does not judge",
          {{"vendor", otp::captcha_kind_name(config_.kind)}, {"reason", verdict.error().message}});
    }
    if (verdict && verdict->other_site) {
      log::warn(
          "a captcha's vendor finds that the site key and the secret do not belong together, or "
          "that a captcha is of another site",
          {{"vendor", otp::captcha_kind_name(config_.kind)}});
    }
    co_return verdict;
  }

 private:
  Task<void> ask_there(std::string token, Callback<Result<otp::VendorVerdict>> done) {
    std::vector<std::pair<std::string_view, std::string_view>> fields = {
        {"secret", config_.secret.reveal()}, {"response", token}};
    if (config_.kind == otp::CaptchaKind::hcaptcha) {
      fields.emplace_back("sitekey", config_.site_key);
    }
    const Secret form = net::form_encode(fields);
    net::HttpCall call;
    call.url = config_.url;
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                    {"Accept", "application/json"}};
    call.body = form.reveal();
    call.connect_timeout = std::min(call.connect_timeout, config_.timeout);
    call.timeout = config_.timeout;
    call.max_answer_bytes = k_max_verdict_bytes;
    const auto answer = co_await client_.http(call);
    if (answer) {
      done(read_verdict(answer->status, answer->body));
    } else {
      done(fail(answer.error().kind,
                answer.error().kind == Failure::timeout ? "timeout" : "no connection"));
    }
  }

  const SiteVerifyConfig config_;
  boost::asio::io_context& loop_;
  net::Client& client_;
};

}  // namespace

std::string_view default_verify_url(otp::CaptchaKind kind) {
  switch (kind) {
    case otp::CaptchaKind::turnstile:
      return "https://challenges.cloudflare.com/turnstile/v0/siteverify";
    case otp::CaptchaKind::hcaptcha:
      return "https://api.hcaptcha.com/siteverify";
    case otp::CaptchaKind::recaptcha:
      return "https://www.google.com/recaptcha/api/siteverify";
    case otp::CaptchaKind::altcha:
      break;
  }
  return {};
}

Result<otp::VendorVerdict> read_verdict(int status, std::string_view body) {
  const nlohmann::json answer = read_json(body);
  const auto& success = member(answer, "success");
  if (status < 200 || status >= 500 || !success.is_boolean()) {
    return fail(Failure::unavailable, "unusable answer, http " + std::to_string(status));
  }
  const auto& codes = member(answer, "error-codes");
  otp::VendorVerdict verdict;
  verdict.success = success.get<bool>();
  if (!verdict.success) {
    if (any_of(codes, k_not_the_clients)) {
      return fail(Failure::unavailable,
                  "the vendor refuses our secret, or has an error of its own");
    }
    verdict.other_site = any_of(codes, k_other_site);
    verdict.too_late = any_of(codes, k_too_late);
    return verdict;
  }
  if (status >= 300)
    return fail(Failure::unavailable, "success with http " + std::to_string(status));
  verdict.hostname = plain_text(member(answer, "hostname"));
  verdict.action = plain_text(member(answer, "action"));
  verdict.solved_at = read_time(member(answer, "challenge_ts"));
  const auto& score = member(answer, "score");
  if (score.is_number()) verdict.score = score.get<double>();
  return verdict;
}

std::unique_ptr<otp::CaptchaJudge> make_captcha_judge(SiteVerifyConfig config,
                                                      boost::asio::io_context& loop,
                                                      net::Client& client) {
  if (config.url.empty()) config.url = default_verify_url(config.kind);
  return std::make_unique<SiteVerify>(std::move(config), loop, client);
}

}  // namespace otpd::providers
