// The courier: every message is handed over once or given up with a reason, whatever the carrier
// and the store do.
#include "delivery/courier.h"

#include "base/encoding.h"
#include "carrier.h"
#include "house.h"
#include "lanes.h"

namespace otpd::usecase {
namespace {

using delivery::Courier;
using delivery::Outcome;
using storage::await;
using storage::k_start;

constexpr Millis k_try_timeout{20};

class Delivering : public ::testing::TestWithParam<storage::BackendKind> {
 protected:
  Delivering() { config_.trouble_pause = Millis(1); }
  ~Delivering() override {
    if (!courier_) return;
    carrier_.behave = {};
    released_ = true;
    courier_->stop();
    run_until([&] { return ended_; });
  }

  void start() {
    if (lanes_.lanes.empty()) {
      lanes_.add(carrier_, {.name = "carrier", .timeout = k_try_timeout, .breaker = patient()});
      lanes_.routes.add("sms", "", {{"carrier"}});
    }
    courier_ = std::make_unique<Courier>(
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
  // Lets the courier look twice at the queue as it is now.
  void let_it_look() {
    run_until([this, end = queue_.looks + 2] { return queue_.looks >= end; });
  }
  void run_until_tries(std::size_t count) {
    run_until([this, count] { return carrier_.seen.size() >= count; });
  }
  // Until no job waits, due or not, and none is on its way.
  void run_until_empty() {
    run_until([this] {
      const auto stats = house_.world.stats();
      return stats.waiting + stats.leased == 0;
    });
    // Statistics may see a commit that is not answered yet; what is written behind it is.
    house_.world.append({});
  }
  void run_until_given_back(std::size_t tries) {
    run_until_tries(tries);
    run_until([this] { return house_.world.stats().waiting == 1; });
  }
  // A carrier that does not answer before `released_`.
  void block_carrier(Outcome outcome = outcome_of(Kind::accepted)) {
    carrier_.behave = [this, outcome](std::size_t, Millis) -> Task<Outcome> {
      while (!released_) co_await sleep_for(Millis(1));
      co_return outcome;
    };
  }

  otp::VerificationId send(const std::string& phone = k_phone) {
    return std::get<otp::Sent>(house_.send(house_.send_request(phone))).answer.verification_id;
  }
  std::vector<delivery::DeadLetter> dead_letters() {
    return await(house_.world.queue().dead_letters(10)).value();
  }
  std::string delivery_error(const otp::VerificationId& id) {
    return house_.find(id)->delivery_error;
  }
  TimePoint now() const { return house_.world.clock.now(); }
  void advance(Millis by) { house_.world.clock.advance(by); }

  boost::asio::io_context loop_;
  House house_{GetParam()};
  EagerQueue queue_{house_.world.queue(), house_.world.clock};
  ScriptedCarrier carrier_{house_.world.clock};
  delivery::Templates templates_ = delivery::Templates::make({}).value();
  TestLanes lanes_{house_.world.clock, house_.random, house_.world.metrics};
  delivery::CourierConfig config_;
  delivery::Outlet outlet_{templates_, lanes_.dispatcher, house_.issuer.caps()};
  bool released_ = false;
  bool ended_ = false;
  std::unique_ptr<Courier> courier_;
};
INSTANTIATE_TEST_SUITE_P(Backends, Delivering, k_houses, storage::backend_name);

TEST_P(Delivering, AMessageIsHandedOverOnceAndItsJobIsGone) {
  const auto id = send();
  start();
  run_until_empty();
  advance(config_.lease * 2);
  let_it_look();
  ASSERT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(carrier_.seen[0].to, k_phone);
  EXPECT_EQ(carrier_.seen[0].job_id.size(), 32U);
  EXPECT_EQ(carrier_.seen[0].valid_for, Seconds(300));
  EXPECT_EQ(carrier_.seen[0].timeout, k_try_timeout);
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_TRUE(dead_letters().empty());
  const auto lines = house_.events(type::k_sent);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].verification_id, id.text());
  EXPECT_EQ(lines[0].provider, "carrier");
  EXPECT_EQ(lines[0].detail, "message-1");
  EXPECT_EQ(lines[0].country, "US");
  EXPECT_EQ(lines[0].purpose, "login");
}

TEST_P(Delivering, TheMessageCarriesTheCodeThatVerifies) {
  send();
  start();
  run_until_empty();
  const std::string& text = carrier_.seen.at(0).text;
  const auto at = text.find_first_of("0123456789");
  ASSERT_NE(at, std::string::npos);
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(text.substr(at, 6))));
}

