// The JSON form of the audit log: what the admin routes answer and an export file holds.
//
// Written so that the hash of a line can be checked from it: what is read back is the very event
// that was written, or it is refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "audit/chain.h"
#include "audit/event.h"
#include "base/result.h"

namespace otpd::audit {

// `bytes` as UTF-8: each byte that is none becomes U+FFFD.
std::string as_utf8(std::string_view bytes);

// Empty members are left out; text is UTF-8.
nlohmann::ordered_json to_json(const Event& event);
// {chain, number, hash, event}, and "bytes" (the canonical event in base64) where the event holds
// text that is no UTF-8.
nlohmann::ordered_json to_json(std::uint32_t chain, const Line& line);
// {chain, number, hash, at, signature}.
nlohmann::ordered_json to_json(const Checkpoint& checkpoint);

// The inverse; Failure::invalid for whatever to_json would not have written. Whether a hash or a
// signature is right is not looked at.
Result<Event> event_from_json(const nlohmann::json& json);
Result<Line> line_from_json(const nlohmann::json& json);
Result<Checkpoint> checkpoint_from_json(const nlohmann::json& json);

}  // namespace otpd::audit
