#include "storage/sqlite/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace otpd::storage::sqlite {
namespace {

constexpr mode_t k_owner_only = S_IRUSR | S_IWUSR;

std::unexpected<Error> system_failure(const std::string& what, const std::string& path) {
  return fail(Failure::unavailable,
              what + " " + path + ": " + std::generic_category().message(errno));
}

int open_private(const std::string& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, k_owner_only);
}

// A new file is only there after a power loss if its folder was written, too.
Result<void> sync_folder(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_failure("cannot open the folder", folder);
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!synced) return system_failure("cannot write the folder", folder);
  return {};
}

// Before SQLite opens the file: closing any descriptor of it later would drop SQLite's locks.
Result<void> make_file(const std::string& path) {
  const int fd = open_private(path);
  if (fd < 0) return system_failure("cannot open the database", path);
  const bool secured = ::fchmod(fd, k_owner_only) == 0;
  ::close(fd);
  if (!secured) return system_failure("cannot set the mode of the database", path);
  return sync_folder(path);
}

}  // namespace

Result<DatabaseFile> DatabaseFile::open(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int lock = open_private(lock_path);
  if (lock < 0) return system_failure("cannot open the lock file", lock_path);
  DatabaseFile file(lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_failure("cannot lock", lock_path);
    return fail(Failure::unavailable,
                "the database " + path + " is in use by another otpd; stop it first");
  }
  if (auto made = make_file(path); !made) return std::unexpected(made.error());
  return file;
}

DatabaseFile::~DatabaseFile() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace otpd::storage::sqlite
