// Several processes that share a store and race for one cap.
#include <atomic>
#include <barrier>
#include <memory>
#include <thread>

#include "house.h"

namespace otpd::usecase {
namespace {

using otp::Cap;
using otp::Meter;

constexpr int k_processes = 4;
constexpr int k_asked = 300;  // by each, 16 at once

class CapRace : public UseCase {
 protected:
  CapRace() {
    // Whoever is refused learns it without a captcha.
    house_.rules.caps.application = {};
  }

  // Each process has a block of numbers of its own, or each number.
  std::string phone_of(int process, int n) const {
    const std::int64_t apart = apart_ ? 10'000 : 1;
    return "+1" + std::to_string(2'000'000'000 + process * 10'000'000 + n * apart);
  }

  // From an address of its own, so that only the caps are shared.
  otp::SendRequest request_of(int process, int n) const {
    otp::SendRequest request = house_.send_request(phone_of(process, n));
    request.client_ip = "10." + std::to_string(process) + "." + std::to_string(n / 250) + "." +
                        std::to_string(n % 250);
    return request;
  }

  // How many sends are let through when all processes ask as fast as they can.
  int race(int asked = k_asked) {
    std::vector<std::unique_ptr<otp::Issuer>> issuers;
    for (int i = 0; i < k_processes; ++i) {
      issuers.push_back(
          std::make_unique<otp::Issuer>(house_.services(), house_.rules, house_.roads));
    }
    std::atomic<int> sent = 0;
    std::barrier gate(k_processes);
    std::vector<std::thread> threads;
    for (int process = 0; process < k_processes; ++process) {
      threads.emplace_back([&, process] {
        boost::asio::io_context loop;
        std::atomic<int> next = 0;
        std::vector<std::optional<int>> done(16);
        const auto client = [&]() -> Task<int> {
          int mine = 0;
          for (int n = next++; n < asked; n = next++) {
            const auto outcome = co_await issuers[process]->send(request_of(process, n));
            EXPECT_TRUE(outcome.has_value());
            if (outcome && std::holds_alternative<otp::Sent>(*outcome)) ++mine;
          }
          co_return mine;
        };
        gate.arrive_and_wait();
        for (auto& one : done) storage::start(loop, client(), one);
        loop.run_for(std::chrono::seconds(120));
        for (const auto& one : done) sent += one.value();
      });
    }
    for (std::thread& thread : threads) thread.join();
    return sent;
  }

  bool apart_ = true;
};
INSTANTIATE_TEST_SUITE_P(Backends, CapRace, k_houses, storage::backend_name);

TEST_P(CapRace, ASmallCapIsExactAcrossProcesses) {
  house_.rules.caps.country[Meter::hour] = Cap{20};
  EXPECT_EQ(race(50), 20);
  EXPECT_EQ(house_.take_all().size(), 20U);
}

// What is left of a chunk is at most a fiftieth of what was left when it was taken.
TEST_P(CapRace, ALargeCapIsNeverExceededAndNearlyReached) {
  constexpr int k_cap = 600;
  house_.rules.caps.country[Meter::hour] = Cap{k_cap};
  const int sent = race();
  EXPECT_LE(sent, k_cap);
  EXPECT_GE(sent, k_cap - k_processes * (k_cap / 50));
  EXPECT_EQ(house_.events(type::k_send).size(), static_cast<std::size_t>(sent));
}

TEST_P(CapRace, MoneyIsNeverOverspent) {
  house_.rules.caps.default_price = 7;
  house_.rules.caps.country[Meter::spent] = Cap{7 * 100 + 6};
  const int sent = race(60);
  EXPECT_LE(sent, 100);
  EXPECT_GE(sent, 100 - k_processes * 2);
}

// A loser of the race for one cap may stay counted by another; more than either is never sent.
TEST_P(CapRace, SeveralCapsHoldAtOnce) {
  house_.rules.caps.country[Meter::hour] = Cap{40};
  house_.rules.caps.block = Cap{15};
  apart_ = false;
  const int sent = race(40);
  EXPECT_LE(sent, 40);
  EXPECT_GE(sent, 30);
}

// A busy process asks the store once for many sends.
TEST_P(CapRace, ABusyProcessSpendsByItself) {
  house_.rules.caps.country[Meter::hour] = Cap{10'000'000};
  const std::size_t before = house_.store.commits;
  EXPECT_EQ(race(), k_processes * k_asked);
  const auto each = static_cast<double>(house_.store.commits - before) / (k_processes * k_asked);
  // The address, the block and the recipient are three.
  EXPECT_LT(each, 4.0);
}

}  // namespace
}  // namespace otpd::usecase
