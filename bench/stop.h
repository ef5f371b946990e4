// Stop: SIGINT, SIGTERM and SIGHUP end the run in order, so that no process and no file is left.
#pragma once

namespace otpd::bench {

void watch_for_stop();
bool stop_asked();

}  // namespace otpd::bench
