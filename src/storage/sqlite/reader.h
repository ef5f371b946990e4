// Reader: a thread with a connection of its own that answers queries in batches.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/inbox.h"

namespace otpd::storage::sqlite {

// One call's question. `ask` runs on the reader's thread inside a read transaction, `answer` after
// it with the transaction's result (or at once with the refusal).
struct Question {
  std::move_only_function<void(Connection&)> ask;
  std::move_only_function<void(const Result<void>&)> answer;
};

class Reader {
 public:
  struct Config {
    std::string name;         // of the thread
    std::size_t queue_limit;  // questions that wait; more are refused at once
    std::size_t batch_limit;  // questions answered from one snapshot
    Millis time_limit;        // for a batch; then it fails with Failure::timeout
  };

  // `connection` must be open and be left to the reader until stop().
  Reader(Config config, Connection& connection);
  ~Reader() { stop(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Starts the thread, which first does `preface`; questions wait meanwhile.
  void start(std::move_only_function<void(Connection&)> preface = {});

  // Queues the question. It sees every commit that was acknowledged before this call. Failures of
  // the answer: overloaded, unavailable, and what reading says. Safe from any thread.
  void submit(Question question);

  // Answers what waits, then ends the thread. Idempotent.
  void stop();

 private:
  void run();

  const Config config_;
  Connection& connection_;
  Inbox<Question> inbox_;
  std::thread thread_;
};

}  // namespace otpd::storage::sqlite
