// Webhooks: what happens to a code is told to the customer's endpoint, in the same step as it is
// written, again and again until it answers.
#include "delivery/courier.h"
#include "delivery/expiry_sweep.h"
#include "delivery/receipt_desk.h"
#include "delivery/webhook_outbox.h"
#include "delivery/webhook_senders.h"
#include "endpoint.h"
#include "house.h"
#include "lanes.h"
#include "otp/keys.h"

namespace otpd::usecase {
namespace {

using delivery::WebhookAnswer;
using storage::await;

constexpr const char* k_old_secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
constexpr const char* k_new_secret = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

class Webhooks : public ::testing::TestWithParam<storage::BackendKind> {
 protected:
  Webhooks() {
    config_.trouble_pause = Millis(1);
    house_.rules.limits.recipient_sends.max = 1'000;
    house_.rules.limits.ip_sends.max = 10'000;
    lanes_.add(carrier_, {.name = "first", .timeout = Seconds(3), .breaker = patient()});
    lanes_.routes.add("sms", "", {{"first"}});
  }
  ~Webhooks() override { stop(); }

  void start() {
    senders_ = std::make_unique<delivery::WebhookSenders>(
        house_.keys, house_.world.metrics,
        delivery::WebhookSenders::ByApplication{{"", sender_.get()}});
    courier_ = std::make_unique<delivery::Courier>(
        delivery::CourierPorts{outbox_, queue_, house_.world.clock, house_.random, house_.keys,
                               house_.world.metrics, senders_.get(), &deadlines_},
        config_, delivery::Outlets{{"default", outlet_}});
    ended_ = false;
    loop_.restart();
    auto run = [this]() -> Task<void> {
      co_await courier_->run();
      ended_ = true;
    };
    boost::asio::co_spawn(loop_.get_executor(), run(), boost::asio::detached);
  }
  void stop() {
    if (!courier_) return;
    courier_->stop();
    run_until([&] { return ended_; });
    courier_.reset();
  }
  void run_until(const std::function<bool()>& reached) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!reached()) {
      loop_.run_one_for(std::chrono::milliseconds(20));
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("never reached");
    }
  }
  // Until everything that is due now has been done.
  void settle() {
    const std::size_t looks = queue_.looks;
    run_until([&] { return queue_.looks > looks + 2 && house_.world.stats().leased == 0; });
  }
  void advance(Millis by) {
    house_.world.clock.advance(by);
    settle();
  }
  otp::VerificationId send() {
    const std::string phone = "+1415600" + std::to_string(1'000 + number_++);
    return std::get<otp::Sent>(house_.send(house_.send_request(phone))).answer.verification_id;
  }
  otp::VerificationId deliver_one() {
    const auto id = send();
    settle();
    return id;
  }
  static void sweep(delivery::ExpirySweep& deadlines) {
    auto swept = [&]() -> Task<bool> {
      co_await deadlines.sweep();
      co_return true;
    };
    await(swept());
  }
  // An event of that type, as a use-case writes it.
  void happen(std::string_view what) {
    otp::Effects effects;
    effects.events.push_back(house_.world.event(what));
    ASSERT_TRUE(await(outbox_.append(std::move(effects))).has_value());
  }
  std::unique_ptr<delivery::WebhookSender> make_sender(const std::string& secrets) {
    return std::make_unique<delivery::WebhookSender>(
        delivery::WebhookSenderPorts{endpoint_client_, endpoint_, house_.world.clock, house_.random,
                                     house_.world.metrics},
        crypto::WebhookKeys::make(secrets).value(),
        delivery::WebhookSenderConfig{.timeout = Seconds(15), .max_in_flight = 4});
  }
  bool verifies(const ScriptedEndpoint::Seen& seen, const std::string& secret) {
    return crypto::WebhookKeys::make(secret)->verify({seen.id, seen.timestamp, seen.signature},
                                                     seen.body, seen.at);
  }
  std::vector<delivery::DeadLetter> dead_letters() {
    return await(house_.world.queue().dead_letters(100)).value();
  }

  boost::asio::io_context loop_;
  House house_{GetParam()};
  EagerQueue queue_{house_.world.queue(), house_.world.clock};
  ScriptedCarrier carrier_{house_.world.clock};
  ScriptedEndpoint endpoint_client_{house_.world.clock};
  delivery::WebhookEndpoint endpoint_{
      {house_.store, house_.world.clock, house_.random},
      otp::webhook_key(house_.keys.index_key(), "default", "https://customer.example/hook"),
      "https://customer.example/hook"};
  delivery::WebhookOutbox outbox_{{house_.store, house_.random, house_.keys, house_.world.metrics},
                                  {{"",
                                    {endpoint_,
                                     {"otp.sent", "otp.delivered", "otp.failed", "otp.verified",
                                      "otp.exhausted", "otp.expired", "otp.canceled"}}}},
                                  {.max_waiting = 50}};
  std::unique_ptr<delivery::WebhookSender> sender_ = make_sender(k_new_secret);
  std::unique_ptr<delivery::WebhookSenders> senders_;
  delivery::ExpirySweep deadlines_{
      {outbox_, house_.world.clock, house_.random, house_.world.metrics}, {}};
  delivery::Templates templates_ = delivery::Templates::make({}).value();
  TestLanes lanes_{house_.world.clock, house_.random, house_.world.metrics};
  delivery::CourierConfig config_;
  delivery::Outlet outlet_{templates_, lanes_.dispatcher, house_.issuer.caps()};
  int number_ = 0;
  bool ended_ = false;
  std::unique_ptr<delivery::Courier> courier_;
};
INSTANTIATE_TEST_SUITE_P(Backends, Webhooks, k_houses, storage::backend_name);

TEST_P(Webhooks, WhatHappensToACodeIsToldWithoutItsAddress) {
  start();
  const auto id = deliver_one();
  settle();
  ASSERT_EQ(endpoint_client_.types(), std::vector<std::string>{"otp.sent"});
  const auto& seen = endpoint_client_.seen[0];
  EXPECT_EQ(seen.id, house_.events(type::k_sent).at(0).id);
  EXPECT_TRUE(verifies(seen, k_new_secret));
  EXPECT_FALSE(verifies(seen, k_old_secret));
  const auto data = seen.json().at("data");
  EXPECT_EQ(data.at("verification_id"), id.text());
  EXPECT_EQ(data.at("purpose"), "login");
  EXPECT_EQ(data.at("provider"), "first");
  EXPECT_EQ(data.at("country"), "US");
  EXPECT_FALSE(data.contains("reason"));
  EXPECT_FALSE(seen.body.contains("4156001000"));
  EXPECT_EQ(house_.world.stats().waiting, 0U);
}

TEST_P(Webhooks, EverySubscribedEventHasItsName) {
  start();
  const std::pair<std::string_view, std::string> names[] = {
      {type::k_delivered, "otp.delivered"},     {type::k_delivery_failed, "otp.failed"},
      {type::k_verify_success, "otp.verified"}, {type::k_exhausted, "otp.exhausted"},
      {type::k_expired, "otp.expired"},         {type::k_canceled, "otp.canceled"}};
  for (const auto& [what, name] : names) {
    happen(what);
    settle();
    EXPECT_EQ(endpoint_client_.seen.back().type(), name);
  }
  for (const std::string_view what : {type::k_send, type::k_verify_fail, type::k_limited}) {
    happen(what);
  }
  settle();
  EXPECT_EQ(endpoint_client_.seen.size(), std::size(names));
}

TEST_P(Webhooks, TheScheduleIsKeptWithOneIdAndEndsInADeadLetter) {
  endpoint_client_.answer_with(500);
  start();
  happen(type::k_canceled);
  settle();
  const Seconds planned[] = {Seconds(0),       Seconds(5),      Seconds(305),    Seconds(2'105),
                             Seconds(9'305),   Seconds(27'305), Seconds(63'305), Seconds(113'705),
                             Seconds(185'705), Seconds(272'105)};
  for (std::size_t i = 1; i < std::size(planned); ++i) {
    const auto gap = planned[i] - planned[i - 1];
    const TimePoint exact = storage::k_start + planned[i];
    house_.world.clock.set(exact - Millis(1));
    settle();
    EXPECT_EQ(endpoint_client_.seen.size(), i) << "too early";
    house_.world.clock.set(exact + Millis(gap) / 10);
    settle();
    ASSERT_EQ(endpoint_client_.seen.size(), i + 1) << "too late";
    EXPECT_EQ(endpoint_client_.seen[i].id, endpoint_client_.seen[0].id);
    EXPECT_EQ(endpoint_client_.seen[i].body, endpoint_client_.seen[0].body);
    EXPECT_NE(endpoint_client_.seen[i].timestamp, endpoint_client_.seen[0].timestamp);
    EXPECT_TRUE(verifies(endpoint_client_.seen[i], k_new_secret));
  }
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0].reason, "http 500");
  endpoint_client_.answer_with(204);
  ASSERT_TRUE(
      await(house_.world.queue().requeue(dead_letters()[0].id, house_.world.clock.now())).value());
  settle();
  EXPECT_EQ(endpoint_client_.seen.size(), std::size(planned) + 1);
  EXPECT_TRUE(dead_letters().empty());
}

