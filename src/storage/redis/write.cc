#include "storage/redis/write.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "audit/chain.h"
#include "storage/redis/scripts.h"

namespace otpd::storage::redis {
namespace {

constexpr Millis k_longest_life = std::chrono::days(3650);

std::string ms_text(Millis ms) {
  return std::to_string(ms.count());
}

Write& of_partition(std::vector<Write>& writes, Partition partition) {
  const auto found = std::ranges::find(writes, partition, &Write::partition);
  if (found != writes.end()) return *found;
  return writes.emplace_back(Write{.partition = partition});
}

// A lease of no partition is stale: its end changes nothing.
void plan_ends(std::vector<Write>& writes, const otp::Effects& effects, std::uint32_t partitions) {
  for (const otp::JobEnd& end : effects.finish) {
    const Lease lease = unpack(end.lease);
    if (lease.number == 0 || lease.partition >= partitions) continue;
    of_partition(writes, lease.partition).finish.push_back(&end);
  }
}

// Puts a call's keys and arguments together.
class WriteWords {
 public:
  WriteWords(const Write& write, const Names& names, const WriteRules& rules)
      : write_(write), names_(names), rules_(rules) {}

  net::RedisCall call() {
    put_state();
    bool rings = false;
    for (const otp::NewJob* job : write_.enqueue) rings |= job->due_at <= rules_.now;
    for (const otp::JobEnd* end : write_.finish) {
      rings |= end->how == otp::JobEnd::How::retry && end->due_at <= rules_.now;
    }
    add(write_.events.empty() ? "" : std::to_string(rules_.max_backlog));
    add(rings ? names_.doorbell() : "");
    put_steps();
    const std::size_t keys = keys_.size();
    std::ranges::move(args_, std::back_inserter(keys_));
    return {.words = std::move(keys_),
            .key = names_.doorbell(),
            .script = &write_script(),
            .keys = keys};
  }

 private:
  void add(std::string argument) { args_.push_back(std::move(argument)); }

  void put_state() {
    const auto& state = write_.state;
    keys_.push_back(state ? names_.record(*state->key) : names_.due());
    add(state ? version_text(state->expected) : "");
    add(state && !state->bytes->empty() ? record_value(state->version, *state->bytes) : "");
    add(state ? ms_text(life(state->expires_at, rules_.now, k_record_slack)) : "");
    if (write_.events.empty() && !write_.has_jobs()) return;
    keys_.push_back(names_.events());
    if (write_.has_jobs()) keys_.insert(keys_.end(), {names_.due(), names_.held()});
  }

  void put_steps() {
    for (const audit::Event* event : write_.events) {
      add("e");
      add(audit::canonical(*event));
    }
    for (const otp::NewJob* job : write_.enqueue) put_job(*job);
    bool has_dead = false;
    for (const otp::JobEnd* end : write_.finish) {
      put_end(*end);
      has_dead |= end->how == otp::JobEnd::How::dead;
    }
    if (has_dead) keys_.push_back(names_.dead());
  }

  void put_job(const otp::NewJob& job) {
    keys_.push_back(names_.job(job.id));
    add("n");
    add(member(job.id, 0));
    add(time_text(job.due_at));
    add(job_value(job));
    add(ms_text(life(job.expires_at, rules_.now, k_job_slack)));
  }

  void put_end(const otp::JobEnd& end) {
    const Lease lease = unpack(end.lease);
    switch (end.how) {
      case otp::JobEnd::How::done:
        keys_.push_back(names_.job(end.id));
        add("d");
        add(member(end.id, end.lease));
        return;
      case otp::JobEnd::How::retry:
        add("r");
        add(member(end.id, end.lease));
        add(member(end.id, pack({.times = lease.times})));
        add(time_text(end.due_at));
        return;
      case otp::JobEnd::How::dead:
        keys_.insert(keys_.end(), {names_.job(end.id), names_.sealed(end.id)});
        add("x");
        add(member(end.id, end.lease));
        add(letter_text(rules_.now, lease.times, end.reason));
        add(time_text(rules_.now));
        add(ms_text(rules_.dead_letters));
        add(time_text(rules_.now - rules_.dead_letters));
        return;
    }
  }

  const Write& write_;
  const Names& names_;
  const WriteRules& rules_;
  std::vector<std::string> keys_;
  std::vector<std::string> args_;
};

}  // namespace

Millis life(TimePoint expires_at, TimePoint now, Millis slack) {
  if (expires_at <= now) return slack;
  // Before the subtraction, which could overflow.
  if (expires_at - k_longest_life >= now) return k_longest_life;
  return std::min(expires_at - now + slack, k_longest_life);
}

std::vector<Write> plan_commit(const NewState& state, const otp::Effects& effects,
                               std::uint32_t partitions) {
  std::vector<Write> writes;
  Write& first =
      writes.emplace_back(Write{.partition = partition_of(*state.key, partitions), .state = state});
  for (const otp::NewJob& job : effects.enqueue) first.enqueue.push_back(&job);
  for (const audit::Event& event : effects.events) first.events.push_back(&event);
  plan_ends(writes, effects, partitions);
  return writes;
}

std::vector<Write> plan_append(const otp::Effects& effects, std::uint32_t partitions) {
  std::vector<Write> writes;
  plan_ends(writes, effects, partitions);
  for (const otp::NewJob& job : effects.enqueue) {
    of_partition(writes, partition_of(job.key, partitions)).enqueue.push_back(&job);
  }
  if (effects.events.empty()) return writes;
  if (writes.empty()) of_partition(writes, partition_of(effects.events[0].id, partitions));
  for (const audit::Event& event : effects.events) writes[0].events.push_back(&event);
  return writes;
}

net::RedisCall write_call(const Write& write, const Names& names, const WriteRules& rules) {
  return WriteWords(write, names, rules).call();
}

}  // namespace otpd::storage::redis
