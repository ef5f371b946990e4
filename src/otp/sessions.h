// Sessions: opaque tokens, revocable at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otp/events.h"
#include "otp/issuer.h"
#include "otp/rotation.h"
#include "otp/sessions_state.h"

namespace otpd::otp {

struct OpenedSession {
  Secret token;
  Seconds expires_in{0};
};

// Views must outlive the call.
struct NewSession {
  std::string_view user_id;  // a UUID
  std::string_view purpose;
  std::string_view client_ip;
  std::string_view device = {};  // see device.h; or empty
};

// A session whose token has just been changed for this one.
struct RotatedSession {
  Secret token;
  Seconds expires_in{0};
  std::string id;
};

// Runs on the caller's loop; safe on several loops. Everything fails as the store does.
class Sessions {
 public:
  Sessions(Services services, const Rules& rules);

  // Beyond the bound the user's oldest session ends. `secret` is that of its token
  // (k_session_secret_bytes at random), drawn if it is empty.
  Task<Result<OpenedSession>> open(NewSession session, Secret secret = {});

  // The session with that secret, which is open or is just being opened by another request;
  // nothing if it has ended or does not come to be.
  Task<Result<std::optional<OpenedSession>>> reopen(std::string_view user_id, Secret secret);

  // The live session behind the token, or nothing (RFC 7662: "active": false). Mostly a read:
  // that the session was used is written every touch_after(idle); if that fails, the next time.
  Task<Result<std::optional<Session>>> introspect(const SessionToken& token,
                                                  std::string_view client_ip);

  // Another token for the same session, whose own is dead from then on; nothing if there is no
  // such session, or if the token is an older one: then the session has ended. `caller` is who
  // asks, if it showed an API key; it may repeat the question for k_repeat_for.
  Task<Result<std::optional<RotatedSession>>> rotate(const SessionToken& token,
                                                     std::string_view caller,
                                                     std::string_view client_ip);

  // Ends the session of this token, or of which it is an older one; whether there was one is
  // nobody's business (RFC 7009 section 2.2).
  Task<Result<void>> revoke(const SessionToken& token, std::string_view client_ip);

  // Ends that session of the user; whether there was one.
  Task<Result<bool>> end(std::string_view user_id, std::string_view session_id,
                         std::string_view client_ip);

  // Ends all of the user's sessions; how many there were.
  Task<Result<std::size_t>> log_out(std::string_view user_id, std::string_view client_ip);

  // The user's live sessions, oldest first.
  Task<Result<std::vector<Session>>> list(std::string_view user_id);

 private:
  std::string user_hash(std::string_view user_id) const;
  Key record_key(std::string_view user_hash) const;
  Task<Result<SessionsState>> load(std::string_view user_hash);
  Task<void> note_use(std::string_view user_hash, const TokenHashes& hashes);
  Task<void> note_reuse(std::string_view user_hash, const TokenHashes& hashes,
                        std::string_view client_ip);
  Task<Result<RotationOutcome>> change_token(std::string_view user_hash,
                                             const RotationQuestion& question,
                                             std::string_view client_ip);
  EventWriter events_of(const Session& session, std::string_view client_ip) const;

  Services services_;
  const Rules& rules_;
};

}  // namespace otpd::otp
