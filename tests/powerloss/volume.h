// Volume: an ext4 file system in an image file whose power can be cut.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace otpd::powerloss {

// Why no volume can be made on this machine; nothing if one can: it takes root's right to mount,
// and loop devices.
std::optional<std::string> why_no_volume();

class Volume {
 public:
  // Makes an image of `megabytes` in `folder` and mounts it on `folder`/disk.
  static Result<Volume> make(const std::string& folder, int megabytes);
  Volume(Volume&& other) noexcept;
  Volume& operator=(Volume&&) = delete;
  ~Volume();

  const std::string& path() const { return path_; }

  // Stops the file system at once, without writing its journal: what was not synced before is
  // gone, and every write or sync from now on fails.
  Result<void> cut_power();

  // Unmounts what is left, mounts it again and so lets ext4 replay its journal.
  Result<void> restart();

 private:
  Volume(std::string image, std::string path);
  Result<void> mount();
  void unmount();

  std::string image_;
  std::string path_;
  bool mounted_ = false;
};

}  // namespace otpd::powerloss
