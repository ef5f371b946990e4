#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "storage/backend.h"
#include "storage/doorbell.h"
#include "storage/limits.h"
#include "storage/take.h"

namespace otpd::storage {
namespace {

struct StoredRecord {
  otp::Record record;
  TimePoint expires_at;
};

struct StoredJob {
  delivery::Job job;  // with `attempt` as often as it was taken
  TimePoint ready_at;
  TimePoint leased_until;
  std::optional<TimePoint> died_at;
  std::string reason;
};

// Everything, for one thread at a time.
class MemoryTables {
 public:
  otp::Record load(const otp::Key& key) const {
    const auto found = records_.find(key);
    return found == records_.end() ? otp::Record{} : found->second.record;
  }

  bool put(const otp::Key& key, std::uint64_t expected, std::string bytes, TimePoint expires_at) {
    const auto found = records_.find(key);
    const std::uint64_t version = found == records_.end() ? 0 : found->second.record.version;
    if (version != expected) return false;
    if (!bytes.empty()) {
      records_[key] = {{std::move(bytes), next_number_++}, expires_at};
    } else if (found != records_.end()) {
      records_.erase(found);
    }
    return true;
  }

  // True if a job may have become ready.
  bool write(otp::Effects& effects, TimePoint now) {
    for (otp::NewJob& job : effects.enqueue) enqueue(std::move(job));
    for (const otp::JobEnd& end : effects.finish) finish(end, now);
    for (audit::Event& event : effects.events) append(std::move(event));
    return !effects.enqueue.empty() || !effects.finish.empty();
  }

  Taken take(TimePoint now, Millis lease, std::size_t max) {
    Taken taken;
    while (taken.jobs.size() < max && !ready_.empty() && ready_.begin()->first <= now) {
      StoredJob& stored = jobs_.at(ready_.begin()->second);
      stored.job.lease = next_number_;
      ++stored.job.attempt;
      stored.leased_until = now + lease;
      set_ready(stored, stored.leased_until);
      taken.jobs.push_back(stored.job);
    }
    if (!taken.jobs.empty()) ++next_number_;
    if (taken.jobs.empty() && !ready_.empty()) taken.next_ready = ready_.begin()->first;
    return taken;
  }

  delivery::QueueStats stats(TimePoint now) const {
    delivery::QueueStats stats;
    for (const auto& [id, stored] : jobs_) {
      if (stored.died_at) {
        ++stats.dead;
      } else {
        ++(stored.leased_until > now ? stats.leased : stats.waiting);
      }
    }
    if (!ready_.empty()) stats.oldest_due = std::max(now - ready_.begin()->first, Millis(0));
    return stats;
  }

  std::vector<delivery::DeadLetter> dead_letters(std::size_t max) const {
    std::vector<delivery::DeadLetter> letters;
    for (const auto& [id, stored] : jobs_) {
      if (!stored.died_at) continue;
      letters.push_back(
          {id, stored.reason, stored.job.attempt, *stored.died_at, stored.job.expires_at});
    }
    std::ranges::sort(letters, std::greater{}, &delivery::DeadLetter::died_at);
    letters.resize(std::min({letters.size(), max, k_max_dead_letters}));
    return letters;
  }

  std::vector<audit::Event> search(const audit::Query& query) const {
    const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, k_max_search);
    std::vector<audit::Event> found;
    for (const auto& [id, event] : events_) {
      if (matches(query, event)) found.push_back(event);
    }
    std::ranges::sort(found, std::greater{}, [](const audit::Event& e) {
      return std::pair(e.created_at, std::string_view(e.id));
    });
    found.resize(std::min(found.size(), limit));
    return found;
  }

  Purged purge(TimePoint now, const Retention& keep) {
    Purged purged;
    purged.records = std::erase_if(
        records_, [now](const auto& entry) { return entry.second.expires_at <= now; });
    for (auto& [id, stored] : jobs_) {
      if (!stored.died_at || stored.job.expires_at > now || stored.job.sealed.empty()) continue;
      stored.job.sealed.clear();
      ++purged.blanked;
    }
    purged.dead_letters = std::erase_if(jobs_, [at = now - keep.dead_letters](const auto& entry) {
      return entry.second.died_at && *entry.second.died_at <= at;
    });
    purged.events = std::erase_if(events_, [at = now - keep.audit](const auto& entry) {
      return entry.second.created_at <= at;
    });
    return purged;
  }

 private:
  static bool matches(const audit::Query& query, const audit::Event& event) {
    auto same = [](const std::string& wanted, const std::string& value) {
      return wanted.empty() || wanted == value;
    };
    return same(query.channel_hash, event.channel_hash) && same(query.user_id, event.user_id) &&
           same(query.verification_id, event.verification_id) &&
           same(query.event_type, event.event_type) &&
           (!query.from || event.created_at >= *query.from) &&
           (!query.to || event.created_at < *query.to);
  }

  void set_ready(StoredJob& stored, TimePoint at) {
    ready_.erase({stored.ready_at, stored.job.id});
    stored.ready_at = at;
    ready_.insert({at, stored.job.id});
  }

  void enqueue(otp::NewJob job) {
    if (jobs_.contains(job.id)) return;
    StoredJob stored;
    stored.job = {.id = job.id,
                  .key = std::move(job.key),
                  .sealed = std::move(job.sealed),
                  .due_at = job.due_at,
                  .expires_at = job.expires_at,
                  .attempt = 0};
    set_ready(stored, job.due_at);
    jobs_.emplace(job.id, std::move(stored));
  }

