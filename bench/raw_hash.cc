#include "raw_hash.h"

#include <sched.h>
#include <sodium.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <barrier>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace otpd::bench {
namespace {

constexpr int k_nice_of_hash_threads = 5;

Nanos thread_cpu() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

void hash_once(const HashCost& cost) {
  constexpr std::string_view password = "as long as what otpd hashes here";
  constexpr unsigned char salt[crypto_pwhash_argon2id_SALTBYTES] = {1, 2, 3};
  unsigned char out[32];
  if (crypto_pwhash_argon2id(out, sizeof out, password.data(), password.size(), salt, cost.passes,
                             std::size_t{cost.memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    std::abort();
  }
}

}  // namespace

Nanos raw_hash_cpu(const HashCost& cost, std::size_t threads, std::size_t each) {
  std::barrier at_once(static_cast<std::ptrdiff_t>(threads));
  std::vector<Nanos> spent(threads);
  {
    std::vector<std::jthread> running;
    for (Nanos& mine : spent) {
      running.emplace_back([&] {
        // Like otpd's: where others want the processor too, a nicer thread is interrupted more
        // often and finds its cache emptied.
        setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), k_nice_of_hash_threads);
        hash_once(cost);  // the first one faults the memory in
        at_once.arrive_and_wait();
        const Nanos before = thread_cpu();
        for (std::size_t i = 0; i < each; ++i) hash_once(cost);
        mine = thread_cpu() - before;
      });
    }
  }
  Nanos sum{0};
  for (const Nanos mine : spent) sum += mine;
  return sum / static_cast<std::int64_t>(threads * each);
}

std::size_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  return 1;
}

}  // namespace otpd::bench
