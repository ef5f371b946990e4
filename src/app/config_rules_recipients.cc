#include "app/config_rules_recipients.h"

#include "otp/recipient.h"

namespace otpd::app {
namespace {

std::string recipients_identity(const std::string& address) {
  auto recipient = otp::parse_phone(address, "");
  if (!recipient) recipient = otp::parse_email(address);
  return recipient ? std::string(recipient->identity.reveal()) : address;
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
    bench.warn("test_recipients." + name + ": until the end of " + recipient.expires_on +
               " whoever knows its code can log in as this recipient");
  }
}

}  // namespace otpd::app