TEST_P(Webhooks, NothingIsLostBetweenTheCommitAndTheSend) {
  happen(type::k_canceled);  // and nobody is there to send it
  endpoint_client_.behave = [&](std::size_t number) -> Task<Result<WebhookAnswer>> {
    // The answer arrives, but the note of it is lost.
    house_.store.script = [](Operation, const otp::Key&, const otp::Effects& effects) {
      return effects.finish.empty() ? Fault::none : Fault::before;
    };
    co_return WebhookAnswer{number == 1 ? 200 : 204, {}};
  };
  config_.lease = Seconds(30);
  start();
  run_until([&] { return endpoint_client_.seen.size() == 1; });
  stop();
  house_.store.script = nullptr;
  endpoint_client_.behave = nullptr;
  start();
  advance(Seconds(31));
  ASSERT_EQ(endpoint_client_.seen.size(), 2U);
  EXPECT_EQ(endpoint_client_.seen[0].id, endpoint_client_.seen[1].id);
}

TEST_P(Webhooks, ALineThatIsNotWrittenIsNotTold) {
  house_.store.script = [](Operation, const otp::Key&, const otp::Effects&) {
    return Fault::before;
  };
  otp::Effects effects;
  effects.events.push_back(house_.world.event(type::k_sent));
  EXPECT_FALSE(await(outbox_.append(effects)).has_value());
  house_.store.script = nullptr;
  EXPECT_EQ(house_.world.stats().waiting, 0U);
  // Written twice, because the first answer was lost: one line, one job.
  EXPECT_TRUE(await(outbox_.append(effects)).has_value());
  EXPECT_TRUE(await(outbox_.append(effects)).has_value());
  EXPECT_EQ(house_.world.stats().waiting, 1U);
}

