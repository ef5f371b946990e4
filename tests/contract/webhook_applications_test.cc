// Webhooks of several applications: each has its endpoint and its secret, and what one endpoint
// does is nothing to another.
#include "delivery/courier.h"
#include "delivery/webhook_outbox.h"
#include "delivery/webhook_senders.h"
#include "endpoint.h"
#include "house.h"
#include "lanes.h"
#include "otp/keys.h"

namespace otpd::usecase {
namespace {

using storage::await;

struct Customer {
  Customer(House& house, const std::string& name, const std::string& secret)
      : client(house.world.clock),
        endpoint({house.store, house.world.clock, house.random},
                 otp::webhook_key(house.keys.index_key(), name, "https://same.example/hook"),
                 "https://same.example/hook"),
        keys(crypto::WebhookKeys::make(secret).value()),
        sender({client, endpoint, house.world.clock, house.random, house.world.metrics},
               crypto::WebhookKeys::make(secret).value(),
               {.timeout = Seconds(15), .max_in_flight = 4}) {}

  bool believes(const ScriptedEndpoint::Seen& seen) const {
    return keys.verify({seen.id, seen.timestamp, seen.signature}, seen.body, seen.at);
  }
  ScriptedEndpoint client;
  delivery::WebhookEndpoint endpoint;
  crypto::WebhookKeys keys;
  delivery::WebhookSender sender;
};

class WebhookApplications : public ::testing::TestWithParam<storage::BackendKind> {
 protected:
  ~WebhookApplications() override { stop(); }

  void start(delivery::WebhookSenders::ByApplication who) {
    senders_.emplace(house_.keys, house_.world.metrics, std::move(who));
    courier_ = std::make_unique<delivery::Courier>(
        delivery::CourierPorts{outbox_, queue_, house_.world.clock, house_.random, house_.keys,
                               house_.world.metrics, &*senders_},
        delivery::CourierConfig{.trouble_pause = Millis(1)},
        delivery::Outlets{{"default", outlet_}});
    ended_ = false;
    auto run = [this]() -> Task<void> {
      co_await courier_->run();
      ended_ = true;
    };
    boost::asio::co_spawn(loop_.get_executor(), run(), boost::asio::detached);
  }
  void start() { start({{"", &base_.sender}, {"shop", &shop_.sender}}); }
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
  void settle() {
    const std::size_t looks = queue_.looks;
    run_until([&] { return queue_.looks > looks + 2 && house_.world.stats().leased == 0; });
  }
  void happen(const std::string& application) {
    otp::Effects effects;
    effects.events.push_back(house_.world.event(type::k_canceled));
    effects.events.back().application = application;
    ASSERT_TRUE(await(outbox_.append(std::move(effects))).has_value());
  }
  std::vector<std::string> dead_reasons() {
    std::vector<std::string> reasons;
    const auto letters = await(house_.world.queue().dead_letters(100));
    for (const auto& letter : letters.value()) reasons.push_back(letter.reason);
    return reasons;
  }

