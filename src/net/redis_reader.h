// RedisReader: bytes of RESP2 (https://redis.io/docs/reference/protocol-spec/) into answers.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "net/redis_client.h"

namespace otpd::net {

inline constexpr std::size_t k_redis_max_answer_bytes = 16 * 1024 * 1024;
inline constexpr std::size_t k_redis_max_answer_items = 1024 * 1024;

// An answer as it came. An error that is nested in an array makes the whole answer that error.
struct RedisAnswer {
  RedisReply reply;
  bool is_error = false;  // its words are reply.text
};

// Without I/O. What it holds is bounded by what was fed, and that by the limits above; arrays nest
// at most seven deep. For one thread.
class RedisReader {
 public:
  RedisReader();
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  // Takes the bytes that follow, in any cut. Failure::corrupt: the answer is too long.
  Result<void> feed(std::string_view bytes);
  // The next whole answer; none: more bytes are needed. Failure::corrupt: this is not RESP2, or
  // beyond the limits, and no more can be read.
  Result<std::optional<RedisAnswer>> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otpd::net
