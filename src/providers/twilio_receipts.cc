#include "providers/twilio_receipts.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "crypto/primitives.h"
#include "providers/callback_body.h"

namespace otpd::providers {
namespace {

using delivery::Receipt;
using State = delivery::Receipt::State;

constexpr std::size_t k_max_twilio_sid_bytes = 64;
constexpr std::size_t k_max_twilio_word_bytes = 32;

// Final words of messages and of calls; every other one is on its way. A call that was answered
// has been delivered, whoever answered it.
constexpr std::array<std::string_view, 3> k_twilio_delivered = {"delivered", "read", "completed"};
constexpr std::array<std::string_view, 5> k_twilio_failed = {"undelivered", "failed", "canceled",
                                                             "busy", "no-answer"};

// The URL as given, then with the default port added or taken away.
std::vector<std::string> twilio_urls(std::string_view url) {
  std::vector<std::string> urls{std::string(url)};
  const bool secure = url.starts_with("https://");
  const std::size_t begin = secure ? 8 : 7;
  if (url.size() < begin) return urls;
  const std::string port = secure ? ":443" : ":80";
  const std::size_t end = std::min(url.find_first_of("/?", begin), url.size());
  const std::string_view authority = url.substr(0, end);
  const std::string rest(url.substr(end));
  if (authority.ends_with(port)) {
    urls.push_back(std::string(authority.substr(0, authority.size() - port.size())) + rest);
  } else if (authority.find(':', begin) == authority.npos || authority.ends_with(']')) {
    urls.push_back(std::string(authority) + port + rest);
  }
  return urls;
}

State twilio_state(std::string_view word) {
  if (std::ranges::find(k_twilio_delivered, word) != k_twilio_delivered.end()) {
    return State::delivered;
  }
  const bool failed = std::ranges::find(k_twilio_failed, word) != k_twilio_failed.end();
  return failed ? State::failed : State::on_its_way;
}

class TwilioReceipts final : public delivery::ReceiptReader {
 public:
  explicit TwilioReceipts(Secret auth_token) : token_(std::move(auth_token)) {}

  Result<std::vector<Receipt>> read(const delivery::CallbackRequest& callback,
                                    TimePoint /*now*/) const override {
    if (callback.method != "POST" ||
        !has_media_type(callback, "application/x-www-form-urlencoded")) {
      return unbelievable("not a form");
    }
    const auto fields = body_fields(callback);
    if (!fields) return unbelievable("the form cannot be read");
    if (!is_signed(callback, *fields)) return unbelievable("the signature is wrong");
    return receipt_in(*fields);
  }

 private:
  bool is_signed(const delivery::CallbackRequest& callback, const net::FormFields& fields) const {
    const std::string_view given = only_header(callback, "X-Twilio-Signature");
    bool good = false;
    for (const std::string& url : twilio_urls(callback.url)) {
      good |= crypto::equal_constant_time(given, twilio_signature(token_.reveal(), url, fields));
    }
    return good;
  }

  static Result<std::vector<Receipt>> receipt_in(const net::FormFields& fields) {
    const bool call = !only_field(fields, "CallSid").empty();
    const std::string_view sid = only_field(fields, call ? "CallSid" : "MessageSid");
    const std::string_view word = only_field(fields, call ? "CallStatus" : "MessageStatus");
    const std::string_view code = only_field(fields, "ErrorCode");
    if (!is_token(sid, k_max_twilio_sid_bytes) || !is_token(word, k_max_twilio_word_bytes, "-_")) {
      return unbelievable("no sid or no status");
    }
    Receipt receipt{.state = twilio_state(word), .message_id = std::string(sid), .reason = {}};
    if (receipt.state == State::failed) {
      receipt.reason = is_token(code, k_max_twilio_word_bytes) ? code : word;
    }
    return std::vector{std::move(receipt)};
  }

  const Secret token_;
};

}  // namespace

std::string twilio_signature(std::string_view token, std::string_view url,
                             const net::FormFields& fields) {
  std::map<std::string_view, std::set<std::string_view>> sorted;
  for (const auto& [name, value] : fields) sorted[name].insert(value);
  std::string content(url);
  for (const auto& [name, values] : sorted) {
    for (const std::string_view value : values) content.append(name).append(value);
  }
  return base64_encode(crypto::hmac(crypto::Digest::sha1, token, content));
}

std::unique_ptr<delivery::ReceiptReader> make_twilio_receipts(Secret auth_token) {
  return std::make_unique<TwilioReceipts>(std::move(auth_token));
}

}  // namespace otpd::providers
