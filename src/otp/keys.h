// Keys: under which name each record is found. A name is a kind letter and a keyed hash
// (HMAC-SHA-256 under the index key, cut to 16 bytes), so a store never sees an address.
#pragma once

#include <string>
#include <string_view>

#include "otp/store.h"

namespace otpd::otp {

inline constexpr std::size_t k_hash_bytes = 16;

// The keyed hash by which a thing is known: `kind` separates the spaces (recipient, ip, user, …),
// `application` the tenants.
std::string keyed_hash(std::string_view index_key, std::string_view kind,
                       std::string_view application, std::string_view name);

// The keyed hash of a client's address; one for all addresses of a bucket (limit.h).
std::string ip_hash(std::string_view index_key, std::string_view application,
                    std::string_view address);

// Another one of the same address, under which the captchas are counted that it fetches.
std::string captcha_fetches_hash(std::string_view index_key, std::string_view application,
                                 std::string_view address);

// And the one under which its wrong guesses are counted.
std::string ip_guesses_hash(std::string_view index_key, std::string_view application,
                            std::string_view address);

// Record names over such a hash.
Key recipient_key(std::string_view hash);
Key ip_key(std::string_view hash);
Key user_key(std::string_view hash);
Key idempotency_key(std::string_view hash);
Key captcha_key(std::string_view hash);
Key factors_key(std::string_view hash);
Key allowance_record(std::string_view hash);
Key closed_blocks_record(std::string_view hash);

// Of the user's sessions. A token names its user by `user_hash`; which application's it is, only
// the key says: under another application there is nothing.
Key sessions_key(std::string_view index_key, std::string_view application,
                 std::string_view user_hash);

// The one record of all API keys.
Key api_keys_key(std::string_view index_key);

// Whether the record must never vanish: a user's factors cannot be sent again, and an API key that
// was revoked must not come back.
bool is_durable(const Key& key);

// Where the id of the verification is kept that a carrier's message belonged to: its 28 bytes.
Key message_key(std::string_view index_key, std::string_view application, std::string_view lane,
                std::string_view message_id);

// What is known about the endpoint that gets the events of an application. A job under such a name
// is an event for that endpoint, every other one a message for a recipient.
Key webhook_key(std::string_view index_key, std::string_view application, std::string_view url);
bool is_webhook_key(const Key& key);

// The hash in a record's name.
std::string hash_of(const Key& key);

}  // namespace otpd::otp
