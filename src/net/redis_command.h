// Commands of RESP2, written straight into a buffer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "net/redis_client.h"

namespace otpd::net {

// Appends the command of these words.
void append_redis_words(std::string& out, std::initializer_list<std::string_view> words);

// How a call's script is named.
enum class RedisForm : std::uint8_t { digest, whole };

// Appends the command of `call`. `form` counts only with a script.
void append_redis_call(std::string& out, const RedisCall& call, RedisForm form);

}  // namespace otpd::net
