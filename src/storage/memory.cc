#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/backend.h"
#include "storage/doorbell.h"
#include "storage/job_book.h"
#include "storage/limits.h"
#include "storage/take.h"

namespace otpd::storage {
namespace {

struct StoredRecord {
  otp::Record record;
  TimePoint expires_at;
};

struct StoredLetter {
  delivery::DeadLetter letter;
  otp::Key key;
  std::string sealed;
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
      records_[key] = {{std::move(bytes), next_version_++}, expires_at};
    } else if (found != records_.end()) {
      records_.erase(found);
    }
    return true;
  }

  // True if a job may have become ready.
  bool write(JobBook& book, otp::Effects& effects, TimePoint now) {
    BookChanges changes;
    for (std::size_t i = 0; i < effects.enqueue.size(); ++i) {
      if (!dead_.contains(effects.enqueue[i].id)) changes.entered(i);
    }
    for (std::size_t i = 0; i < effects.finish.size(); ++i) {
      if (finish(book, effects.finish[i], now)) changes.ended(i);
    }
    for (audit::Event& event : effects.events) append(std::move(event));
    return changes.settle(book, effects, true);
  }

  std::uint64_t dead() const { return dead_.size(); }

  std::vector<delivery::DeadLetter> dead_letters(std::size_t max) const {
    std::vector<delivery::DeadLetter> letters;
    for (const auto& [id, stored] : dead_) letters.push_back(stored.letter);
    std::ranges::sort(letters, std::greater{}, &delivery::DeadLetter::died_at);
    letters.resize(std::min({letters.size(), max, k_max_dead_letters}));
    return letters;
  }

  bool revive(JobBook& book, const std::string& id, TimePoint now) {
    const auto found = dead_.find(id);
    if (found == dead_.end()) return false;
    StoredLetter& letter = found->second;
    if (letter.sealed.empty() || letter.letter.expires_at <= now) return false;
    book.add({id, std::move(letter.key), now, letter.letter.expires_at, std::move(letter.sealed)});
    dead_.erase(found);
    return true;
  }

  std::vector<audit::Event> search(const audit::Query& query) const {
    const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, k_max_search);
    std::vector<audit::Event> found;
    for (const audit::Line& line : lines_) {
      if (matches(query, line.event)) found.push_back(line.event);
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
    for (auto& [id, stored] : dead_) {
      if (stored.letter.expires_at > now || stored.sealed.empty()) continue;
      stored.sealed.clear();
      ++purged.blanked;
    }
    purged.dead_letters = std::erase_if(dead_, [at = now - keep.dead_letters](const auto& entry) {
      return entry.second.letter.died_at <= at;
    });
    const auto kept = std::ranges::find_if(
        lines_, [at = now - keep.audit](const auto& line) { return line.event.created_at > at; });
    purged.events = static_cast<std::uint64_t>(kept - lines_.begin());
    for (auto line = lines_.begin(); line != kept; ++line) event_ids_.erase(line->event.id);
    lines_.erase(lines_.begin(), kept);
    return purged;
  }

  const audit::Head& head() const { return head_; }

  std::optional<audit::ChainSpan> span(TimePoint from, TimePoint to) const {
    std::optional<audit::ChainSpan> span;
    for (const audit::Line& line : lines_) {
      if (line.event.created_at < from || line.event.created_at >= to) continue;
      if (!span) span = {line.number, line.number};
      span->last = line.number;
    }
    return span;
  }

  std::vector<audit::Line> lines(std::uint64_t from, std::size_t limit) const {
    const auto first = std::ranges::lower_bound(lines_, from, {}, &audit::Line::number);
    std::vector<audit::Line> found(first, lines_.end());
    found.resize(std::min({found.size(), limit, k_max_search}));
    return found;
  }

  std::vector<audit::Checkpoint> checkpoints(std::uint64_t from, std::size_t limit) const {
    auto first = checkpoints_.lower_bound(from);
    if (first != checkpoints_.begin()) --first;
    std::vector<audit::Checkpoint> found;
    for (; first != checkpoints_.end() && found.size() < std::min(limit, k_max_search); ++first) {
      found.push_back(first->second);
    }
    return found;
  }

  void add(audit::Checkpoint checkpoint) {
    checkpoints_.try_emplace(checkpoint.number, std::move(checkpoint));
  }

