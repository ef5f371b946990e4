#include "gateway/otp_members.h"

#include "gateway/client_ip.h"
#include "gateway/recipients.h"
#include "otp/device.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_purpose = 32;
constexpr std::size_t k_max_context = 256;
constexpr std::size_t k_max_address = 45;  // ::ffff: and an IPv4 address in full

}  // namespace

std::optional<otp::Recipient> read_recipient(Members& members, const Application& app) {
  auto recipient = find_recipient(members, app);
  if (!recipient) {
    members.refuse(ProblemName::invalid_request, "phone", "Give either \"phone\" or \"email\".");
  }
  return recipient;
}

std::string read_purpose(Members& members, const Application& app) {
  const std::string purpose = members.text("purpose", k_max_purpose).value_or("login");
  if (!app.rules.policies.contains(purpose)) {
    members.refuse(ProblemName::invalid_request, "purpose", "There is no such purpose.");
  }
  return purpose;
}

otp::Context read_context(Members& members, const Application& app, const std::string& purpose) {
  const nlohmann::json* object = members.object("context");
  if (members.refused()) return {};
  const bool needed = app.rules.policies.at(purpose).needs_context;
  if ((object != nullptr) != needed) {
    members.refuse(ProblemName::invalid_request, "context",
                   needed ? "This purpose needs \"context\" with amount, currency and payee."
                          : "This purpose takes no \"context\".");
    return {};
  }
  if (object == nullptr) return {};
  Members inside(*object, "context.");
  otp::Context context{inside.text("amount", k_max_context).value_or(""),
                       inside.text("currency", k_max_context).value_or(""),
                       inside.text("payee", k_max_context).value_or("")};
  if (auto problem = inside.finish()) {
    members.refuse(problem->name, problem->member, problem->detail);
  } else if (auto checked = otp::check_context(context); !checked) {
    members.refuse(ProblemName::invalid_request, "context", checked.error().message + ".");
  }
  return context;
}

std::string read_client_ip(Members& members, const Call& call) {
  const auto text = members.text("client_ip", k_max_address);
  if (!text) return call.client_ip;
  const auto address = parse_client_ip(*text);
  if (call.caller.name.empty()) {
    members.refuse(ProblemName::invalid_request, "client_ip",
                   "Only a caller with an API key may say whose request it is.");
  } else if (!address) {
    members.refuse(ProblemName::invalid_request, "client_ip",
                   "\"client_ip\" must be an IPv4 or IPv6 address and nothing else.");
  }
  return address.value_or("");
}

std::string read_device(Members& members) {
  std::string device = members.text("device", otp::k_max_device_bytes).value_or("");
  if (!device.empty() && !otp::is_device_label(device)) {
    members.refuse(ProblemName::invalid_request, "device",
                   "\"device\" must be 1 to 64 visible characters in one line.");
  }
  return device;
}

}  // namespace otpd::gateway
