#include "storage/redis/take.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/log.h"
#include "storage/limits.h"
#include "storage/redis/gather.h"
#include "storage/redis/scripts.h"
#include "storage/redis/values.h"

namespace otpd::storage::redis {
namespace {

using Steady = std::chrono::steady_clock;
using SharedPtr = std::shared_ptr<Shared>;
using Jobs = std::vector<delivery::Job>;
using Kind = net::RedisReply::Kind;

constexpr std::size_t k_side_by_side = 8;    // partitions asked at once
constexpr Millis k_gather_deadline{30'000};  // every call has a shorter one of its own
// A virtual clock may stand still just before the next job is due.
constexpr Millis k_shortest_pause{10};

// The lowest score of a set that has at least the member at infinity; nothing if that is all.
std::optional<TimePoint> first_time(const net::RedisReply& head) {
  return head.items.size() == 2 ? read_time(head.items[1].text) : std::nullopt;
}

Task<Result<net::RedisReply>> head_of(SharedPtr shared, std::string set) {
  co_return co_await shared->call({.words = {"ZRANGE", set, "0", "0", "WITHSCORES"}, .key = set});
}

// Learns when the partition will have something to take.
Task<Result<bool>> look(SharedPtr shared, Partition partition) {
  const Names& names = shared->names[partition];
  std::vector<Task<Result<net::RedisReply>>> both;
  both.push_back(head_of(shared, names.due()));
  both.push_back(head_of(shared, names.held()));
  const auto heads = co_await gather(std::move(both), k_gather_deadline);
  for (const auto& head : heads) {
    if (!head) co_return std::unexpected(head.error());
  }
  shared->outlook.saw(partition, first_time(*heads[0]), first_time(*heads[1]));
  if (heads[0]->items.empty() || heads[1]->items.empty()) {
    shared->distrust(partition);
    co_await shared->keep(partition);
  }
  co_return true;
}

// Fails only if no partition answers.
Task<Result<void>> look_everywhere(SharedPtr shared) {
  std::vector<Task<Result<bool>>> looks;
  for (Partition p = 0; p < shared->partitions(); ++p) looks.push_back(look(shared, p));
  const auto seen = co_await gather(std::move(looks), k_gather_deadline);
  if (std::ranges::none_of(seen, [](const auto& one) { return one.has_value(); })) {
    co_return std::unexpected(seen.front().error());
  }
  co_return Result<void>();
}

Result<Jobs> read_jobs(const net::RedisReply& reply) {
  Jobs jobs;
  for (std::size_t i = 1; i < reply.items.size(); i += 3) {
    auto job = read_job(reply.items[i].text, reply.items[i + 1].text, reply.items[i + 2].text);
    if (job) {
      jobs.push_back(std::move(*job));
    } else {
      log::error("a job in Redis cannot be read");  // it stays held until its life ends
    }
  }
  return jobs;
}

Task<Result<Jobs>> take_from(SharedPtr shared, Outlook::Pick pick, TimePoint now, Millis lease,
                             std::size_t most) {
  const Names& names = shared->names[pick.partition];
  const std::string leased =
      member({}, pack({.partition = pick.partition, .number = shared->draw_lease_number()}));
  const auto reply = co_await shared->call(shared->script_call(
      take_script(), pick.partition, {names.due(), names.held()},
      {time_text(now), time_text(now + lease), std::to_string(most), names.jobs(),
       leased.substr(0, 2), leased.substr(4), pick.end_leases ? "1" : ""}));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->kind != Kind::array || reply->items.size() % 3 != 1) co_return strange_answer();
  if (const auto next = read_time(reply->items[0].text)) {
    shared->outlook.expect(pick.partition, *next);
  }
  co_return read_jobs(*reply);
}

// How long to wait for what comes `next`, at most `longest`.
Millis until(std::optional<TimePoint> next, TimePoint now, Millis longest) {
  if (!next || *next >= now + longest) return std::max(longest, k_shortest_pause);
  return *next <= now ? k_shortest_pause : std::max(*next - now, k_shortest_pause);
}

// From the partitions that promise something, until `max` or until they are asked.
Task<Result<Jobs>> take_promised(SharedPtr shared, TimePoint now, Millis lease, std::size_t max) {
  Jobs jobs;
  std::optional<Error> trouble;
  while (jobs.size() < max) {
    const std::size_t left = max - jobs.size();
    const auto picks = shared->outlook.pick(now, std::min(left, k_side_by_side));
    if (picks.empty()) break;
    std::vector<Task<Result<Jobs>>> takes;
    for (const Outlook::Pick& pick : picks) {
      takes.push_back(take_from(shared, pick, now, lease, left / picks.size()));
    }
    for (Result<Jobs>& taken : co_await gather(std::move(takes), k_gather_deadline)) {
      if (taken) {
        std::ranges::move(*taken, std::back_inserter(jobs));
      } else {
        trouble = taken.error();
      }
    }
  }
  if (jobs.empty() && trouble) co_return std::unexpected(*trouble);
  std::ranges::sort(jobs, {}, &delivery::Job::due_at);
  co_return jobs;
}

}  // namespace

Task<Result<Jobs>> take(SharedPtr shared, TimePoint now, Millis lease, std::size_t max,
                        Millis wait) {
  const auto give_up = Steady::now() + wait;
  max = std::min(max, k_max_take);
  while (!shared->bell->closed()) {
    const std::uint64_t seen = shared->bell->rings();
    if (wait <= Millis(0) || shared->is_time_to_look()) {
      const auto looked = co_await look_everywhere(shared);
      if (shared->bell->closed()) break;
      if (!looked) co_return std::unexpected(looked.error());
    }
    auto jobs = co_await take_promised(shared, now, lease, max);
    const Millis left = std::chrono::ceil<Millis>(give_up - Steady::now());
    if (!jobs || !jobs->empty() || left <= Millis(0)) co_return jobs;
    const Millis pause = std::min(left, shared->until_look());
    co_await shared->bell->wait(seen, until(shared->outlook.next(), now, pause));
    now = std::max(now, shared->clock.now());
  }
  co_return Jobs();
}

}  // namespace otpd::storage::redis