  boost::asio::io_context loop_;
  House house_{GetParam()};
  EagerQueue queue_{house_.world.queue(), house_.world.clock};
  Customer base_{house_, "default", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="};
  Customer shop_{house_, "shop", "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="};
  delivery::WebhookOutbox outbox_{{house_.store, house_.random, house_.keys, house_.world.metrics},
                                  {{"", {base_.endpoint, {"otp.canceled"}}},
                                   {"shop", {shop_.endpoint, {"otp.canceled"}}},
                                   {"guest", {base_.endpoint, {"otp.canceled"}}},
                                   {"picky", {base_.endpoint, {"otp.sent"}}}},
                                  {.max_waiting = 5}};
  delivery::Templates templates_ = delivery::Templates::make({}).value();
  TestLanes lanes_{house_.world.clock, house_.random, house_.world.metrics};
  delivery::Outlet outlet_{templates_, lanes_.dispatcher, house_.issuer.caps()};
  std::optional<delivery::WebhookSenders> senders_;
  bool ended_ = false;
  std::unique_ptr<delivery::Courier> courier_;
};
INSTANTIATE_TEST_SUITE_P(Backends, WebhookApplications, k_houses, storage::backend_name);

TEST_P(WebhookApplications, EachHearsItsOwnUnderItsOwnSecret) {
  start();
  happen("");
  happen("shop");
  happen("shop");
  settle();
  ASSERT_EQ(base_.client.seen.size(), 1U);
  ASSERT_EQ(shop_.client.seen.size(), 2U);
  EXPECT_FALSE(base_.client.seen[0].json().at("data").contains("application"));
  EXPECT_TRUE(base_.believes(base_.client.seen[0]));
  EXPECT_FALSE(shop_.believes(base_.client.seen[0]));
  for (const auto& seen : shop_.client.seen) {
    EXPECT_EQ(seen.json().at("data").at("application"), "shop");
    EXPECT_TRUE(shop_.believes(seen));
    EXPECT_FALSE(base_.believes(seen));
  }
}

TEST_P(WebhookApplications, OneMayShareAnEndpointAndWantOtherEvents) {
  start({{"", &base_.sender}, {"guest", &base_.sender}, {"picky", &base_.sender}});
  happen("guest");
  happen("picky");
  happen("stranger");  // an application that is not known (any more)
  settle();
  ASSERT_EQ(base_.client.seen.size(), 1U);
  EXPECT_EQ(base_.client.seen[0].json().at("data").at("application"), "guest");
  EXPECT_TRUE(base_.believes(base_.client.seen[0]));
  EXPECT_EQ(house_.world.stats().waiting, 0U);
}

TEST_P(WebhookApplications, WhatWaitsGoesWhereItsApplicationHasItsEndpointNow) {
  happen("shop");
  happen("guest");
  happen("");
  // Meanwhile shop has none any more, and guest has shop's: nothing of theirs is the base one's.
  start({{"", &base_.sender}, {"guest", &shop_.sender}});
  settle();
  ASSERT_EQ(base_.client.seen.size(), 1U);
  EXPECT_FALSE(base_.client.seen[0].json().at("data").contains("application"));
  ASSERT_EQ(shop_.client.seen.size(), 1U);
  EXPECT_EQ(shop_.client.seen[0].json().at("data").at("application"), "guest");
  EXPECT_EQ(dead_reasons(), std::vector<std::string>{"no webhook endpoint"});
}

TEST_P(WebhookApplications, A410OfOneDisablesItAlone) {
  shop_.client.answer_with(410);
  start();
  happen("shop");
  settle();
  EXPECT_TRUE(shop_.endpoint.disabled());
  EXPECT_FALSE(base_.endpoint.disabled());
  ASSERT_TRUE(await(base_.endpoint.load()).has_value());
  EXPECT_FALSE(base_.endpoint.disabled()) << "though both have the same address";
  happen("shop");
  happen("");
  settle();
  EXPECT_EQ(shop_.client.seen.size(), 1U);
  EXPECT_EQ(base_.client.seen.size(), 1U);
}

TEST_P(WebhookApplications, AnEndpointThatHangsHoldsNoOther) {
  bool hangs = true;
  shop_.client.behave = [&](std::size_t) -> Task<Result<delivery::WebhookAnswer>> {
    while (hangs) co_await sleep_for(Millis(5));
    co_return delivery::WebhookAnswer{204, {}};
  };
  start();
  for (int i = 0; i < 12; ++i) happen("shop");
  run_until([&] { return shop_.sender.in_flight() == 4; });
  for (std::size_t told = 1; told <= 10; ++told) {
    happen("");
    run_until([&] { return base_.client.seen.size() == told; });
  }
  EXPECT_EQ(shop_.client.most_at_once, 4U);
  hangs = false;
  shop_.client.behave = nullptr;
  settle();
}

TEST_P(WebhookApplications, OneThatIsOverloadedDoesNotSpareAnother) {
  shop_.client.answer_with(429, Seconds(120));
  start();
  happen("shop");
  settle();
  happen("shop");
  happen("");
  settle();
  EXPECT_EQ(shop_.client.seen.size(), 1U);
  EXPECT_EQ(base_.client.seen.size(), 1U);
}

TEST_P(WebhookApplications, OneThatFailsLosesItsEventsBeforeAnotherDoes) {
  shop_.client.answer_with(500);
  start();
  for (int i = 0; i < 8; ++i) {
    EXPECT_FALSE(shop_.endpoint.failing()) << i;
    happen("shop");
    settle();
  }
  EXPECT_TRUE(shop_.endpoint.failing());
  EXPECT_EQ(house_.world.stats().waiting, 8U);
  outbox_.set_waiting(8);
  happen("shop");
  happen("");
  settle();
  EXPECT_EQ(shop_.client.seen.size(), 8U) << "there is no room for it";
  EXPECT_EQ(base_.client.seen.size(), 1U);
  EXPECT_FALSE(base_.endpoint.failing());

  delivery::WebhookEndpoint elsewhere({house_.store, house_.world.clock, house_.random},
                                      shop_.endpoint.key(), shop_.endpoint.url());
  ASSERT_TRUE(await(elsewhere.load()).has_value());
  EXPECT_TRUE(elsewhere.failing()) << "other processes know";
  shop_.client.answer_with(204);
  house_.world.clock.advance(Seconds(6));
  settle();
  EXPECT_FALSE(shop_.endpoint.failing());
  ASSERT_TRUE(await(elsewhere.load()).has_value());
  EXPECT_FALSE(elsewhere.failing());
}

TEST_P(WebhookApplications, AnotherProcessSeesThatAnEndpointWasEnabledAgain) {
  ASSERT_TRUE(await(shop_.endpoint.disable("http 410")).has_value());
  delivery::WebhookEndpoint elsewhere({house_.store, house_.world.clock, house_.random},
                                      shop_.endpoint.key(), shop_.endpoint.url());
  ASSERT_TRUE(await(elsewhere.load()).has_value());
  EXPECT_TRUE(elsewhere.disabled());
  ASSERT_TRUE(await(shop_.endpoint.enable(k_ip)).has_value());
  ASSERT_TRUE(await(elsewhere.load()).has_value());
  EXPECT_FALSE(elsewhere.disabled());
}

}  // namespace
}  // namespace otpd::usecase
