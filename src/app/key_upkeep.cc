#include "app/key_upkeep.h"

#include <utility>

#include "base/log.h"

namespace otpd::app {
namespace {

constexpr Millis k_read_keys_every{500};
constexpr int k_reads_per_write = 4;

}  // namespace

Task<void> KeyUpkeep::run() {
  bool worked = true;
  for (int reads = 1;; ++reads) {
    const auto read = co_await gateway::refresh(book_, keys_);
    if (worked && !read) {
      log::warn("the API keys cannot be read; those last known serve",
                {{"reason", read.error().message}});
    }
    worked = read.has_value();
    if (read && std::exchange(seems_proxied_, false) && !book_.had_keys()) {
      log::warn(
          "server.public_url is not this machine's and there is no API key yet: whatever a proxy "
          "on "
          "this machine forwards without a forwarding field may do everything; `otpd key create "
          "NAME` ends that");
    }
    if (reads % k_reads_per_write == 0) co_await write_uses();
    co_await sleep_for(k_read_keys_every);
  }
}

Task<void> KeyUpkeep::write_uses() {
  const auto written = co_await gateway::write_uses(book_, keys_);
  if (!written) {
    log::warn("when API keys were used cannot be written", {{"reason", written.error().message}});
  }
}

}  // namespace otpd::app
