// MailPool: threads that each send one mail at a time, keeping their connections.
//
// libcurl's SMTP cannot run on an event loop: at the end of a mail, and when it says QUIT, it
// blocks until the server answers.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/secret.h"
#include "base/task.h"
#include "net/client.h"

namespace otpd::net {

// A MailCall with copies of what that only refers to.
struct MailJob {
  explicit MailJob(const MailCall& call);

  MailCall call;  // its views point into the members below
  Secret password;
  Secret to;
  Secret message;
  std::chrono::steady_clock::time_point deadline;
};

class MailPool {
 public:
  static constexpr std::size_t k_max_waiting = 1'000;

  explicit MailPool(const ClientConfig& config);
  // Ends what is under way: it fails with Failure::unavailable, as does what waits.
  ~MailPool();
  MailPool(const MailPool&) = delete;
  MailPool& operator=(const MailPool&) = delete;

  // Sends the mail on one of the threads, which then calls `done`.
  void send(MailJob job, Callback<Result<MailAnswer>> done);

 private:
  class Worker;
  struct Waiting {
    MailJob job;
    Callback<Result<MailAnswer>> done;
  };

  void work(Worker& worker);
  std::unique_ptr<Waiting> next();

  const ClientConfig& config_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::size_t idle_ = 0;
  std::deque<std::unique_ptr<Waiting>> waiting_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace otpd::net
