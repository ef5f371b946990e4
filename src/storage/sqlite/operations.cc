#include "storage/sqlite/operations.h"

namespace otpd::storage::sqlite {
namespace {

// The share that effects have in an operation.
class EffectsShare {
 public:
  EffectsShare(Core& core, otp::Effects effects) : core_(core), effects_(std::move(effects)) {}

  // In the transaction.
  void apply(Tables& tables) {
    const TimePoint now = core_.clock.now();
    for (std::size_t i = 0; i < effects_.enqueue.size(); ++i) {
      if (tables.enqueue(effects_.enqueue[i])) changes_.entered(i);
    }
    for (std::size_t i = 0; i < effects_.finish.size(); ++i) {
      const otp::JobEnd& end = effects_.finish[i];
      const auto aside = core_.jobs.set_aside(end.id, end.lease);
      if (!aside) continue;
      tables.finish(end, aside->attempts, now);
      changes_.ended(i);
    }
    for (const audit::Event& event : effects_.events) tables.append(event);
  }

  // After it.
  void settle(bool committed) {
    if (changes_.settle(core_.jobs, effects_, committed)) core_.jobs_bell->ring();
  }

 private:
  Core& core_;
  otp::Effects effects_;
  BookChanges changes_;
};

class CommitOperation final : public Operation {
 public:
  CommitOperation(Core& core, Commit commit, Callback<Result<otp::CommitResult>> done)
      : core_(core),
        key_(std::move(commit.key)),
        expected_(commit.expected),
        bytes_(std::move(commit.bytes)),
        expires_at_(commit.expires_at),
        effects_(core, std::move(commit.effects)),
        done_(std::move(done)) {}

  void apply(Tables& tables) override {
    version_ = tables.put(key_, expected_, bytes_, expires_at_);
    if (version_) effects_.apply(tables);
  }

  void finish(const Result<void>& transaction) override {
    // A job is handed out only when the record that it is about can be found.
    if (!transaction) {
      forget();
    } else if (version_) {
      publish();
    }
    effects_.settle(transaction.has_value());
    if (!transaction) return done_(std::unexpected(transaction.error()));
    done_(version_ ? otp::CommitResult::done : otp::CommitResult::conflict);
  }

 private:
  // A COMMIT that failed may yet have been written.
  void forget() {
    if (expected_ == 0) core_.known_keys.add(key_);
    core_.cache.erase(key_);
  }

  void publish() {
    if (expected_ == 0 && *version_ != 0) core_.known_keys.add(key_);
    if (expected_ != 0 && *version_ == 0) core_.known_keys.remove(key_);
    core_.cache.put(key_, {std::move(bytes_), *version_});
  }

  Core& core_;
  const otp::Key key_;
  const std::uint64_t expected_;
  std::string bytes_;
  const TimePoint expires_at_;
  EffectsShare effects_;
  Callback<Result<otp::CommitResult>> done_;
  std::optional<std::uint64_t> version_;
};

class AppendOperation final : public Operation {
 public:
  AppendOperation(Core& core, otp::Effects effects, Callback<Result<bool>> done)
      : effects_(core, std::move(effects)), done_(std::move(done)) {}

  void apply(Tables& tables) override { effects_.apply(tables); }

  void finish(const Result<void>& transaction) override {
    effects_.settle(transaction.has_value());
    if (!transaction) return done_(std::unexpected(transaction.error()));
    done_(true);
  }

 private:
  EffectsShare effects_;
  Callback<Result<bool>> done_;
};

class RequeueOperation final : public Operation {
 public:
  RequeueOperation(Core& core, std::string id, TimePoint now, Callback<Result<bool>> done)
      : core_(core), id_(std::move(id)), now_(now), done_(std::move(done)) {}

  void apply(Tables& tables) override { job_ = tables.revive(id_, now_); }

  void finish(const Result<void>& transaction) override {
    if (!transaction) return done_(std::unexpected(transaction.error()));
    const bool revived = job_.has_value();
    if (revived) {
      core_.jobs.add(std::move(*job_));
      core_.jobs_bell->ring();
    }
    done_(revived);
  }

 private:
  Core& core_;
  const std::string id_;
  const TimePoint now_;
  std::optional<otp::NewJob> job_;
  Callback<Result<bool>> done_;
};

class CheckpointOperation final : public Operation {
 public:
  CheckpointOperation(audit::Checkpoint checkpoint, Callback<Result<bool>> done)
      : checkpoint_(std::move(checkpoint)), done_(std::move(done)) {}

  void apply(Tables& tables) override { tables.add(checkpoint_); }

  void finish(const Result<void>& transaction) override {
    if (!transaction) return done_(std::unexpected(transaction.error()));
    done_(true);
  }

 private:
  const audit::Checkpoint checkpoint_;
  Callback<Result<bool>> done_;
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

std::unique_ptr<Operation> requeue_operation(Core& core, std::string id, TimePoint now,
                                             Callback<Result<bool>> done) {
  return std::make_unique<RequeueOperation>(core, std::move(id), now, std::move(done));
}

std::unique_ptr<Operation> checkpoint_operation(audit::Checkpoint checkpoint,
                                                Callback<Result<bool>> done) {
  return std::make_unique<CheckpointOperation>(std::move(checkpoint), std::move(done));
}

std::unique_ptr<Operation> ping_operation(bool write, Callback<Result<bool>> done) {
  return std::make_unique<PingOperation>(write, std::move(done));
}

}  // namespace otpd::storage::sqlite
