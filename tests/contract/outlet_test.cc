// One courier, several applications: each has its own words, links, fallbacks and way.
#include "carrier.h"
#include "crypto/seal.h"
#include "delivery/courier.h"
#include "delivery/expiry_sweep.h"
#include "delivery/receipt_desk.h"
#include "delivery/webhook_outbox.h"
#include "house.h"
#include "lanes.h"

namespace otpd::usecase {
namespace {

using storage::await;

delivery::Templates words_of(const std::string& brand) {
  delivery::TemplateConfig config;
  config.brand = brand;
  config.overrides["password_reset"]["sms"]["en"].text = "{brand}: {code} {link}";
  return delivery::Templates::make(config).value();
}

class OutletUseCase : public ::testing::TestWithParam<storage::BackendKind> {
 protected:
  OutletUseCase() {
    shop_rules_.application = "shop";
    shop_rules_.owns_unnamed = false;
    const auto lane = [](const char* name) {
      return delivery::LaneConfig{.name = name, .timeout = Seconds(3), .breaker = patient()};
    };
    lanes_.add(first_, lane("first"));
    lanes_.add(second_, lane("second"));
    lanes_.routes.add("sms", "", {{"first"}});
    shop_routes_.add("sms", "", {{"second"}});
    shop_routes_.add("voice", "", {{"second"}});
  }
  ~OutletUseCase() override {
    if (!courier_) return;
    courier_->stop();
    run_until([&] { return ended_; });
  }

