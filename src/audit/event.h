// Event: one line of the audit log.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace otpd::audit {

// The stable names of `event_type`.
namespace event_type {
inline constexpr std::string_view k_send = "send";
inline constexpr std::string_view k_sent = "sent";
inline constexpr std::string_view k_delivery_retry = "delivery_retry";  // a lane did not take it
inline constexpr std::string_view k_delivered = "delivered";
inline constexpr std::string_view k_delivery_failed = "delivery_failed";
inline constexpr std::string_view k_verify_success = "verify_success";
inline constexpr std::string_view k_verify_repeat = "verify_repeat";  // answered once more
inline constexpr std::string_view k_verify_fail = "verify_fail";
inline constexpr std::string_view k_exhausted = "exhausted";
inline constexpr std::string_view k_expired = "expired";
inline constexpr std::string_view k_canceled = "canceled";
inline constexpr std::string_view k_limited = "limited";
inline constexpr std::string_view k_limited_shadow = "limited_shadow";    // would be
inline constexpr std::string_view k_pumping_blocked = "pumping_blocked";  // a block of numbers
inline constexpr std::string_view k_captcha_required = "captcha_required";
inline constexpr std::string_view k_not_allowed = "not_allowed";  // not among the destinations
inline constexpr std::string_view k_not_allowed_shadow = "not_allowed_shadow";  // would not be
inline constexpr std::string_view k_session_opened = "session_opened";
inline constexpr std::string_view k_session_revoked = "session_revoked";
inline constexpr std::string_view k_session_rotated = "session_rotated";
inline constexpr std::string_view k_session_reuse = "session_reuse";  // of a token that was changed
inline constexpr std::string_view k_factor_enrolled = "factor_enrolled";
inline constexpr std::string_view k_factor_confirmed = "factor_confirmed";
inline constexpr std::string_view k_factor_verify_success = "factor_verify_success";
inline constexpr std::string_view k_factor_verify_fail = "factor_verify_fail";
inline constexpr std::string_view k_factor_locked = "factor_locked";
inline constexpr std::string_view k_factor_unlocked = "factor_unlocked";
inline constexpr std::string_view k_factor_removed = "factor_removed";
inline constexpr std::string_view k_factor_recovery_made = "factor_recovery_made";
inline constexpr std::string_view k_factor_recovery_used = "factor_recovery_used";
inline constexpr std::string_view k_factor_recovery_fail = "factor_recovery_fail";
inline constexpr std::string_view k_admin_provider_disabled = "admin_provider_disabled";
inline constexpr std::string_view k_admin_provider_enabled = "admin_provider_enabled";
inline constexpr std::string_view k_admin_webhook_disabled = "admin_webhook_disabled";
inline constexpr std::string_view k_admin_webhook_enabled = "admin_webhook_enabled";
inline constexpr std::string_view k_admin_requeued = "admin_requeued";
inline constexpr std::string_view k_admin_block_reset = "admin_block_reset";
inline constexpr std::string_view k_admin_key_created = "admin_key_created";
inline constexpr std::string_view k_admin_key_rotated = "admin_key_rotated";
inline constexpr std::string_view k_admin_key_revoked = "admin_key_revoked";
}  // namespace event_type

// Never holds a code, a token or an address. Written in the same atomic step as the state change
// that it reports.
struct Event {
  std::string id;            // UUID version 7; writing the same id twice writes one line
  std::string user_id;       // UUID, or empty
  std::string channel_hash;  // hex of the recipient's keyed hash, or empty
  std::string event_type;    // one of event_type::
  std::string ip_address;    // the client's, or empty
  std::string country;       // ISO 3166-1 alpha-2 of a phone, or empty
  TimePoint created_at;
  std::string verification_id;  // as the API shows it, or empty
  std::string purpose;
  std::string provider;
  // A short reason from a fixed set, e.g. "ip", "21211"; or the id of a factor or of an API key.
  // A refusal's may end in "; 120 more" (otp/refusals.h).
  std::string detail;
  std::string application;  // whose it is; empty: the base one, or nobody in particular
  bool operator==(const Event&) const = default;
};

}  // namespace otpd::audit