  void finish(const otp::JobEnd& end, TimePoint now) {
    const auto found = jobs_.find(end.id);
    if (found == jobs_.end() || end.lease == 0 || found->second.job.lease != end.lease) return;
    StoredJob& stored = found->second;
    stored.job.lease = 0;
    stored.leased_until = {};
    if (end.how == otp::JobEnd::How::retry) {
      stored.job.due_at = end.due_at;
      return set_ready(stored, end.due_at);
    }
    ready_.erase({stored.ready_at, stored.job.id});
    if (end.how == otp::JobEnd::How::done) {
      jobs_.erase(found);
    } else {
      stored.died_at = now;
      stored.reason = end.reason;
    }
  }

  void append(audit::Event event) {
    std::string id = event.id;
    events_.try_emplace(std::move(id), std::move(event));
  }

  std::uint64_t next_number_ = 1;  // versions and leases; only grows
  std::unordered_map<otp::Key, StoredRecord> records_;
  std::map<std::string, StoredJob> jobs_;
  std::set<std::pair<TimePoint, std::string>> ready_;  // jobs that are not dead
  std::map<std::string, audit::Event> events_;
};

// Shared with the calls in flight.
struct MemoryState {
  MemoryState(const Clock& c, const Retention& r) : clock(c), retention(r) {}

  const Clock& clock;
  const Retention retention;
  const std::shared_ptr<Doorbell> bell = std::make_shared<Doorbell>();
  std::mutex mutex;
  MemoryTables tables;
};
using SharedState = std::shared_ptr<MemoryState>;

class MemoryStore final : public otp::Store {
 public:
  explicit MemoryStore(SharedState state) : state_(std::move(state)) {}

  Task<Result<otp::Record>> load(otp::Key key) override {
    const SharedState state = state_;
    if (auto fits = check_key(key); !fits) co_return std::unexpected(fits.error());
    const std::lock_guard lock(state->mutex);
    co_return state->tables.load(key);
  }

  std::optional<otp::Record> recall(const otp::Key& key) override {
    const std::lock_guard lock(state_->mutex);
    return state_->tables.load(key);
  }

  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override {
    const SharedState state = state_;
    if (auto fits = check_record(key, bytes); !fits) co_return std::unexpected(fits.error());
    if (auto fit = check_effects(effects); !fit) co_return std::unexpected(fit.error());
    {
      const std::lock_guard lock(state->mutex);
      if (!state->tables.put(key, expected, std::move(bytes), expires_at)) {
        co_return otp::CommitResult::conflict;
      }
      if (!state->tables.write(effects, state->clock.now())) co_return otp::CommitResult::done;
    }
    state->bell->ring();
    co_return otp::CommitResult::done;
  }

  Task<Result<void>> append(otp::Effects effects) override {
    const SharedState state = state_;
    if (auto fit = check_effects(effects); !fit) co_return fit;
    {
      const std::lock_guard lock(state->mutex);
      if (!state->tables.write(effects, state->clock.now())) co_return Result<void>();
    }
    state->bell->ring();
    co_return Result<void>();
  }

  Task<Result<void>> ping() override { co_return Result<void>(); }

 private:
  SharedState state_;
};

class MemoryQueue final : public delivery::Queue {
 public:
  explicit MemoryQueue(SharedState state) : state_(std::move(state)) {}

  Task<Result<std::vector<delivery::Job>>> take(TimePoint now, Millis lease, std::size_t max,
                                                Millis wait) override {
    const SharedState state = state_;
    max = std::min(max, k_max_take);
    auto look = [&](TimePoint at) -> Task<Result<Taken>> {
      const std::lock_guard lock(state->mutex);
      co_return state->tables.take(at, lease, max);
    };
    co_return co_await take_waiting(state->bell, state->clock, now, wait, look);
  }

  Task<Result<delivery::QueueStats>> stats(TimePoint now) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    co_return state->tables.stats(now);
  }

  Task<Result<std::vector<delivery::DeadLetter>>> dead_letters(std::size_t max) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    co_return state->tables.dead_letters(max);
  }

 private:
  SharedState state_;
};

class MemoryAuditLog final : public audit::AuditLog {
 public:
  explicit MemoryAuditLog(SharedState state) : state_(std::move(state)) {}

  Task<Result<std::vector<audit::Event>>> search(audit::Query query) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    co_return state->tables.search(query);
  }

 private:
  SharedState state_;
};

class MemoryBackend final : public Backend {
 public:
  explicit MemoryBackend(const SharedState& state)
      : state_(state), store_(state), queue_(state), audit_(state) {}
  ~MemoryBackend() override { state_->bell->close(); }

  otp::Store& store() override { return store_; }
  delivery::Queue& queue() override { return queue_; }
  audit::AuditLog& audit() override { return audit_; }

  Task<Result<Purged>> purge(TimePoint now) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    co_return state->tables.purge(now, state->retention);
  }

 private:
  SharedState state_;
  MemoryStore store_;
  MemoryQueue queue_;
  MemoryAuditLog audit_;
};

}  // namespace

std::unique_ptr<Backend> make_memory_backend(const Clock& clock, const Retention& retention) {
  return std::make_unique<MemoryBackend>(std::make_shared<MemoryState>(clock, retention));
}

}  // namespace otpd::storage
