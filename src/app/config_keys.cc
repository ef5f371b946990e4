#include "app/config_keys.h"

#include <vector>

namespace otpd::app {
namespace {

constexpr Section k_sections[] = {
    {"server", "The HTTP server."},
    {"data", "Where an embedded otpd keeps what it knows; keys and the admin token in every mode."},
    {"redis", "The hot state of a cluster: records, the queue, and the audit log on its way."},
    {"postgres", "What a cluster keeps for good: the audit log, and every consumed code."},
    {"cluster", "How the processes of a cluster work together (docs/cluster.md)."},
    {"crypto", "How codes are hashed, and the keys."},
    {"otp", "What holds for every code."},
    {"purposes.*",
     "One section for each purpose: what a code may be used for, and the policy of its codes. "
     "login, transaction and password_reset are always there; add others by naming them.",
     true},
    {"limits",
     "How often. Every limit holds in any window of its length; none can be turned off. Those of a "
     "recipient, a user and an address are exact (docs/limits.md).",
     true},
    {"friction",
     "When a send has to bring a solved captcha along (ALTCHA, a proof of work). Each send beyond "
     "the threshold doubles the work.",
     true},
    {"destinations",
     "Which phones are served; every refusal is in the audit log. E-mail goes everywhere.", true},
    {"pumping",
     "Closes blocks of numbers to which many codes go and hardly any is verified: somebody is paid "
     "for the messages (docs/limits.md).",
     true},
    {"budget",
     "What may be spent on messages to phones in any 24 hours; what goes beyond is not sent "
     "(docs/limits.md). Amounts are decimal, with at most 6 digits after the point.",
     true},
    {"test_recipients.*",
     "Recipients with a code that never changes, for the review of an app: one section for each, "
     "[test_recipients.NAME]. There are none unless you name some.",
     true},
    {"session", "Sessions, opened by the right code.", true},
    {"factors", "Authenticator apps and recovery codes (docs/factors.md).", true},
    {"delivery", "How messages go out."},
    {"delivery.routes", "Which providers carry a channel. One without any is not offered.", true},
    {"prefix_routes.*", "Routes for some numbers only: one section for each, [prefix_routes.NAME].",
     true},
    {"fallback", "Another channel for messages that do not seem to arrive.", true},
    {"breaker", "When a provider that fails is left alone."},
    {"providers.*",
     "One section for each provider. twilio and mail are always there, and speak to the simulator "
     "until they are told otherwise; add others, also several of one kind, by naming them."},
    {"webhooks",
     "What happens to codes, told to an endpoint of yours (docs/webhooks.md). An application may "
     "have an endpoint of its own, which says its url, secrets and allow_private itself; one that "
     "names no url has this one, and one whose url is empty has none.",
     true},
    {"messages", "What the messages say.", true},
    {"messages.templates.*.*",
     "Your own texts: [messages.templates.PURPOSE.CHANNEL], then LOCALE = \"text\". What has no "
     "text here has a built-in one.",
     true},
    {"audit", "The audit log."},
    {"auth", "Who may call."},
    {"demo", "The demo page."},
    {"testing", "For your own tests of what you build on otpd."},
    {"log", "The log on standard error: one JSON object a line, no code, no address."},
};

// The pattern of the section that a key is in.
std::string_view keys_section(const Key& key) {
  return key.path.substr(0, key.path.rfind('.'));
}

std::vector<const Key*> keys_in_order() {
  std::vector<const Key*> keys;
  for (const auto& section : k_sections) {
    for (const auto part :
         {server_keys(), otp_keys(), recipient_keys(), cap_keys(), delivery_keys(), route_keys(),
          provider_keys(), http_keys(), smpp_keys(), webhook_keys(), cluster_keys()}) {
      for (const auto& key : part) {
        if (keys_section(key) == section.pattern) keys.push_back(&key);
      }
    }
  }
  return keys;
}

}  // namespace

std::span<const Key* const> config_keys() {
  static const std::vector<const Key*> keys = keys_in_order();
  return keys;
}

std::span<const Section> config_sections() {
  return k_sections;
}

}  // namespace otpd::app
