// TestProcess: a program that a test starts, and that ends with the test whatever happens.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace otpd::net {

// A port of 127.0.0.1 that nobody has now, below the kernel's own so that nobody gets it soon.
inline std::uint16_t free_port() {
  static std::uint32_t next = 10'000 + static_cast<std::uint32_t>(::getpid()) * 37 % 10'000;
  for (int i = 0; i < 10'000; ++i) {
    next = next >= 22'000 ? 10'000 : next + 1;
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(next));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
    ::close(fd);
    if (free) return static_cast<std::uint16_t>(next);
  }
  throw std::runtime_error("no free port");
}

// Start it from a thread that lives as long as the test: its death ends the program too.
class TestProcess {
 public:
  // Its standard output and error go to the file `log`.
  TestProcess(const std::vector<std::string>& words, const std::string& log) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  TestProcess(TestProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  TestProcess& operator=(TestProcess&&) = delete;
  ~TestProcess() { kill(); }

  bool running() const {
    siginfo_t ended{};
    return pid_ > 0 &&
           ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0;
  }
  void signal(int number) {
    if (pid_ > 0) ::kill(pid_, number);
  }
  // Ends it at once, and waits until it is gone.
  void kill() {
    signal(SIGKILL);
    wait();
  }
  // Waits until it ends; the exit status, or -1.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
};

}  // namespace otpd::net
