#include "processes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <string_view>
#include <system_error>
#include <thread>

namespace otpd::bench {
namespace {

constexpr std::chrono::seconds k_end_limit{20};
constexpr std::chrono::milliseconds k_look_for_end_every{5};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& string : strings) out.push_back(const_cast<char*>(string.c_str()));
  out.push_back(nullptr);
  return out;
}

std::vector<char*> environment_without_otpd() {
  std::vector<char*> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("OTPD_")) out.push_back(*entry);
  }
  out.push_back(nullptr);
  return out;
}

// In the new process, where only async-signal-safe calls are allowed.
[[noreturn]] void become(char* const* command, char* const* environment, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);  // Ctrl-C is for us; we end the others in order
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(command[0], command, environment);
  _exit(127);
}

}  // namespace

Result<std::unique_ptr<TemporaryFolder>> TemporaryFolder::make() {
  std::string name = (std::filesystem::temp_directory_path() / "otpd-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return fail(Failure::unavailable, "cannot make " + name);
  return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(std::move(name)));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<Child> Child::start(const std::vector<std::string>& command,
                           const std::filesystem::path& log) {
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return fail(Failure::unavailable, "cannot write " + log.string());
  const auto arguments = pointers(command);
  const auto environment = environment_without_otpd();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(arguments.data(), environment.data(), out, parent);
  ::close(out);
  if (pid < 0) return fail(Failure::unavailable, "fork: " + std::generic_category().message(errno));
  return Child(pid);
}

Child::~Child() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto give_up = std::chrono::steady_clock::now() + k_end_limit;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= give_up) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(k_look_for_end_every);
  }
}

bool Child::runs() const {
  siginfo_t ended{};
  const auto id = static_cast<id_t>(pid_);
  return waitid(P_PID, id, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

Nanos Child::cpu() const {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) return Nanos(0);
  return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec);
}

std::uint64_t Child::status_bytes(const char* name) const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kib = 0;
    if (word == name && status >> kib) return kib * 1024;
  }
  return 0;
}

std::uint16_t free_port() {
  boost::asio::io_context loop;
  using Tcp = boost::asio::ip::tcp;
  const Tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
  return Tcp::acceptor(loop, any).local_endpoint().port();
}

}  // namespace otpd::bench
