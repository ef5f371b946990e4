// KeyRequest: what the commands about API keys ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace otpd::app {

struct KeyRequest {
  // As the command line gives them; empty: not given.
  struct Words {
    std::string scopes;
    std::string expires_in;
    std::string overlap;
  };

  std::string name;
  std::string application;  // empty: the base one
  // From `words`:
  std::vector<std::string> scopes;      // empty: the usual ones
  std::optional<Seconds> expires_in{};  // nothing: never
  std::optional<Seconds> overlap{};     // nothing: the usual one
  Words words;
};

// Reads the words; what is wrong, or nothing. The running otpd checks the bounds.
std::optional<std::string> read_words(KeyRequest& request);

// "90d", "24h", "30m", "45s" or "0". Nothing for anything else, or more than 99999999 of them.
std::optional<Seconds> parse_duration(std::string_view text);

}  // namespace otpd::app
