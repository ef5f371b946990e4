#include "storage/sqlite/operations.h"

namespace otpd::storage::sqlite {
namespace {

class CommitOperation final : public Operation {
 public:
  CommitOperation(Core& core, Commit commit, Callback<Result<otp::CommitResult>> done)
      : core_(core), commit_(std::move(commit)), done_(std::move(done)) {}

  void apply(Tables& tables) override {
    version_ = tables.put(commit_.key, commit_.expected, commit_.bytes, commit_.expires_at);
    if (version_) jobs_ready_ = tables.write(commit_.effects, core_.clock.now());
  }

  void finish(const Result<void>& transaction) override {
    if (!transaction) {
      core_.cache.erase(commit_.key);  // a COMMIT that failed may yet have been written
      return done_(std::unexpected(transaction.error()));
    }
    if (!version_) return done_(otp::CommitResult::conflict);
    core_.cache.put(commit_.key, {std::move(commit_.bytes), *version_});
    if (jobs_ready_) core_.jobs_bell->ring();
    done_(otp::CommitResult::done);
  }

 private:
  Core& core_;
  Commit commit_;
  Callback<Result<otp::CommitResult>> done_;
  std::optional<std::uint64_t> version_;
  bool jobs_ready_ = false;
};

class AppendOperation final : public Operation {
 public:
  AppendOperation(Core& core, otp::Effects effects, Callback<Result<bool>> done)
      : core_(core), effects_(std::move(effects)), done_(std::move(done)) {}

  void apply(Tables& tables) override { jobs_ready_ = tables.write(effects_, core_.clock.now()); }

  void finish(const Result<void>& transaction) override {
    if (!transaction) return done_(std::unexpected(transaction.error()));
    if (jobs_ready_) core_.jobs_bell->ring();
    done_(true);
  }

 private:
  Core& core_;
  otp::Effects effects_;
  Callback<Result<bool>> done_;
  bool jobs_ready_ = false;
};

class TakeOperation final : public Operation {
 public:
  TakeOperation(TimePoint now, Millis lease, std::size_t max, Callback<Result<Taken>> done)
      : now_(now), lease_(lease), max_(max), done_(std::move(done)) {}

  void apply(Tables& tables) override {
    taken_.jobs = tables.take(now_, lease_, max_);
    if (taken_.jobs.empty()) taken_.next_ready = tables.next_ready();
  }

  void finish(const Result<void>& transaction) override {
    if (!transaction) return done_(std::unexpected(transaction.error()));
    done_(std::move(taken_));
  }

 private:
  TimePoint now_;
  Millis lease_;
  std::size_t max_;
  Callback<Result<Taken>> done_;
  Taken taken_;
};

class PingOperation final : public Operation {
 public:
  PingOperation(bool write, Callback<Result<bool>> done) : write_(write), done_(std::move(done)) {}

  void apply(Tables& tables) override {
    if (write_) tables.touch();
  }

  void finish(const Result<void>& transaction) override {
    if (!transaction) return done_(std::unexpected(transaction.error()));
    done_(true);
  }

 private:
  bool write_;
  Callback<Result<bool>> done_;
};

}  // namespace

std::unique_ptr<Operation> commit_operation(Core& core, Commit commit,
                                            Callback<Result<otp::CommitResult>> done) {
  return std::make_unique<CommitOperation>(core, std::move(commit), std::move(done));
}

std::unique_ptr<Operation> append_operation(Core& core, otp::Effects effects,
                                            Callback<Result<bool>> done) {
  return std::make_unique<AppendOperation>(core, std::move(effects), std::move(done));
}

std::unique_ptr<Operation> take_operation(TimePoint now, Millis lease, std::size_t max,
                                          Callback<Result<Taken>> done) {
  return std::make_unique<TakeOperation>(now, lease, max, std::move(done));
}

std::unique_ptr<Operation> ping_operation(bool write, Callback<Result<bool>> done) {
  return std::make_unique<PingOperation>(write, std::move(done));
}

}  // namespace otpd::storage::sqlite
