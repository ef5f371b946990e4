// Access: who may call what.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "gateway/cors.h"
#include "gateway/key_book.h"
#include "gateway/problem.h"
#include "net/http_message.h"

namespace otpd::gateway {

// What a route asks of its caller.
enum class Access : std::uint8_t {
  anybody,             // health, the contract, the demo page
  application,         // an API key; without any, this machine only, not what it forwards
  public_application,  // an API key, unless opened to everybody; without any, this machine only;
                       // without a key, a page calls for the application that has its origin
  operation,           // as admin, or this machine
  admin,               // the admin token, or an API key of the base application with that scope
  test,                // this machine (exists only with the virtual clock, on loopback)
};

struct Need {
  Access access = Access::anybody;
  otp::Scopes scopes{};  // of an API key, any of these
};

// Who calls, as it showed itself.
struct Caller {
  std::string name;         // of its API key; empty: known by its address alone
  std::string application;  // whose key or page it is; empty: the one of the configuration's top
  // Whether it may say whom a request is about: by its API key, or because it is this machine and
  // there is no key yet. Whom sending and verifying is opened to may not.
  bool speaks_for_users = false;
};

struct AccessConfig {
  // "name:sha256hex" or "application/name:sha256hex" of each API key that the configuration has;
  // good for everything but admin.
  std::vector<std::string> api_keys;
  bool public_application = false;
  // Where pages call from, and which other applications are open to theirs.
  Cors cors;
  std::set<std::string, std::less<>> public_others = {};
  Secret admin_token;
  // Host names under which this machine may be called without a key (besides the loopback names):
  // a web page that rebinds its name to 127.0.0.1 calls under another.
  std::vector<std::string> own_hosts;
  // Where this service's own pages are from, as browsers spell it, besides its address as a request
  // has it. No other page may do what is open to this machine.
  std::string own_origin = {};
  bool tls = false;  // whether requests come by https
};

class AccessControl {
 public:
  // Failure::invalid naming the key entry that cannot be used. `book` has the other API keys, and
  // says which applications there are; it outlives this.
  static Result<AccessControl> make(AccessConfig config, KeyBook& book);

  // The API keys that the configuration has, by application and name.
  std::vector<KnownKey> configured_keys() const;

  // The caller, or the refusal. API keys are found by their SHA-256 and compared in constant time,
  // as is the admin token.
  std::expected<Caller, Problem> check(const Need& need, const net::HttpRequest& request,
                                       std::string_view client_ip, TimePoint now) const;

 private:
  using Checked = std::expected<Caller, Problem>;

  explicit AccessControl(KeyBook& book) : book_(&book) {}
  bool came_over_loopback(const net::HttpRequest& request) const;
  bool is_local(const net::HttpRequest& request, std::string_view client_ip) const;
  bool is_admin(std::string_view presented) const;
  // A failure only while the book is empty-handed.
  Result<std::optional<KnownKey>> find_key(std::string_view presented, TimePoint now) const;
  bool has_keys() const { return !configured_.empty() || book_->had_keys(); }
  Checked check_admin(std::string_view presented, TimePoint now) const;
  Checked check_key(std::string_view presented, const Need& need, TimePoint now) const;
  Checked check_keyless(const Need& need, const net::HttpRequest& request,
                        std::string_view client_ip) const;

  AccessConfig config_;
  std::unordered_map<std::string, KnownKey> configured_;  // by SHA-256
  KeyBook* book_;
};

}  // namespace otpd::gateway
