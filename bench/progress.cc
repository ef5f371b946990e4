#include "progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace otpd::bench {

Progress::Progress(std::string doing)
    : doing_(std::move(doing)), terminal_(isatty(STDERR_FILENO) == 1) {
  if (terminal_) std::fprintf(stderr, "\r\033[K%s", doing_.c_str());
}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::show(std::size_t done, std::size_t of) const {
  if (terminal_) std::fprintf(stderr, "\r\033[K%s %zu of %zu", doing_.c_str(), done, of);
}

}  // namespace otpd::bench
