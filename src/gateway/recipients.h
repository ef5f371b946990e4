// Recipients as requests name them.
#pragma once

#include <optional>

#include "gateway/json_reader.h"
#include "gateway/service.h"

namespace otpd::gateway {

// The recipient under "phone" or "email". Nothing if neither is there; nothing, and a refusal, if
// both are or it is none.
std::optional<otp::Recipient> find_recipient(Members& members, const Application& app);

}  // namespace otpd::gateway
