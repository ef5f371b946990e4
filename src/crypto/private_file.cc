#include "crypto/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace otpd::crypto {
namespace {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> file_error(const std::filesystem::path& path, std::string_view what) {
  return fail(Failure::internal, fmt::format("{}: {}: {}", path.string(), what,
                                             std::generic_category().message(errno)));
}

Result<void> check_private(int fd, const std::filesystem::path& path, std::size_t max_bytes) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return file_error(path, "cannot be examined");
  if (!S_ISREG(status.st_mode)) return fail(Failure::invalid, path.string() + ": no regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Failure::invalid, fmt::format("{}: others than its owner can use it (mode {:04o}); "
                                              "chmod 600 it",
                                              path.string(), status.st_mode & 07777));
  }
  if (static_cast<std::size_t>(status.st_size) > max_bytes) {
    return fail(Failure::invalid, path.string() + ": too long");
  }
  return {};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.get() >= 0 && ::fsync(fd.get()) == 0;
}

}  // namespace

Result<Secret> read_private_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0 && errno == ENOENT)
    return fail(Failure::unavailable, path.string() + ": missing");
  if (fd.get() < 0) return file_error(path, "cannot be opened");
  if (auto checked = check_private(fd.get(), path, max_bytes); !checked) {
    return std::unexpected(checked.error());
  }
  std::string bytes(max_bytes, '\0');  // one buffer, so that growing leaves no copy behind
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return wipe(bytes), file_error(path, "cannot be read");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  bytes.resize(size);
  return Secret(std::move(bytes));
}

Result<bool> write_private_file(const std::filesystem::path& path, std::string_view bytes,
                                IfExists if_exists) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::string aside = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  const Descriptor fd(::mkostemp(aside.data(), O_CLOEXEC));  // mode 0600, whatever the umask
  if (fd.get() < 0) return file_error(path, "cannot be written");
  if (!write_all(fd.get(), bytes) || ::fsync(fd.get()) != 0) {
    const auto error = file_error(path, "cannot be written");
    ::unlink(aside.c_str());
    return error;
  }
  // link() refuses to replace, rename() replaces; each is one step.
  const bool keep = if_exists == IfExists::keep;
  const bool named =
      (keep ? ::link(aside.c_str(), path.c_str()) : ::rename(aside.c_str(), path.c_str())) == 0;
  const bool exists = !named && keep && errno == EEXIST;
  const auto error = file_error(path, "cannot be given its name");
  if (keep || !named) ::unlink(aside.c_str());
  if (exists) return false;
  if (!named) return error;
  if (!sync_folder(folder)) return file_error(path, "its folder cannot be synced");
  return true;
}

}  // namespace otpd::crypto
