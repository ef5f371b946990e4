#include "providers/log.h"

#include "base/log.h"
#include "providers/outcomes.h"

namespace otpd::providers {
namespace {

class Log final : public delivery::Provider {
 public:
  Task<delivery::Outcome> send(const delivery::Message& message, Millis /*timeout*/) override {
    log::info("message", {{"job", message.job_id},
                          {"channel", message.channel},
                          {"to", message.to.reveal()},
                          {"subject", message.subject},
                          {"text", message.text.reveal()}});
    co_return accepted(message.job_id);
  }
};

}  // namespace

std::unique_ptr<delivery::Provider> make_log() {
  log::warn("the log provider prints codes and addresses; use it for development only");
  return std::make_unique<Log>();
}

}  // namespace otpd::providers