TEST_P(Delivering, AFailedTryIsRepeatedAfterItsWait) {
  carrier_.answer_with({outcome_of(Kind::transient), outcome_of(Kind::misconfigured)});
  const auto id = send();
  start();
  run_until_given_back(1);
  advance(config_.retry.base / 2 - Millis(1));
  let_it_look();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(house_.status(id), "queued");
  advance(config_.retry.base / 2 + Millis(1));
  run_until_given_back(2);
  advance(config_.retry.base - Millis(1));
  let_it_look();
  EXPECT_EQ(carrier_.seen.size(), 2U);
  advance(config_.retry.base + Millis(1));
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 3U);
  EXPECT_EQ(carrier_.seen[0].job_id, carrier_.seen[2].job_id);
  EXPECT_EQ(carrier_.seen[0].text, carrier_.seen[1].text);
  EXPECT_EQ(house_.status(id), "sent");
}

TEST_P(Delivering, AThrottlingCarrierIsLeftAloneAsLongAsItAsks) {
  carrier_.answer_with({outcome_of(Kind::throttled, "429", Millis(7'000))});
  send();
  start();
  run_until_given_back(1);
  advance(Millis(6'999));
  let_it_look();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  advance(Millis(1));
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 2U);
}

TEST_P(Delivering, ARejectedRecipientIsADeadLetter) {
  carrier_.answer_with({outcome_of(Kind::rejected, "21211")});
  const auto id = send();
  start();
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(house_.status(id), "failed");
  EXPECT_EQ(delivery_error(id), "recipient_rejected");
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0].reason, "21211");
  const auto lines = house_.events(type::k_delivery_failed);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "21211");
  EXPECT_EQ(lines[0].provider, "carrier");
  EXPECT_EQ(lines[0].verification_id, id.text());
}

TEST_P(Delivering, ItIsGivenUpWhenTheNextTryWouldComeTooLate) {
  carrier_.answer_with({outcome_of(Kind::transient, "500")});
  const auto id = send();
  advance(Seconds(300) - config_.retry.base / 2);
  start();
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(carrier_.seen[0].timeout, k_try_timeout);
  EXPECT_EQ(delivery_error(id), "carrier_unavailable");
  EXPECT_EQ(dead_letters().at(0).reason, "500");
}

TEST_P(Delivering, NothingIsSentAtOrAfterTheExpiry) {
  const auto late = send();
  advance(Millis(1));
  const auto just_in_time = send("+14155550100");
  house_.world.clock.set(k_start + Seconds(300));
  start();
  run_until_empty();
  ASSERT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(carrier_.seen[0].to, "+14155550100");
  EXPECT_EQ(carrier_.seen[0].timeout, Millis(1));
  EXPECT_EQ(carrier_.seen[0].valid_for, Millis(1));
  EXPECT_EQ(dead_letters().at(0).reason, "expired");
  EXPECT_EQ(delivery_error(late), "too_late");
  EXPECT_EQ(house_.find(just_in_time)->delivery, otp::DeliveryState::sent);
}

TEST_P(Delivering, AnEndedVerificationsMessageIsNotSent) {
  const auto canceled = send();
  ASSERT_TRUE(await(house_.verifications.cancel(canceled, k_ip)).value());
  start();
  run_until_empty();
  EXPECT_TRUE(carrier_.seen.empty());
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(house_.events(type::k_delivery_failed).at(0).detail, "ended");
  EXPECT_EQ(house_.status(canceled), "canceled");
}

TEST_P(Delivering, AnApprovedVerificationsFurtherMessageIsNotSent) {
  const otp::Payload first = house_.send_and_take();
  advance(Seconds(30));
  send();
  house_.verify(first.code.reveal());
  start();
  run_until_empty();
  EXPECT_TRUE(carrier_.seen.empty());
  EXPECT_EQ(house_.status(first.verification_id), "approved");
}

TEST_P(Delivering, AHangingCarrierIsTriedAgain) {
  carrier_.behave = [](std::size_t number, Millis timeout) -> Task<Outcome> {
    if (number > 1) co_return outcome_of(Kind::accepted);
    co_await sleep_for(timeout);
    co_return outcome_of(Kind::transient, "timeout");
  };
  const auto id = send();
  start();
  run_until_given_back(1);
  advance(config_.retry.base);
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 2U);
  EXPECT_EQ(house_.status(id), "sent");
}

TEST_P(Delivering, AChannelWithoutARouteIsADeadLetter) {
  otp::SendRequest request = house_.send_request();
  request.channel = "voice";
  const auto outcome = house_.send(std::move(request));
  start();
  run_until_empty();
  EXPECT_EQ(dead_letters().at(0).reason, "no route");
  EXPECT_EQ(delivery_error(std::get<otp::Sent>(outcome).answer.verification_id),
            "carrier_misconfigured");
}

TEST_P(Delivering, ALeaseThatRunsOutUnderASlowCarrierBeginsNothingTwice) {
  block_carrier();
  const auto id = send();
  start();
  run_until_tries(1);
  advance(config_.lease + Millis(1));
  run_until([&] { return queue_.taken >= 2; });
  released_ = true;
  run_until_empty();
  advance(config_.lease + Millis(1));
  let_it_look();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(house_.events(type::k_sent).size(), 1U);
}

// The lease is renewed between the writing of the end and its arrival at the store.
TEST_P(Delivering, ALeaseThatRunsOutUnderASlowStoreBeginsNothingTwice) {
  const auto id = send();
  house_.store.delay = [&](const otp::Effects& effects) -> Task<void> {
    if (effects.finish.empty() || released_) co_return;
    released_ = true;
    advance(config_.lease + Millis(1));
    while (queue_.taken < 2) co_await sleep_for(Millis(1));
  };
  start();
  run_until_empty();
  advance(config_.lease + Millis(1));
  let_it_look();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(house_.events(type::k_sent).size(), 1U);
}

TEST_P(Delivering, AnEndThatCannotBeWrittenIsWrittenLaterAndNothingIsSentTwice) {
  for (const Fault fault : {Fault::before, Fault::after}) {
    int faults = 0;
    house_.store.script = [&](Operation, const otp::Key&, const otp::Effects& effects) {
      return !effects.finish.empty() && faults++ < 3 ? fault : Fault::none;
    };
    const std::size_t before = carrier_.seen.size();
    const auto id = send(fault == Fault::before ? k_phone : "+14155550100");
    if (!courier_) start();
    run_until_empty();
    run_until([&] { return faults > 3; });
    EXPECT_EQ(carrier_.seen.size(), before + 1);
    EXPECT_EQ(house_.status(id), "sent");
  }
  EXPECT_EQ(house_.events(type::k_sent).size(), 2U);
  EXPECT_TRUE(house_.events(type::k_delivery_failed).empty());
}

TEST_P(Delivering, ARecordThatCannotBeLoadedIsTriedAfterTheLease) {
  const auto id = send();
  int loads = 0;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    return operation == Operation::load && loads++ == 0 ? Fault::before : Fault::none;
  };
  start();
  run_until([&] { return loads == 1; });
  let_it_look();
  EXPECT_TRUE(carrier_.seen.empty());
  advance(config_.lease);
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 1U);
  EXPECT_EQ(house_.status(id), "sent");
}

