// The rows of the key table, by part. See config_key.h.
#pragma once

#include <span>

#include "app/config_key.h"

namespace otpd::app {

std::span<const Key> server_keys();    // server, data, crypto, audit, auth, demo, testing, log
std::span<const Key> otp_keys();       // otp, purposes, limits, session
std::span<const Key> delivery_keys();  // delivery, providers, messages
std::span<const Key> smpp_keys();      // of providers of kind smpp

}  // namespace otpd::app
