#include "app/config_rules_recipients.h"

#include "base/rfc3339.h"
#include "otp/recipient.h"

namespace otpd::app {
namespace {

std::string recipients_identity(const std::string& address) {
  auto recipient = otp::parse_phone(address, "");
  if (!recipient) recipient = otp::parse_email(address);
  return recipient ? std::string(recipient->identity.reveal()) : address;
}

std::string recipients_digits(std::size_t count) {
  return std::to_string(count) + " digits";
}

// A code that is longer or shorter than others shows whose it is. One cannot fit purposes that
// differ, but has to fit one of them.
void rule_code_length(const RuleBench& bench, const std::string& name,
                      const TestRecipientConfig& recipient) {
  const std::size_t length = recipient.code.reveal().size();
  std::string others;
  bool fits = false;
  for (const auto& [purpose, rules] : bench.config().purposes) {
    fits |= rules.digits == length;
    if (rules.digits == length) continue;
    others += (others.empty() ? "purposes." : ", purposes.") + purpose + " (" +
              recipients_digits(rules.digits) + ")";
  }
  if (others.empty()) return;
  const std::string text = "has " + recipients_digits(length) + ", and codes of " + others +
                           " do not: whoever asks for one sees that this is a test recipient";
  if (fits) {
    bench.warn("test_recipients." + name + ": its code " + text);
  } else {
    bench.refuse("test_recipients." + name + ".code", {}, text);
  }
}

void warn_of_recipient(const RuleBench& bench, const std::string& name,
                       const TestRecipientConfig& recipient) {
  const auto last_day = parse_rfc3339(recipient.expires_on + "T00:00:00Z");
  if (!last_day) return;
  if (*last_day + std::chrono::days(1) <= bench.checks.now) {
    bench.warn("test_recipients." + name + ": its last day, " + recipient.expires_on +
               ", has passed: it is a recipient like any other, and the entry can go");
    return;
  }
  bench.warn("test_recipients." + name + ": until the end of " + recipient.expires_on +
             " whoever knows its code can log in as this recipient");
  rule_code_length(bench, name, recipient);
}

}  // namespace

void judge_test_recipients(const RuleBench& bench) {
  std::set<std::string> identities;
  for (const auto& [name, recipient] : bench.config().test_recipients) {
    const std::string path = "test_recipients." + name + ".";
    if (recipient.address.empty()) bench.refuse(path + "address", {}, "must be said");
    if (recipient.code.empty()) bench.refuse(path + "code", {}, "must be said");
    if (recipient.expires_on.empty()) bench.refuse(path + "expires_on", {}, "must be said");
    if (!recipient.address.empty() &&
        !identities.insert(recipients_identity(recipient.address)).second) {
      bench.refuse(path + "address", {}, "is that of another test recipient");
    }
    if (recipient.code.empty() || recipient.expires_on.empty()) continue;
    warn_of_recipient(bench, name, recipient);
  }
}

}  // namespace otpd::app
