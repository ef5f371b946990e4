#include "storage/redis/events.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include "audit/chain.h"
#include "storage/redis/gather.h"

namespace otpd::storage::redis {
namespace {

using SharedPtr = std::shared_ptr<Shared>;
using Kind = net::RedisReply::Kind;
using Waiting = audit::EventStream::Waiting;

constexpr Millis k_backlog_deadline{30'000};  // every call has a shorter one of its own

// Every entry is [mark, ["e", event]].
Result<std::vector<Waiting>> read_entries(const net::RedisReply& reply) {
  std::vector<Waiting> entries;
  for (const net::RedisReply& entry : reply.items) {
    if (entry.items.size() != 2 || entry.items[1].items.size() != 2) return strange_answer();
    auto event = audit::from_canonical(entry.items[1].items[1].text);
    if (!event) return strange_answer();
    entries.push_back({entry.items[0].text, std::move(*event)});
  }
  return entries;
}

Task<Result<std::vector<Waiting>>> read_first(SharedPtr shared, Partition partition,
                                              std::size_t max) {
  const std::string& name = shared->names[partition].events();
  const auto reply = co_await shared->call(
      {.words = {"XRANGE", name, "-", "+", "COUNT", std::to_string(max)}, .key = name});
  if (!reply) co_return std::unexpected(reply.error());
  co_return read_entries(*reply);
}

Task<Result<audit::Backlog>> backlog_of(SharedPtr shared, Partition partition, TimePoint now) {
  const std::string& name = shared->names[partition].events();
  const auto length = co_await shared->call({.words = {"XLEN", name}, .key = name});
  if (!length) co_return std::unexpected(length.error());
  audit::Backlog backlog{.events = static_cast<std::uint64_t>(length->number)};
  if (backlog.events == 0) co_return backlog;
  const auto first = co_await read_first(shared, partition, 1);
  if (!first) co_return std::unexpected(first.error());
  if (!first->empty()) {
    backlog.oldest = std::max(now - first->front().event.created_at, Millis(0));
  }
  co_return backlog;
}

class RedisEvents final : public audit::EventStream {
 public:
  explicit RedisEvents(SharedPtr shared)
      : shared_(std::move(shared)), last_read_(shared_->partitions()) {}

  std::uint32_t partitions() const override { return shared_->partitions(); }

  Task<Result<std::vector<Waiting>>> read(std::uint32_t partition, std::size_t max) override {
    auto entries = co_await read_first(shared_, partition, max);
    if (!entries) co_return entries;
    std::vector<std::string> marks;
    for (const Waiting& entry : *entries) marks.push_back(entry.mark);
    const std::lock_guard lock(mutex_);
    last_read_[partition] = std::move(marks);
    co_return entries;
  }

  Task<Result<void>> forget(std::uint32_t partition, std::vector<std::string> marks) override {
    if (marks.empty()) co_return Result<void>();
    const std::string& name = shared_->names[partition].events();
    net::RedisCall call{.words = {"XDEL", name}, .key = name};
    const auto after = mark_after(marks.back());
    if (after && is_all_read(partition, marks)) {
      // Nothing older than the last is left out, so that the stream can be cut there.
      call.words = {"XTRIM", name, "MINID", *after};
    } else {
      call.words.insert(call.words.end(), marks.begin(), marks.end());
    }
    const auto reply = co_await shared_->call(std::move(call));
    if (!reply) co_return std::unexpected(reply.error());
    co_return Result<void>();
  }

  Task<Result<audit::Backlog>> backlog(TimePoint now) override {
    std::vector<Task<Result<audit::Backlog>>> tasks;
    for (Partition p = 0; p < partitions(); ++p) tasks.push_back(backlog_of(shared_, p, now));
    audit::Backlog sum;
    for (const auto& one : co_await gather(std::move(tasks), k_backlog_deadline)) {
      if (!one) co_return std::unexpected(one.error());
      sum.events += one->events;
      sum.oldest = std::max(sum.oldest, one->oldest);
    }
    co_return sum;
  }

 private:
  bool is_all_read(Partition partition, const std::vector<std::string>& marks) {
    const std::lock_guard lock(mutex_);
    return last_read_[partition] == marks;
  }

  SharedPtr shared_;
  std::mutex mutex_;
  std::vector<std::vector<std::string>> last_read_;  // by partition, the marks
};

}  // namespace

std::optional<std::string> mark_after(std::string_view mark) {
  const std::size_t dash = mark.find('-');
  if (dash == mark.npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = mark.data() + mark.size();
  const auto [stop, error] = std::from_chars(mark.data() + dash + 1, end, number);
  if (error != std::errc() || stop != end || number == UINT64_MAX) return std::nullopt;
  return std::string(mark.substr(0, dash + 1)) + std::to_string(number + 1);
}

std::unique_ptr<audit::EventStream> make_redis_events(std::shared_ptr<Shared> shared) {
  return std::make_unique<RedisEvents>(std::move(shared));
}

}  // namespace otpd::storage::redis
