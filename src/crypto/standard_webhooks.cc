#include "crypto/standard_webhooks.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::crypto {
namespace {

constexpr std::string_view k_webhook_prefix = "whsec_";
constexpr std::string_view k_webhook_version = "v1,";
constexpr std::size_t k_min_webhook_key_bytes = 24;
constexpr std::size_t k_max_webhook_key_bytes = 64;
constexpr std::size_t k_max_webhook_signatures = 16;
constexpr std::size_t k_max_timestamp_digits = 12;

std::string webhook_signature(std::string_view key, std::string_view id, std::string_view timestamp,
                              std::string_view body) {
  std::string content;
  content.reserve(id.size() + timestamp.size() + body.size() + 2);
  content.append(id).append(".").append(timestamp).append(".").append(body);
  std::string out = base64_encode(hmac_sha256(key, content));
  wipe(content);  // the body may hold a code
  return out;
}

std::optional<TimePoint> parse_webhook_timestamp(std::string_view text) {
  std::int64_t seconds = 0;
  const bool digits = !text.empty() && text.size() <= k_max_timestamp_digits &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return TimePoint(Seconds(seconds));
}

// The part of `rest` up to the next space, which is taken off.
std::string_view take_webhook_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

}  // namespace

std::string webhook_timestamp(TimePoint at) {
  return std::to_string(std::chrono::floor<Seconds>(at).time_since_epoch().count());
}

Result<WebhookKeys> WebhookKeys::make(std::string_view secrets) {
  WebhookKeys made;
  const auto bad = [] {
    return fail(Failure::invalid, "must be whsec_ and the base64 of 24 to 64 bytes");
  };
  if (secrets.empty() || secrets.ends_with(' ')) return bad();
  while (!secrets.empty()) {
    const std::string_view secret = take_webhook_word(secrets);
    if (!secret.starts_with(k_webhook_prefix)) return bad();
    auto key = base64_decode(secret.substr(k_webhook_prefix.size()));
    if (!key || key->size() < k_min_webhook_key_bytes || key->size() > k_max_webhook_key_bytes) {
      return bad();
    }
    made.keys_.emplace_back(std::move(*key));
  }
  if (made.keys_.size() > k_max_secrets) return fail(Failure::invalid, "must be at most 5 secrets");
  return made;
}

std::string WebhookKeys::sign(std::string_view id, TimePoint at, std::string_view body) const {
  std::string out;
  const std::string timestamp = webhook_timestamp(at);
  for (const Secret& key : keys_) {
    if (!out.empty()) out += ' ';
    out.append(k_webhook_version).append(webhook_signature(key.reveal(), id, timestamp, body));
  }
  return out;
}

bool WebhookKeys::verify(const WebhookHeaders& headers, std::string_view body,
                         TimePoint now) const {
  const auto at = parse_webhook_timestamp(headers.timestamp);
  if (!at || headers.id.empty() || *at > now + k_tolerance || *at < now - k_tolerance) return false;
  bool good = false;
  for (const Secret& key : keys_) {
    const std::string expected =
        webhook_signature(key.reveal(), headers.id, headers.timestamp, body);
    std::string_view rest = headers.signature;
    for (std::size_t i = 0; i < k_max_webhook_signatures && !rest.empty(); ++i) {
      const std::string_view one = take_webhook_word(rest);
      if (!one.starts_with(k_webhook_version)) continue;
      good |= equal_constant_time(one.substr(k_webhook_version.size()), expected);
    }
  }
  return good;
}

}  // namespace otpd::crypto
