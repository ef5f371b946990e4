#include "stop.h"

#include <csignal>

namespace otpd::bench {
namespace {

volatile std::sig_atomic_t g_stop_asked = 0;

void ask_to_stop(int) {
  g_stop_asked = 1;
}

}  // namespace

void watch_for_stop() {
  for (const int ends : {SIGINT, SIGTERM, SIGHUP}) std::signal(ends, ask_to_stop);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_asked() {
  return g_stop_asked != 0;
}

}  // namespace otpd::bench