  void start(bool with_shop = true) {
    delivery::Outlet base{base_words_, lanes_.dispatcher, house_.issuer.caps()};
    base.link_urls.emplace("password_reset", "https://base.example/{token}");
    delivery::Outlet shop{shop_words_, shop_dispatcher_, shop_issuer_.caps()};
    shop.link_urls.emplace("password_reset", "https://shop.example/{token}");
    shop.fallbacks.emplace("sms", delivery::Fallback{"voice", Seconds(30)});
    shop.fallback_purposes.insert("login");
    delivery::Outlets outlets{{"default", base}};
    if (with_shop) outlets.emplace("shop", shop);
    courier_ = std::make_unique<delivery::Courier>(
        delivery::CourierPorts{house_.store, queue_, house_.world.clock, house_.random, house_.keys,
                               house_.world.metrics},
        delivery::CourierConfig{.trouble_pause = Millis(1)}, outlets);
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
  void run_until_empty() {
    run_until([this] {
      const auto stats = house_.world.stats();
      return stats.waiting + stats.leased == 0;
    });
  }
  otp::VerificationId send_at_shop(const std::string& purpose = "login") {
    const auto outcome = await(shop_issuer_.send(house_.send_request(k_phone, purpose))).value();
    return std::get<otp::Sent>(outcome).answer.verification_id;
  }
  otp::VerificationId send(const std::string& purpose = "login") {
    return std::get<otp::Sent>(house_.send(house_.send_request(k_phone, purpose)))
        .answer.verification_id;
  }
  std::string shop_status(const otp::VerificationId& id) {
    const auto found = await(shop_verifications_.find(id)).value();
    return found ? std::string(otp::status_name(*found, house_.world.clock.now())) : "none";
  }

  boost::asio::io_context loop_;
  House house_{GetParam()};
  EagerQueue queue_{house_.world.queue(), house_.world.clock};
  ScriptedCarrier first_{house_.world.clock};
  ScriptedCarrier second_{house_.world.clock};
  delivery::Templates base_words_ = words_of("Base");
  delivery::Templates shop_words_ = words_of("Shop");
  TestLanes lanes_{house_.world.clock, house_.random, house_.world.metrics};
  delivery::RouteTable shop_routes_;
  delivery::Dispatcher shop_dispatcher_{lanes_.lanes, shop_routes_, house_.world.clock,
                                        house_.random};
  otp::Rules shop_rules_ = make_test_rules();
  otp::Issuer shop_issuer_{house_.services(), shop_rules_, house_.roads};
  otp::Verifications shop_verifications_{house_.services(), shop_rules_};
  bool ended_ = false;
  std::unique_ptr<delivery::Courier> courier_;
};
INSTANTIATE_TEST_SUITE_P(Backends, OutletUseCase, k_houses, storage::backend_name);

TEST_P(OutletUseCase, EachHasItsWordsLinksAndWay) {
  send("password_reset");
  send_at_shop("password_reset");
  start();
  run_until_empty();
  ASSERT_EQ(first_.seen.size(), 1U);
  ASSERT_EQ(second_.seen.size(), 1U);
  for (const audit::Event& line : house_.events(type::k_sent)) {
    EXPECT_EQ(line.application, line.provider == "second" ? "shop" : "");
  }
  EXPECT_TRUE(first_.seen[0].text.contains("Base"));
  EXPECT_TRUE(first_.seen[0].text.contains("https://base.example/"));
  EXPECT_TRUE(second_.seen[0].text.contains("Shop"));
  EXPECT_TRUE(second_.seen[0].text.contains("https://shop.example/"));
  EXPECT_FALSE(second_.seen[0].text.contains("ase"));
}

TEST_P(OutletUseCase, OnlyOneOfThemHasAFallbackAndItStaysItsOwn) {
  const auto ours = send();
  const auto theirs = send_at_shop();
  start();
  run_until([&] { return house_.status(ours) == "sent" && shop_status(theirs) == "sent"; });
  house_.world.clock.advance(Seconds(30));
  run_until([&] { return second_.seen.size() == 2; });
  run_until_empty();
  EXPECT_TRUE(second_.seen[1].text.contains("Shop"));
  EXPECT_EQ(first_.seen.size(), 1U);
}

TEST_P(OutletUseCase, AFallbackIsChargedToItsOwnApplication) {
  using otp::Meter;
  shop_rules_.caps.application[Meter::hour] = otp::Cap{1};
  house_.rules.caps.application[Meter::hour] = otp::Cap{1};
  const auto theirs = send_at_shop();
  start();
  run_until([&] { return shop_status(theirs) == "sent"; });
  house_.world.clock.advance(Seconds(30));
  run_until_empty();
  EXPECT_EQ(second_.seen.size(), 1U);
  EXPECT_EQ(shop_status(theirs), "failed");
  const auto lines = house_.events(type::k_limited);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].application, "shop");
  EXPECT_EQ(lines[0].detail, "application_hour");
  EXPECT_EQ(house_.events(type::k_delivery_failed).at(0).application, "shop");
  send();  // the other one's is untouched
}

TEST_P(OutletUseCase, AReceiptFindsItsMessageWhoeverSentIt) {
  second_.by_message_id = true;
  const auto theirs = send_at_shop();
  start();
  run_until([&] { return shop_status(theirs) == "sent"; });
  delivery::ReceiptDesk desk(
      {house_.store, house_.world.clock, house_.random, house_.keys, house_.world.metrics},
      {.looks = 1});
  const auto fate = await(desk.take(
      "second", {}, {.state = delivery::Receipt::State::delivered, .message_id = "message-1"}));
  ASSERT_TRUE(fate);
  EXPECT_EQ(*fate, delivery::ReceiptFate::written);
  EXPECT_EQ(house_.events(type::k_sent).at(0).application, "shop");
  EXPECT_EQ(house_.events(type::k_delivered).at(0).application, "shop");
  EXPECT_EQ(shop_status(theirs), "delivered");
}

TEST_P(OutletUseCase, AnExpiryThatNobodyAskedAboutSaysWhoseItIs) {
  delivery::ExpirySweep sweep(
      {house_.store, house_.world.clock, house_.random, house_.world.metrics}, {});
  for (const auto& id : {send(), send_at_shop()}) {
    sweep.watch(otp::recipient_key(id.recipient_hash), house_.world.clock.now() + Seconds(300));
  }
  house_.world.clock.advance(Seconds(300));
  await([&]() -> Task<bool> {
    co_await sweep.sweep();
    co_return true;
  }());
  std::set<std::string> whose;
  for (const audit::Event& line : house_.events(type::k_expired)) {
    whose.insert(line.application);
    EXPECT_EQ(delivery::webhook_body(line).contains(R"("application":"shop")"),
              line.application == "shop");
  }
  EXPECT_EQ(whose, (std::set<std::string>{"", "shop"}));
}

TEST_P(OutletUseCase, AJobThatNamesNoApplicationIsTheBaseOnes) {
  send();
  auto jobs = house_.world.take(1);
  ASSERT_EQ(jobs.size(), 1U);
  auto payload =
      otp::decode<otp::Payload>(crypto::open(house_.keys, jobs[0].sealed, jobs[0].id)->reveal());
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->application, "default");
  payload->application.clear();
  const std::string id(otp::k_hash_bytes, 'j');
  house_.world.append(
      {.enqueue = {{id, jobs[0].key, house_.world.clock.now(), jobs[0].expires_at,
                    crypto::seal(house_.keys, house_.random, otp::encode(*payload), id)}},
       .finish = {storage::end_of(jobs[0], otp::JobEnd::How::done)}});
  start();
  run_until_empty();
  ASSERT_EQ(first_.seen.size(), 1U);
  EXPECT_TRUE(first_.seen[0].text.contains("Base"));
}

TEST_P(OutletUseCase, AMessageOfAnApplicationThatIsGoneIsGivenUp) {
  const auto theirs = send_at_shop();
  start(false);
  run_until([&] { return house_.world.stats().dead == 1; });
  EXPECT_EQ(await(house_.world.queue().dead_letters(10)).value().at(0).reason,
            "unknown application");
  EXPECT_EQ(shop_status(theirs), "failed");
  EXPECT_TRUE(first_.seen.empty());
  EXPECT_TRUE(second_.seen.empty());
}

}  // namespace
}  // namespace otpd::usecase