 private:
  static bool matches(const audit::Query& query, const audit::Event& event) {
    auto same = [](const std::string& wanted, const std::string& value) {
      return wanted.empty() || wanted == value;
    };
    return same(query.channel_hash, event.channel_hash) && same(query.user_id, event.user_id) &&
           same(query.verification_id, event.verification_id) &&
           same(query.event_type, event.event_type) &&
           (!query.application || event.application == *query.application) &&
           (!query.from || event.created_at >= *query.from) &&
           (!query.to || event.created_at < *query.to) &&
           (!query.before || std::tie(event.created_at, event.id) <
                                 std::tie(query.before->created_at, query.before->id));
  }

  // False if the lease is stale.
  bool finish(JobBook& book, const otp::JobEnd& end, TimePoint now) {
    const auto aside = book.set_aside(end.id, end.lease);
    if (aside && end.how == otp::JobEnd::How::dead) {
      dead_[end.id] = {.letter = {.id = end.id,
                                  .reason = end.reason,
                                  .attempts = aside->attempts,
                                  .died_at = now,
                                  .expires_at = aside->job->expires_at},
                       .key = aside->job->key,
                       .sealed = aside->job->sealed};
    }
    return aside.has_value();
  }

  void append(audit::Event event) {
    if (!event_ids_.insert(event.id).second) return;
    head_ = audit::extend(head_, event);
    lines_.push_back({head_.number, std::move(event), head_.hash});
  }

  std::uint64_t next_version_ = 1;  // only grows
  std::unordered_map<otp::Key, StoredRecord> records_;
  std::map<std::string, StoredLetter> dead_;
  audit::Head head_;
  std::vector<audit::Line> lines_;
  std::unordered_set<std::string> event_ids_;
  std::map<std::uint64_t, audit::Checkpoint> checkpoints_;
};

// Shared with the calls in flight.
struct MemoryState {
  MemoryState(const Clock& c, const Retention& r) : clock(c), retention(r) {}

  const Clock& clock;
  const Retention retention;
  const std::shared_ptr<Doorbell> bell = std::make_shared<Doorbell>();
  JobBook jobs;
  std::mutex mutex;
  MemoryTables tables;  // under the mutex
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
      if (!state->tables.write(state->jobs, effects, state->clock.now()))
        co_return otp::CommitResult::done;
    }
    state->bell->ring();
    co_return otp::CommitResult::done;
  }

  Task<Result<void>> append(otp::Effects effects) override {
    const SharedState state = state_;
    if (auto fit = check_effects(effects); !fit) co_return fit;
    {
      const std::lock_guard lock(state->mutex);
      if (!state->tables.write(state->jobs, effects, state->clock.now())) co_return Result<void>();
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
    co_return co_await take_waiting(state->jobs, state->bell, state->clock, now, lease, max, wait);
  }

  Task<Result<delivery::QueueStats>> stats(TimePoint now) override {
    const SharedState state = state_;
    delivery::QueueStats stats = state->jobs.stats(now);
    const std::lock_guard lock(state->mutex);
    stats.dead = state->tables.dead();
    co_return stats;
  }

  Task<Result<std::vector<delivery::DeadLetter>>> dead_letters(std::size_t max) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    co_return state->tables.dead_letters(max);
  }

  Task<Result<bool>> requeue(std::string id, TimePoint now) override {
    const SharedState state = state_;
    bool revived = false;
    {
      const std::lock_guard lock(state->mutex);
      revived = state->tables.revive(state->jobs, id, now);
    }
    if (revived) state->bell->ring();
    co_return revived;
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

  Task<Result<std::vector<audit::Head>>> heads() override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    std::vector<audit::Head> heads;
    if (state->tables.head().number != 0) heads.push_back(state->tables.head());
    co_return heads;
  }

  Task<Result<std::optional<audit::ChainSpan>>> span(std::uint32_t chain, TimePoint from,
                                                     TimePoint to) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    co_return chain == 0 ? state->tables.span(from, to) : std::nullopt;
  }

  Task<Result<std::vector<audit::Line>>> lines(std::uint32_t chain, std::uint64_t from,
                                               std::size_t limit) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    if (chain != 0) co_return std::vector<audit::Line>();
    co_return state->tables.lines(from, limit);
  }

  Task<Result<std::vector<audit::Checkpoint>>> checkpoints(std::uint32_t chain, std::uint64_t from,
                                                           std::size_t limit) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    if (chain != 0) co_return std::vector<audit::Checkpoint>();
    co_return state->tables.checkpoints(from, limit);
  }

  Task<Result<void>> add_checkpoint(audit::Checkpoint checkpoint) override {
    const SharedState state = state_;
    const std::lock_guard lock(state->mutex);
    state->tables.add(std::move(checkpoint));
    co_return Result<void>();
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