TEST_P(Webhooks, DuringARotationEitherSecretVerifies) {
  sender_ = make_sender(std::string(k_new_secret) + " " + k_old_secret);
  start();
  happen(type::k_canceled);
  settle();
  ASSERT_EQ(endpoint_client_.seen.size(), 1U);
  EXPECT_TRUE(verifies(endpoint_client_.seen[0], k_new_secret));
  EXPECT_TRUE(verifies(endpoint_client_.seen[0], k_old_secret));
}

TEST_P(Webhooks, A410DisablesTheEndpointUntilAnOperatorEnablesIt) {
  endpoint_client_.answer_with(410);
  start();
  happen(type::k_canceled);
  settle();
  EXPECT_TRUE(endpoint_.disabled());
  EXPECT_EQ(endpoint_.disabled_since(), house_.world.clock.now());
  ASSERT_EQ(house_.events(type::k_admin_webhook_disabled).size(), 1U);
  EXPECT_EQ(house_.events(type::k_admin_webhook_disabled)[0].detail, "http 410");
  EXPECT_EQ(dead_letters().size(), 1U);
  happen(type::k_canceled);
  settle();
  EXPECT_EQ(endpoint_client_.seen.size(), 1U);
  delivery::WebhookEndpoint again({house_.store, house_.world.clock, house_.random},
                                  endpoint_.key(), endpoint_.url());
  ASSERT_TRUE(await(again.load()).has_value());
  EXPECT_TRUE(again.disabled()) << "after a restart";
  advance(Seconds(60));
  ASSERT_TRUE(await(again.disable("http 410")).has_value());
  EXPECT_EQ(again.disabled_since(), endpoint_.disabled_since());
  EXPECT_EQ(house_.events(type::k_admin_webhook_disabled).size(), 1U) << "told once";
  endpoint_client_.answer_with(200);
  ASSERT_TRUE(await(endpoint_.enable(k_ip)).has_value());
  EXPECT_FALSE(endpoint_.disabled());
  EXPECT_EQ(house_.events(type::k_admin_webhook_enabled).at(0).ip_address, k_ip);
  happen(type::k_canceled);
  settle();
  EXPECT_EQ(endpoint_client_.seen.size(), 2U);
}

