// Child and TemporaryFolder: programs and files that are gone when the benchmark is, however it
// ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "statistics.h"

namespace otpd::bench {

class TemporaryFolder {
 public:
  static Result<std::unique_ptr<TemporaryFolder>> make();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path path_;
};

class Child {
 public:
  // Starts `command` (its first element is the program's path) with standard output and error in
  // `log`, without any variable OTPD_… of the environment. The kernel kills it if we die.
  static Result<Child> start(const std::vector<std::string>& command,
                             const std::filesystem::path& log);
  // Ends it with SIGTERM; with SIGKILL after 20 s.
  ~Child();
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&&) = delete;

  pid_t pid() const { return pid_; }
  bool runs() const;
  // CPU time of all its threads so far, the ended ones included; exact to the nanosecond.
  Nanos cpu() const;
  // Resident memory now, and the most there has been.
  std::uint64_t resident_bytes() const { return status_bytes("VmRSS:"); }
  std::uint64_t peak_resident_bytes() const { return status_bytes("VmHWM:"); }

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  std::uint64_t status_bytes(const char* name) const;

  pid_t pid_;
};

// A port on 127.0.0.1 that nobody uses now.
std::uint16_t free_port();

}  // namespace otpd::bench
