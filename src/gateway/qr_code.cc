#include "gateway/qr_code.h"

#include <fmt/format.h>
#include <png.h>

#include <cassert>
#include <cstdlib>
#include <qrcodegen/qrcodegen.hpp>
#include <vector>

namespace otpd::gateway {
namespace {

constexpr int k_quiet_modules = 4;  // around it, as the standard asks
constexpr int k_module_pixels = 8;

// One path of unit squares, row by row, the dark ones of a row in as few strokes as there are runs.
std::string draw_svg(const qrcodegen::QrCode& code) {
  const int size = code.getSize();
  const int edge = size + 2 * k_quiet_modules;
  std::string path;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      if (!code.getModule(x, y)) continue;
      const int begin = x;
      while (code.getModule(x + 1, y)) ++x;  // outside is light
      path += fmt::format("M{} {}h{}v1h-{}z", begin + k_quiet_modules, y + k_quiet_modules,
                          x + 1 - begin, x + 1 - begin);
    }
  }
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" shape-rendering="crispEdges">)"
      R"(<path fill="#fff" d="M0 0h{0}v{0}h-{0}z"/><path d="{1}"/></svg>)",
      edge, path);
}

std::string draw_png(const qrcodegen::QrCode& code) {
  const int edge = (code.getSize() + 2 * k_quiet_modules) * k_module_pixels;
  const auto width = static_cast<std::size_t>(edge);
  std::vector<std::uint8_t> pixels(width * width, 255);
  for (int y = 0; y < edge; ++y) {
    for (int x = 0; x < edge; ++x) {
      const bool dark = code.getModule(x / k_module_pixels - k_quiet_modules,
                                       y / k_module_pixels - k_quiet_modules);
      if (dark) pixels[static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)] = 0;
    }
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(edge);
  image.format = PNG_FORMAT_GRAY;
  std::string out(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = out.size();
  // Only a lack of memory can make it fail: the buffer holds the longest picture of that size.
  if (png_image_write_to_memory(&image, out.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    std::abort();
  }
  out.resize(size);
  return out;
}

}  // namespace

QrCode draw_qr_code(std::string_view text) {
  assert(text.size() <= k_max_qr_bytes);
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  const auto code = qrcodegen::QrCode::encodeBinary(bytes, qrcodegen::QrCode::Ecc::MEDIUM);
  return {draw_svg(code), draw_png(code)};
}

}  // namespace otpd::gateway
