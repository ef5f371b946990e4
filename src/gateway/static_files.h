// The files that the binary carries: the contract and the demo page. Made at build time.
#pragma once

#include <span>
#include <string_view>

namespace otpd::gateway {

struct StaticFile {
  std::string_view path;  // as requested, e.g. "/demo/demo.js"
  std::string_view bytes;
};

std::span<const StaticFile> static_files();

}  // namespace otpd::gateway
