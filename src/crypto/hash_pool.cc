#include "crypto/hash_pool.h"

#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "crypto/primitives.h"

namespace otpd::crypto {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int k_nice_of_hash_threads = 5;

struct HashJob {
  HashParams params;
  Secret input;
  std::string salt;
  Callback<Result<std::string>> done;
  Steady::time_point queued_at;
};

// The processors that this process may run on.
unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

// Event loops must answer while every core hashes. Best effort: without it the pool still works.
void yield_to_event_loops() {
  const auto self = static_cast<id_t>(gettid());
  setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + k_nice_of_hash_threads);
}

Result<std::string> argon2id(const HashParams& params, std::string_view input,
                             std::string_view salt) {
  std::string out(k_digest_bytes, '\0');
  errno = 0;
  const int bad = crypto_pwhash_argon2id(
      reinterpret_cast<unsigned char*>(out.data()), out.size(), input.data(), input.size(),
      reinterpret_cast<const unsigned char*>(salt.data()), params.passes,
      std::size_t{params.memory_kib} * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (bad == 0) return out;
  if (errno == EINVAL || errno == EFBIG) {
    return fail(Failure::invalid, "argon2id: memory or passes out of range");
  }
  return fail(Failure::overloaded, "argon2id: no memory");
}

}  // namespace

Result<std::string> hash_now(const HashParams& params, std::string_view input,
                             std::string_view salt) {
  if (salt.size() != k_salt_bytes) return fail(Failure::invalid, "salt is not 16 bytes long");
  switch (params.algorithm) {
    case HashParams::Algorithm::argon2id:
      return argon2id(params, input, salt);
    case HashParams::Algorithm::hmac:
      return hmac_sha256(salt, input);
  }
  return fail(Failure::invalid, "unknown hash algorithm");
}

struct HashPool::State {
  State(unsigned threads, const Config& config, Histogram wait)
      : capacity(threads + config.queue), deadline(config.deadline), wait_seconds(wait) {}

  void submit(HashJob job);
  void work();
  std::optional<HashJob> next();
  void finish(HashJob job);

  const std::size_t capacity;
  const Millis deadline;
  const Histogram wait_seconds;
  std::atomic<std::size_t> taken{0};  // places: tickets, and hashes waiting or running
  std::atomic<std::size_t> depth{0};
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<HashJob> jobs;  // guarded by mutex, like `stopping`
  bool stopping = false;
  std::vector<std::thread> threads;
};

void HashPool::State::submit(HashJob job) {
  depth.fetch_add(1);
  {
    const std::lock_guard lock(mutex);
    jobs.push_back(std::move(job));
  }
  wake.notify_one();
}

std::optional<HashJob> HashPool::State::next() {
  std::unique_lock lock(mutex);
  wake.wait(lock, [this] { return stopping || !jobs.empty(); });
  if (stopping) return std::nullopt;
  HashJob job = std::move(jobs.front());
  jobs.pop_front();
  return job;
}

void HashPool::State::work() {
  yield_to_event_loops();
  while (auto job = next()) finish(std::move(*job));
}

void HashPool::State::finish(HashJob job) {
  const auto waited = Steady::now() - job.queued_at;
  wait_seconds.observe(std::chrono::duration<double>(waited).count());
  // Nobody waits for it any more: do not burn the time of those who do.
  Result<std::string> digest = fail(Failure::timeout, "no hashing thread in time");
  if (waited < deadline) digest = hash_now(job.params, job.input.reveal(), job.salt);
  job.input = Secret();
  taken.fetch_sub(1);
  depth.fetch_sub(1);
  job.done(std::move(digest));
}

HashPool::HashPool(const Config& config, Histogram wait_seconds) {
  const unsigned threads = config.threads == 0 ? usable_cores() : config.threads;
  state_ = std::make_unique<State>(threads, config, wait_seconds);
  for (unsigned i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
    pthread_setname_np(state_->threads.back().native_handle(),
                       ("hash-" + std::to_string(i)).c_str());
  }
}

HashPool::~HashPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  for (HashJob& job : state_->jobs) job.done(fail(Failure::unavailable, "shutting down"));
}

HashPool::Ticket::~Ticket() {
  if (pool_ != nullptr) pool_->state_->taken.fetch_sub(1);
}

Result<HashPool::Ticket> HashPool::reserve() {
  std::size_t taken = state_->taken.load();
  do {
    if (taken >= state_->capacity) return fail(Failure::overloaded, "hash queue is full");
  } while (!state_->taken.compare_exchange_weak(taken, taken + 1));
  return Ticket(this);
}

Task<Result<std::string>> HashPool::hash(Ticket ticket, HashParams params, Secret input,
                                         std::string salt) {
  if (params.algorithm == HashParams::Algorithm::hmac) {
    co_return hash_now(params, input.reveal(), salt);
  }
  co_return co_await await_callback<std::string>(
      state_->deadline, [&](Callback<Result<std::string>> done) {
        std::exchange(ticket.pool_, nullptr)
            ->state_->submit(
                {params, std::move(input), std::move(salt), std::move(done), Steady::now()});
      });
}

std::size_t HashPool::depth() const {
  return state_->depth.load();
}

}  // namespace otpd::crypto
