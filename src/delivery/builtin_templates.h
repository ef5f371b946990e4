// The built-in message texts.
#pragma once

#include <string>
#include <vector>

#include "delivery/templates.h"

namespace otpd::delivery {

struct BuiltinTemplate {
  std::string purpose;
  std::string channel;
  std::string locale;
  TemplateText text;
};

// For login, transaction, password_reset and k_any_purpose; sms, voice, whatsapp and email; en, de,
// fr, es, pt and it. The texts for SMS use only characters of the GSM 7-bit alphabet (3GPP TS
// 23.038), so that one message of 160 characters is enough: hence their choice of words.
std::vector<BuiltinTemplate> builtin_templates();

}  // namespace otpd::delivery
