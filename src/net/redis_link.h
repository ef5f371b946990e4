// A connection to a node of Redis that knows who we are.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/link.h"
#include "net/redis_reader.h"

namespace otpd::net {

// The words of a new connection: AUTH where there is a password, CLIENT SETNAME and PING. Appends
// them and returns how many answers they have.
std::size_t append_redis_greeting(std::string& out, const RedisConfig& config);
// What is wrong with the i-th of the `count` answers to the greeting; none: it may go on. A node
// that still loads, or lets this user not say PING, will answer the calls itself.
std::optional<std::string> redis_greeting_refused(std::size_t i, std::size_t count,
                                                  const RedisAnswer& answer);
// Connects, greets, and returns the link when the node has answered, all within
// `config.connect_timeout`.
Task<Result<std::shared_ptr<Link>>> connect_redis(std::shared_ptr<const RedisConfig> config,
                                                  RedisNode node);

}  // namespace otpd::net
