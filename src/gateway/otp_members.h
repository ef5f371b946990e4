// Members that several routes take. Each function refuses on `members` what cannot be used, and
// then returns something empty.
#pragma once

#include <optional>
#include <string>

#include "gateway/json_reader.h"
#include "gateway/service.h"
#include "otp/context.h"

namespace otpd::gateway {

// The recipient named by "phone" or "email", one of the two.
std::optional<otp::Recipient> read_recipient(Members& members, const Application& app);

// The policy's name under "purpose", or "login".
std::string read_purpose(Members& members, const Application& app);

// What a transaction confirms; required where the purpose needs it, refused where it does not.
otp::Context read_context(Members& members, const Application& app, const std::string& purpose);

// Whose address limits and the audit log count: where the request came from, or the end user's as a
// caller with an API key tells it. From anybody else that would be a way around the limits.
std::string read_client_ip(Members& members, const Call& call);

// How the caller names the device that the session is for; may be empty.
std::string read_device(Members& members);

}  // namespace otpd::gateway
