// What all decisions about a user's sessions are written with. For sessions*.cc alone.
#pragma once

#include <utility>

#include "otp/rotation.h"
#include "otp/update.h"

namespace otpd::otp {

template <class Out>
Decision<Out> written(SessionsState& state, Out out, TimePoint now) {
  forget_rotations(state, now);
  return {.out = std::move(out),
          .changed = true,
          .erase = state.sessions.empty(),
          .expires_at = garbage_at(state, now)};
}

}  // namespace otpd::otp
