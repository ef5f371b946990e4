// A courier over two carriers, "first" and "second": texts may go over both, calls over the second.
#pragma once

#include <utility>
// Boost 1.74's awaitable.hpp needs it.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "delivery/courier.h"
#include "delivery/receipt_desk.h"
#include "house.h"
#include "lanes.h"

namespace otpd::usecase {

using delivery::Outcome;
using delivery::Receipt;
using delivery::ReceiptFate;
using storage::await;

class Failover : public ::testing::TestWithParam<storage::BackendKind> {
 protected:
  Failover() {
    config_.trouble_pause = Millis(1);
    house_.rules.limits.recipient_sends.max = 1'000;
    house_.rules.limits.ip_sends.max = 10'000;
  }
  ~Failover() override {
    if (!courier_) return;
    courier_->stop();
    run_until([&] { return ended_; });
  }

  delivery::BreakerPolicy quick() {
    return {.min_volume = 10, .open_failures = 3, .open_for = Seconds(5), .probes = 1};
  }
  void start(delivery::BreakerPolicy breaker) {
    lanes_.add(first_, {.name = "first", .timeout = Seconds(3), .breaker = breaker});
    lanes_.add(second_, {.name = "second", .timeout = Seconds(3), .breaker = breaker});
    lanes_.routes.add("sms", "", {{"first"}, {"second"}});
    lanes_.routes.add("voice", "", {{"second"}});
    courier_ = std::make_unique<delivery::Courier>(
        delivery::CourierPorts{house_.store, queue_, house_.world.clock, house_.random, house_.keys,
                               house_.world.metrics},
        config_, delivery::Outlets{{"default", outlet_}});
    auto run = [this]() -> Task<void> {
      co_await courier_->run();
      ended_ = true;
    };
    boost::asio::co_spawn(loop_.get_executor(), run(), boost::asio::detached);
  }
  void run_until(const std::function<bool()>& reached) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!reached()) {
      loop_.run_one_for(std::chrono::milliseconds(20));
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("never reached");
    }
  }
  otp::VerificationId send() {
    const std::string phone = "+1415600" + std::to_string(1'000 + number_++);
    return std::get<otp::Sent>(house_.send(house_.send_request(phone))).answer.verification_id;
  }
  otp::VerificationId deliver_one() {
    const auto id = send();
    run_until([&] { return house_.status(id) != "queued"; });
    run_until([&] { return house_.world.stats().leased == 0; });
    return id;
  }
  std::string sent_by(const otp::VerificationId& id) { return house_.find(id)->lane; }
  ReceiptFate receive(const std::string& lane, const std::string& reference, Receipt receipt) {
    delivery::ReceiptDesk desk(
        {house_.store, house_.world.clock, house_.random, house_.keys, house_.world.metrics},
        {.looks = 3, .between_looks = Millis(1)});
    return await(desk.take(lane, reference, std::move(receipt))).value();
  }
  std::optional<Millis> blocked() { return lanes_.dispatcher.unavailable_for("sms", k_phone); }
  void advance(Millis by) { house_.world.clock.advance(by); }

  boost::asio::io_context loop_;
  House house_{GetParam()};
  EagerQueue queue_{house_.world.queue(), house_.world.clock};
  ScriptedCarrier first_{house_.world.clock};
  ScriptedCarrier second_{house_.world.clock};
  delivery::Templates templates_ = delivery::Templates::make({}).value();
  TestLanes lanes_{house_.world.clock, house_.random, house_.world.metrics};
  delivery::CourierConfig config_;
  delivery::Outlet outlet_{templates_, lanes_.dispatcher, house_.issuer.caps()};
  int number_ = 0;
  bool ended_ = false;
  std::unique_ptr<delivery::Courier> courier_;
};
}  // namespace otpd::usecase
