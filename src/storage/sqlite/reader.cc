#include "storage/sqlite/reader.h"

#include <pthread.h>

#include <utility>

namespace otpd::storage::sqlite {

Reader::Reader(Config config, Connection& connection)
    : config_(std::move(config)), connection_(connection), inbox_(config_.queue_limit) {}

void Reader::start(std::move_only_function<void(Connection&)> preface) {
  thread_ = std::thread([this, preface = std::move(preface)]() mutable {
    pthread_setname_np(pthread_self(), config_.name.c_str());
    if (preface) preface(connection_);
    run();
  });
}

void Reader::submit(Question question) {
  switch (inbox_.put(question)) {
    case Inbox<Question>::Put::accepted:
      return;
    case Inbox<Question>::Put::full:
      return question.answer(fail(Failure::overloaded, "too many reads wait for the database"));
    case Inbox<Question>::Put::closed:
      return question.answer(fail(Failure::unavailable, "the database is being closed"));
  }
}

void Reader::stop() {
  inbox_.close();
  if (thread_.joinable()) thread_.join();
}

void Reader::run() {
  std::vector<Question> batch;
  while (inbox_.take(batch, config_.batch_limit)) {
    // The snapshot is taken at the first read after this, so after every question was asked.
    connection_.stop_at(std::chrono::steady_clock::now() + config_.time_limit);
    connection_.begin_read();
    for (Question& question : batch) question.ask(connection_);
    const Result<void> result = connection_.end();
    for (Question& question : batch) question.answer(result);
  }
}

}  // namespace otpd::storage::sqlite
