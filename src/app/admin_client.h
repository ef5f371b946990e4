// AdminClient: asks the otpd that runs under this configuration, through its admin routes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/config.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/client.h"

namespace otpd::app {

// Blocks while it asks. For one thread.
class AdminClient {
 public:
  // Of the otpd at server.listen, with the admin token of auth.admin_token_file;
  // Failure::unavailable if that cannot be read. `config` outlives it.
  static Result<std::unique_ptr<AdminClient>> make(const Config& config);

  // The JSON object that it answers with 200 or 201. Otherwise a failure whose message is for the
  // operator: what it answered instead, or that nothing answers.
  Result<nlohmann::json> ask(const std::string& method, const std::string& target,
                             const std::optional<nlohmann::json>& body = std::nullopt);

 private:
  AdminClient(const Config& config, Secret token);

  boost::asio::io_context loop_{1};
  net::Client client_{loop_};
  const std::string url_;
  const Secret token_;
};

}  // namespace otpd::app
