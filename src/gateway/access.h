// Access: who may call what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "gateway/problem.h"
#include "net/http_message.h"

namespace otpd::gateway {

// What a route asks of its caller.
enum class Access : std::uint8_t {
  anybody,             // health, the contract, the demo page
  application,         // an API key; without any, this machine only, not what it forwards
  public_application,  // an API key, unless opened to everybody; without any, over loopback only
  operation,           // the admin token, or this machine
  admin,               // the admin token
  test,                // this machine (exists only with the virtual clock, on loopback)
};

// Who calls, as it showed itself.
struct Caller {
  std::string name;         // for idempotency keys; empty for nobody in particular
  std::string application;  // to which its key belongs; empty: the one of the configuration's top
};

struct AccessConfig {
  // "name:sha256hex" of each API key.
  std::vector<std::string> api_keys;
  bool public_application = false;
  Secret admin_token;
  // Host names under which this machine may be called without a key (besides the loopback names):
  // a web page that rebinds its name to 127.0.0.1 calls under another.
  std::vector<std::string> own_hosts;
};

class AccessControl {
 public:
  // Failure::invalid naming the key entry that cannot be used.
  static Result<AccessControl> make(AccessConfig config);

  // The caller, or the refusal. API keys are compared by their SHA-256, the admin token by its own
  // bytes, both in constant time.
  std::expected<Caller, Problem> check(Access access, const net::HttpRequest& request,
                                       std::string_view client_ip) const;

 private:
  struct ApiKey {
    std::string name;
    std::string hash;
  };
  AccessControl() = default;
  bool came_over_loopback(const net::HttpRequest& request) const;
  bool is_local(const net::HttpRequest& request, std::string_view client_ip) const;
  std::optional<std::string> find_key(std::string_view presented) const;

  AccessConfig config_;
  std::vector<ApiKey> keys_;
};

}  // namespace otpd::gateway
