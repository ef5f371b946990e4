// The files of sim/web, as bytes of the program.
#pragma once

#include <span>
#include <string_view>

namespace otpd::sim {

struct WebFile {
  std::string_view path;  // as requested: "/", "/app.js", …
  std::string_view content_type;
  std::string_view bytes;
};

std::span<const WebFile> web_files();

}  // namespace otpd::sim