TEST_P(Delivering, StopLetsRunningTriesEndAndBeginsNoOther) {
  block_carrier();
  const auto running = send();
  start();
  run_until_tries(1);
  queue_.closed = [] { return true; };
  let_it_look();  // so that no look is under way, which could still find the next job
  courier_->stop();
  queue_.closed = {};
  const auto waiting = send("+14155550100");
  loop_.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(ended_);
  released_ = true;
  run_until([&] { return ended_; });
  EXPECT_EQ(house_.status(running), "sent");
  EXPECT_EQ(house_.status(waiting), "queued");
  EXPECT_EQ(house_.world.stats().waiting, 1U);
}

TEST_P(Delivering, NoMoreTriesRunAtOnceThanAllowed) {
  config_.in_flight = 3;
  block_carrier();
  for (int i = 0; i < 10; ++i) send("+1415600" + std::to_string(1'000 + i));
  start();
  run_until_tries(3);
  loop_.run_for(std::chrono::milliseconds(30));
  EXPECT_EQ(carrier_.seen.size(), 3U);
  released_ = true;
  run_until_empty();
  EXPECT_EQ(carrier_.seen.size(), 10U);
  EXPECT_EQ(carrier_.most_at_once, 3U);
}

TEST_P(Delivering, AJobThatCannotBeOpenedIsADeadLetter) {
  const auto id = send();
  const std::string key = otp::recipient_key(id.recipient_hash);
  house_.take_all();
  house_.world.append({.enqueue = {{.id = std::string(16, 'j'),
                                    .key = key,
                                    .due_at = now(),
                                    .expires_at = now() + Seconds(300),
                                    .sealed = "garbage"}}});
  start();
  run_until_empty();
  EXPECT_TRUE(carrier_.seen.empty());
  EXPECT_EQ(dead_letters().at(0).reason, "unreadable");
  const auto lines = house_.events(type::k_delivery_failed);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].channel_hash, hex_encode(id.recipient_hash));
}

TEST_P(Delivering, ARecordThatCannotBeReadMakesADeadLetter) {
  const auto id = send();
  const std::string key = otp::recipient_key(id.recipient_hash);
  house_.world.put(key, house_.world.load(key).version, "\xff\xff\xff");
  start();
  run_until_empty();
  EXPECT_TRUE(carrier_.seen.empty());
  EXPECT_EQ(dead_letters().at(0).reason, "unreadable");
  EXPECT_EQ(house_.events(type::k_delivery_failed).at(0).verification_id, id.text());
}

}  // namespace
}  // namespace otpd::usecase
