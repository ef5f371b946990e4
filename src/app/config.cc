#include "app/config.h"

namespace otpd::app {

std::map<std::string, PurposeConfig> default_purposes() {
  std::map<std::string, PurposeConfig> purposes;
  purposes["login"];

  auto& transaction = purposes["transaction"];
  transaction.lifetime = Seconds(600);
  transaction.session = false;
  transaction.context = true;

  auto& reset = purposes["password_reset"];
  reset.lifetime = Seconds(1'800);
  reset.session = false;
  reset.link = true;
  return purposes;
}

std::map<std::string, ProviderConfig> default_providers() {
  std::map<std::string, ProviderConfig> providers;
  providers["twilio"].kind = ProviderKind::twilio;
  providers["mail"].kind = ProviderKind::smtp;
  return providers;
}

}  // namespace otpd::app
