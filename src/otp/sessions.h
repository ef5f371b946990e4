// Sessions: opaque tokens, revocable at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otp/events.h"
#include "otp/issuer.h"
#include "otp/sessions_state.h"

namespace otpd::otp {

struct OpenedSession {
  Secret token;
  Seconds expires_in{0};
};

// Runs on the caller's loop; safe on several loops. Everything fails as the store does.
class Sessions {
 public:
  Sessions(Services services, const Rules& rules);

  // A new session of that user (a UUID); beyond the bound the user's oldest one ends. `secret` is
  // that of its token (k_session_secret_bytes at random), drawn if it is empty.
  Task<Result<OpenedSession>> open(std::string_view user_id, std::string_view purpose,
                                   std::string_view client_ip, Secret secret = {});

  // The session with that secret, which is open or is just being opened by another request;
  // nothing if it has ended or does not come to be.
  Task<Result<std::optional<OpenedSession>>> reopen(std::string_view user_id, Secret secret);

  // The application's live session behind the token, or nothing (RFC 7662: "active": false).
  Task<Result<std::optional<Session>>> introspect(const SessionToken& token);

  // Ends it; whether there was one is nobody's business (RFC 7009 section 2.2).
  Task<Result<void>> revoke(const SessionToken& token, std::string_view client_ip);

  // Ends all of the user's sessions; how many there were.
  Task<Result<std::size_t>> log_out(std::string_view user_id, std::string_view client_ip);

  // The user's live sessions, oldest first.
  Task<Result<std::vector<Session>>> list(std::string_view user_id);

 private:
  std::string user_hash(std::string_view user_id) const;
  const Session* find_own(const SessionsState& state, std::string_view token_hash,
                          TimePoint now) const;

  Services services_;
  const Rules& rules_;
};

}  // namespace otpd::otp
