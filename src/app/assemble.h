// From the configuration to what each part is made with. No part knows the configuration.
#pragma once

#include <memory>
#include <string>

#include "app/config.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/hash_pool.h"
#include "crypto/key_ring.h"
#include "delivery/courier.h"
#include "delivery/templates.h"
#include "gateway/access.h"
#include "net/http_server.h"
#include "otp/policy.h"
#include "storage/backend.h"

namespace otpd::app {

otp::Rules make_rules(const Config& config);
delivery::CourierConfig make_courier_config(const Config& config);
delivery::Outlet make_outlet(const Config& config, const delivery::Templates& templates,
                             delivery::Dispatcher& dispatcher, otp::CapDesk& caps);
net::HttpServerConfig make_server_config(const ServerConfig& config);
Result<delivery::Templates> make_templates(const MessagesConfig& config);

// The key ring: from the configuration itself, or from its file, made if need be.
Result<crypto::KeyRing> open_keys(const CryptoConfig& config, TimePoint now, Random& random);

// Makes the data folder, for its owner alone, if need be.
Result<void> make_private_folder(const std::string& dir);

// Opens or makes what is kept in the data folder.
Result<std::unique_ptr<storage::Backend>> open_backend(const Config& config, const Clock& clock,
                                                       Metrics& metrics);

// Who asks the captchas' vendor, over `client` on its loop; null without a vendor.
std::unique_ptr<otp::CaptchaJudge> make_captcha_judge(const FrictionConfig& config,
                                                      boost::asio::io_context& loop,
                                                      net::Client& client);

// The applications that there are.
otp::Applications application_names(const Config& config);

// Whether callers seem to come through a proxy, and no key of the configuration tells them from
// this machine.
bool seems_proxied(const Config& config);

// The origins of all applications.
gateway::Cors make_cors(const Config& config);

// The configuration's API keys and the admin token, whose file is made if need be; `book` has the
// other keys.
Result<gateway::AccessControl> make_access(const Config& config, Random& random,
                                           gateway::KeyBook& book);

}  // namespace otpd::app
