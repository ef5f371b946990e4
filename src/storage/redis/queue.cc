#include "storage/redis/queue.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "storage/limits.h"
#include "storage/redis/gather.h"
#include "storage/redis/scripts.h"
#include "storage/redis/take.h"
#include "storage/redis/values.h"
#include "storage/redis/write.h"

namespace otpd::storage::redis {
namespace {

using SharedPtr = std::shared_ptr<Shared>;
using Kind = net::RedisReply::Kind;
using Letters = std::vector<delivery::DeadLetter>;

constexpr Millis k_all_deadline{30'000};  // every call has a shorter one of its own

// Asks every partition at once; fails if one does.
template <class T, class Ask>
Task<Result<std::vector<T>>> ask_all(SharedPtr shared, Ask ask) {
  std::vector<Task<Result<T>>> tasks;
  for (Partition p = 0; p < shared->partitions(); ++p) tasks.push_back(ask(shared, p));
  std::vector<T> answers;
  for (Result<T>& answer : co_await gather(std::move(tasks), k_all_deadline)) {
    if (!answer) co_return std::unexpected(answer.error());
    answers.push_back(std::move(*answer));
  }
  co_return answers;
}

// Deaths until then count no more.
std::string forgotten_until(const Shared& shared, TimePoint now) {
  return time_text(now - shared.retention.dead_letters);
}

Task<Result<delivery::QueueStats>> count(SharedPtr shared, Partition partition, TimePoint now) {
  const Names& names = shared->names[partition];
  const auto reply = co_await shared->call(
      shared->script_call(stats_script(), partition, {names.due(), names.held(), names.dead()},
                          {time_text(now), forgotten_until(*shared, now)}));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->items.size() != 4) co_return strange_answer();
  delivery::QueueStats stats;
  stats.waiting = static_cast<std::uint64_t>(reply->items[0].number);
  stats.leased = static_cast<std::uint64_t>(reply->items[1].number);
  stats.dead = static_cast<std::uint64_t>(reply->items[2].number);
  if (const auto oldest = read_time(reply->items[3].text)) stats.oldest_due = now - *oldest;
  co_return stats;
}

Task<Result<Letters>> letters_of(SharedPtr shared, Partition partition, std::size_t max) {
  const Names& names = shared->names[partition];
  const auto reply = co_await shared->call(shared->script_call(
      letters_script(), partition, {names.dead()},
      {std::to_string(max), names.jobs(), forgotten_until(*shared, shared->clock.now())}));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->items.size() % 2 != 0) co_return strange_answer();
  Letters letters;
  for (std::size_t i = 0; i < reply->items.size(); i += 2) {
    auto letter = read_letter(reply->items[i].text, reply->items[i + 1].text);
    if (!letter) co_return strange_answer();
    letters.push_back(std::move(*letter));
  }
  co_return letters;
}

Task<Result<bool>> revive(SharedPtr shared, Partition partition, std::string id, TimePoint now) {
  const Names& names = shared->names[partition];
  auto call = shared->script_call(
      requeue_script(), partition, {names.dead(), names.due(), names.job(id), names.sealed(id)},
      {id, time_text(now), member(id, 0), std::to_string(k_job_slack.count()), names.doorbell()});
  call.replicated = shared->replicated;
  const auto reply = co_await shared->call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  co_return reply->number == 1;
}

class RedisQueue final : public delivery::Queue {
 public:
  explicit RedisQueue(SharedPtr shared) : shared_(std::move(shared)) {}

  Task<Result<std::vector<delivery::Job>>> take(TimePoint now, Millis lease, std::size_t max,
                                                Millis wait) override {
    std::call_once(listening_, [this] { listen(*shared_); });
    return redis::take(shared_, now, lease, max, wait);
  }

  Task<Result<delivery::QueueStats>> stats(TimePoint now) override {
    const auto counts = co_await ask_all<delivery::QueueStats>(
        shared_, [now](SharedPtr shared, Partition p) { return count(shared, p, now); });
    if (!counts) co_return std::unexpected(counts.error());
    delivery::QueueStats sum;
    for (const delivery::QueueStats& one : *counts) {
      sum.waiting += one.waiting;
      sum.leased += one.leased;
      sum.dead += one.dead;
      sum.oldest_due = std::max(sum.oldest_due, one.oldest_due);
    }
    co_return sum;
  }

  Task<Result<Letters>> dead_letters(std::size_t max) override {
    max = std::min(max, k_max_dead_letters);
    auto all = co_await ask_all<Letters>(
        shared_, [max](SharedPtr shared, Partition p) { return letters_of(shared, p, max); });
    if (!all) co_return std::unexpected(all.error());
    Letters letters;
    for (Letters& some : *all) std::ranges::move(some, std::back_inserter(letters));
    std::ranges::sort(letters, std::greater{}, &delivery::DeadLetter::died_at);
    letters.resize(std::min(letters.size(), max));
    co_return letters;
  }

  Task<Result<bool>> requeue(std::string id, TimePoint now) override {
    if (id.size() != k_job_id_bytes) co_return false;
    const auto revived = co_await ask_all<bool>(
        shared_, [&](SharedPtr shared, Partition p) { return revive(shared, p, id, now); });
    if (!revived) co_return std::unexpected(revived.error());
    co_return std::ranges::find(*revived, true) != revived->end();
  }

 private:
  // Once somebody takes jobs here, this process wants to hear of new ones.
  static void listen(Shared& shared) {
    std::map<std::string, Partition> partitions;
    std::vector<std::string> doorbells;
    for (Partition p = 0; p < shared.partitions(); ++p) {
      partitions.emplace(shared.names[p].doorbell(), p);
      doorbells.push_back(shared.names[p].doorbell());
    }
    const auto heard = [&shared, partitions = std::move(partitions)](const std::string& channel) {
      const auto found = partitions.find(channel);
      if (found == partitions.end()) return;
      shared.outlook.heard(found->second);
      shared.bell->ring();
    };
    shared.clients.subscribe(std::move(doorbells), heard);
  }

  SharedPtr shared_;
  std::once_flag listening_;
};

}  // namespace

std::unique_ptr<delivery::Queue> make_redis_queue(std::shared_ptr<Shared> shared) {
  return std::make_unique<RedisQueue>(std::move(shared));
}

}  // namespace otpd::storage::redis
