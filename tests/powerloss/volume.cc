#include "volume.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

namespace otpd::powerloss {
namespace {

// From the kernel's fs/ext4/ext4.h; no public header has them.
constexpr unsigned long k_ioc_shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t k_without_log_flush = 2;
constexpr int k_cap_sys_admin = 21;  // linux/capability.h

bool may_mount() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> k_cap_sys_admin & 1) != 0;
  }
  return false;
}

Result<void> run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  int status = posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (status == 0) waitpid(child, &status, 0);
  if (status != 0) return fail(Failure::internal, words[0] + " failed");
  return {};
}

}  // namespace

std::optional<std::string> why_no_volume() {
  if (!may_mount()) return "this process may not mount";
  const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return "there is no /dev/loop-control";
  const bool has_free = ::ioctl(control, LOOP_CTL_GET_FREE) >= 0;
  ::close(control);
  if (!has_free) return "there is no free loop device";
  return std::nullopt;
}

Volume::Volume(std::string image, std::string path)
    : image_(std::move(image)), path_(std::move(path)) {}

Volume::Volume(Volume&& other) noexcept
    : image_(std::move(other.image_)),
      path_(std::move(other.path_)),
      mounted_(std::exchange(other.mounted_, false)) {}

Volume::~Volume() {
  unmount();
}

Result<Volume> Volume::make(const std::string& folder, int megabytes) {
  Volume volume(folder + "/disk.img", folder + "/disk");
  std::filesystem::create_directory(volume.path_);
  std::ofstream(volume.image_).close();
  std::filesystem::resize_file(volume.image_, static_cast<std::uintmax_t>(megabytes) << 20);
  if (auto made = run({"mkfs.ext4", "-q", "-F", volume.image_}); !made) {
    return std::unexpected(made.error());
  }
  if (auto mounted = volume.mount(); !mounted) return std::unexpected(mounted.error());
  return volume;
}

Result<void> Volume::cut_power() {
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::uint32_t how = k_without_log_flush;
  const bool cut = folder >= 0 && ::ioctl(folder, k_ioc_shutdown, &how) == 0;
  const int error = errno;
  if (folder >= 0) ::close(folder);
  if (!cut) {
    return fail(Failure::internal, "cannot stop ext4: " + std::generic_category().message(error));
  }
  return {};
}

Result<void> Volume::restart() {
  unmount();
  return mount();
}

Result<void> Volume::mount() {
  auto mounted = run({"mount", "-o", "loop", image_, path_});
  mounted_ = mounted.has_value();
  return mounted;
}

void Volume::unmount() {
  if (std::exchange(mounted_, false)) (void)run({"umount", path_});
}

}  // namespace otpd::powerloss
