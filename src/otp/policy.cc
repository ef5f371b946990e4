#include "otp/policy.h"

namespace otpd::otp {

const TestRecipient* find_test_recipient(const TestRecipients& all, const Recipient& recipient,
                                         TimePoint now) {
  const auto found = all.find(recipient.identity.reveal());
  return found != all.end() && now < found->second.expires_at ? &found->second : nullptr;
}

bool is_own(const Rules& rules, std::string_view application) {
  return application == rules.application || (application.empty() && rules.owns_unnamed);
}

}  // namespace otpd::otp