TEST_P(Webhooks, AHangingEndpointDelaysNoMessage) {
  config_.in_flight = 8;
  bool hangs = true;
  endpoint_client_.behave = [&](std::size_t) -> Task<Result<WebhookAnswer>> {
    while (hangs) co_await sleep_for(Millis(5));
    co_return fail(Failure::timeout, "no answer");
  };
  start();
  for (int i = 0; i < 30; ++i) happen(type::k_canceled);
  run_until([&] { return sender_->in_flight() == 4; });
  for (int i = 0; i < 40; ++i) {
    const auto id = send();
    run_until([&] { return house_.status(id) == "sent"; });
  }
  EXPECT_EQ(endpoint_client_.most_at_once, 4U);
  hangs = false;
  endpoint_client_.behave = nullptr;
  settle();
  for (int i = 0; i < 200 && house_.world.stats().waiting > 0; ++i) advance(Seconds(10));
  EXPECT_EQ(house_.world.stats().waiting, 0U);
  std::set<std::string> told;
  for (const auto& seen : endpoint_client_.seen) told.insert(seen.id);
  EXPECT_EQ(told.size(),
            house_.events(type::k_canceled).size() + house_.events(type::k_sent).size());
}

TEST_P(Webhooks, AnOverloadedEndpointIsSparedForAsLongAsItAsks) {
  endpoint_client_.answer_with(429, Seconds(120));
  start();
  happen(type::k_canceled);
  settle();
  endpoint_client_.behave = nullptr;
  happen(type::k_canceled);
  advance(Seconds(119));
  EXPECT_EQ(endpoint_client_.seen.size(), 1U);
  for (int i = 0; i < 20; ++i) advance(Seconds(10));
  EXPECT_EQ(endpoint_client_.seen.size(), 3U);
}

TEST_P(Webhooks, AnEndpointThatIsDownLeavesRoomForMessages) {
  ASSERT_TRUE(await(endpoint_.set_failing(true)).has_value());
  const auto fill = [&](int events) {
    for (int i = 0; i < events; ++i) {
      outbox_.set_waiting(house_.world.stats().waiting);
      happen(type::k_canceled);
    }
    return house_.world.stats().waiting;
  };
  EXPECT_EQ(fill(60), 51U);
  EXPECT_EQ(house_.events(type::k_canceled).size(), 60U);
  // One that answers is told all the same, as long as there is any room.
  ASSERT_TRUE(await(endpoint_.set_failing(false)).has_value());
  EXPECT_EQ(fill(60), 101U);
}

TEST_P(Webhooks, WithoutAnEndpointWhatWaitsDies) {
  happen(type::k_canceled);
  courier_ = std::make_unique<delivery::Courier>(
      delivery::CourierPorts{house_.store, queue_, house_.world.clock, house_.random, house_.keys,
                             house_.world.metrics},
      config_, delivery::Outlets{{"default", outlet_}});
  auto run = [this]() -> Task<void> {
    co_await courier_->run();
    ended_ = true;
  };
  boost::asio::co_spawn(loop_.get_executor(), run(), boost::asio::detached);
  run_until([&] { return !dead_letters().empty(); });
  EXPECT_EQ(dead_letters()[0].reason, "no webhook endpoint");
}

TEST_P(Webhooks, AnExpiryIsToldThoughNobodyAsks) {
  start();
  deliver_one();
  EXPECT_EQ(deadlines_.waiting(), 1U);
  advance(Seconds(299));
  sweep(deadlines_);
  EXPECT_EQ(house_.events(type::k_expired).size(), 0U);
  advance(Seconds(1));
  sweep(deadlines_);
  sweep(deadlines_);
  EXPECT_EQ(house_.events(type::k_expired).size(), 1U);
  EXPECT_EQ(deadlines_.waiting(), 0U);
  settle();
  EXPECT_EQ(endpoint_client_.types(), (std::vector<std::string>{"otp.sent", "otp.expired"}));
}

TEST_P(Webhooks, DeadlinesAreFoundAgainAfterARestart) {
  start();
  const auto used = deliver_one();
  deliver_one();
  ASSERT_TRUE(await(house_.verifications.cancel(used, {})).has_value());
  delivery::ExpirySweep fresh({outbox_, house_.world.clock, house_.random, house_.world.metrics},
                              {});
  ASSERT_TRUE(await(fresh.recover(house_.world.audit(), {{"login", Seconds(300)}})).has_value());
  EXPECT_EQ(fresh.waiting(), 2U);
  advance(Seconds(300));
  house_.store.script = [](Operation, const otp::Key&, const otp::Effects&) {
    return Fault::before;
  };
  sweep(fresh);
  house_.store.script = nullptr;
  EXPECT_EQ(fresh.waiting(), 2U) << "asked again later";
  advance(Seconds(5));
  sweep(fresh);
  EXPECT_EQ(fresh.waiting(), 0U);
  EXPECT_EQ(house_.events(type::k_expired).size(), 1U);
}

}  // namespace
}  // namespace otpd::usecase
