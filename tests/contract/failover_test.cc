// Several lanes: a failing one is passed over, a slow one is not waited for, a dead one is left
// alone, and what does not arrive is followed by another channel.
#include "failover.h"

namespace otpd::usecase {
namespace {

INSTANTIATE_TEST_SUITE_P(Backends, Failover, k_houses, storage::backend_name);

TEST_P(Failover, AFailingLaneMovesOnAndTheTimelineTellsIt) {
  first_.answer_with({outcome_of(Kind::transient, "http 500")});
  start(patient());
  const auto id = deliver_one();
  EXPECT_EQ(sent_by(id), "second");
  const auto lines = house_.events(type::k_delivery_retry);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].provider, "first");
  EXPECT_EQ(lines[0].detail, "http 500");
  EXPECT_EQ(lines[0].verification_id, id.text());
}

TEST_P(Failover, TheTimelineTellsTheTriesOfOneMomentInTheirOrder) {
  first_.behave = [](std::size_t, Millis) -> Task<Outcome> {
    co_return outcome_of(Kind::transient);
  };
  start(patient());
  for (int i = 0; i < 16; ++i) deliver_one();
  const auto tries = house_.events(type::k_delivery_retry);
  const auto ends = house_.events(type::k_sent);
  ASSERT_EQ(tries.size(), 16U);
  for (const auto& one : tries) {
    const auto end = std::ranges::find(ends, one.verification_id, &audit::Event::verification_id);
    ASSERT_NE(end, ends.end());
    EXPECT_LT(one.id, end->id);
  }
}

TEST_P(Failover, ARejectedRecipientIsNotTriedElsewhere) {
  first_.answer_with({outcome_of(Kind::rejected, "21211")});
  start(patient());
  const auto id = deliver_one();
  EXPECT_EQ(house_.status(id), "failed");
  EXPECT_TRUE(second_.seen.empty());
}

TEST_P(Failover, ADeadLaneIsLeftAloneUntilItsProbeSucceeds) {
  bool dead = true;
  first_.behave = [&](std::size_t, Millis) -> Task<Outcome> {
    co_return outcome_of(dead ? Kind::transient : Kind::accepted);
  };
  start(quick());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sent_by(deliver_one()), "second");
  EXPECT_EQ(first_.seen.size(), 3U);  // then its circuit opened
  EXPECT_EQ(blocked(), std::nullopt);
  advance(Seconds(5));
  deliver_one();
  EXPECT_EQ(first_.seen.size(), 4U);  // one probe, in vain
  deliver_one();
  EXPECT_EQ(first_.seen.size(), 4U);
  advance(Seconds(10));  // twice as long
  dead = false;
  EXPECT_EQ(sent_by(deliver_one()), "first");
  EXPECT_EQ(sent_by(deliver_one()), "first");
}

TEST_P(Failover, ALaneThatErrsTooOftenIsProbedAndCarriesAgainLongBeforeItsWindowHasPassed) {
  bool dead = false;
  first_.behave = [&](std::size_t, Millis) -> Task<Outcome> {
    co_return outcome_of(dead ? Kind::transient : Kind::accepted);
  };
  start(quick());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sent_by(deliver_one()), "first");
  dead = true;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sent_by(deliver_one()), "second");
  EXPECT_EQ(first_.seen.size(), 22U);  // two of 22 are too many: the others went by
  dead = false;
  EXPECT_EQ(sent_by(deliver_one()), "second");
  advance(Seconds(5));
  EXPECT_EQ(sent_by(deliver_one()), "first");
  EXPECT_EQ(sent_by(deliver_one()), "first");
}

TEST_P(Failover, AMisconfiguredLaneOpensAtOnce) {
  first_.answer_with({outcome_of(Kind::misconfigured, "401")});
  start(quick());
  deliver_one();
  deliver_one();
  EXPECT_EQ(first_.seen.size(), 1U);
  EXPECT_EQ(second_.seen.size(), 2U);
}

TEST_P(Failover, WithEveryLaneDeadNothingMoreIsAcceptedAndTheQueuedGoesOutAfterwards) {
  bool dead = true;
  const auto behave = [&](std::size_t, Millis) -> Task<Outcome> {
    co_return outcome_of(dead ? Kind::transient : Kind::accepted);
  };
  first_.behave = second_.behave = behave;
  start(quick());
  std::vector<otp::VerificationId> accepted;
  for (int i = 0; i < 3; ++i) accepted.push_back(send());
  run_until([&] { return blocked().has_value(); });
  EXPECT_LE(*blocked(), Seconds(5));
  EXPECT_EQ(lanes_.dispatcher.unavailable_for("fax", k_phone), std::nullopt);
  dead = false;
  run_until([&] { return house_.world.stats().leased == 0; });
  for (int i = 0; i < 20; ++i) {
    advance(Seconds(6));
    const std::size_t looks = queue_.looks;
    run_until([&] { return queue_.looks > looks + 1 && house_.world.stats().leased == 0; });
  }
  for (const auto& id : accepted) EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(blocked(), std::nullopt);
}

TEST_P(Failover, AThrottledLaneIsSparedForAsLongAsItAsks) {
  first_.answer_with({outcome_of(Kind::throttled, "429", Millis(20'000))});
  start(quick());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sent_by(deliver_one()), "second");
  EXPECT_EQ(first_.seen.size(), 1U);
  advance(Seconds(20));
  EXPECT_EQ(sent_by(deliver_one()), "first");
}

TEST_P(Failover, ASlowLaneIsNotWaitedForAlone) {
  start({.min_volume = 5, .open_failures = 1'000});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(sent_by(deliver_one()), "first");
  bool late = false;
  first_.behave = [&](std::size_t, Millis) -> Task<Outcome> {
    co_await sleep_for(Millis(2'500));
    late = true;
    co_return outcome_of(Kind::accepted);
  };
  const auto id = deliver_one();
  EXPECT_EQ(sent_by(id), "second");
  EXPECT_FALSE(late);
  run_until([&] { return late; });  // its late yes changes nothing
  EXPECT_EQ(sent_by(id), "second");
}

TEST_P(Failover, WithoutAReceiptAnotherChannelFollows) {
  outlet_.fallbacks.emplace("sms", delivery::Fallback{"voice", Seconds(30)});
  outlet_.fallback_purposes.insert("login");
  start(patient());
  const auto arrives = deliver_one();
  const auto fails = deliver_one();
  const auto silent = deliver_one();
  EXPECT_EQ(receive("first", arrives.text(), {Receipt::State::delivered, "message-1", ""}),
            ReceiptFate::written);
  EXPECT_EQ(receive("first", fails.text(), {Receipt::State::failed, "message-1", "30003"}),
            ReceiptFate::written);
  EXPECT_EQ(house_.status(fails), "failed");
  advance(Seconds(30));
  run_until([&] { return house_.world.stats().waiting + house_.world.stats().leased == 0; });
  EXPECT_EQ(second_.seen.size(), 2U);
  EXPECT_EQ(sent_by(arrives), "first");
  EXPECT_EQ(sent_by(fails), "second");
  EXPECT_EQ(sent_by(silent), "second");
  EXPECT_EQ(house_.status(arrives), "delivered");
  EXPECT_TRUE(second_.seen[0].text.contains(", ")) << second_.seen[0].text;  // spoken
}

TEST_P(Failover, AReceiptCountsOnceAndOnlyForItsMessage) {
  start(patient());
  const auto id = deliver_one();
  const auto delivered = [&](const std::string& lane, const std::string& message) {
    return receive(lane, id.text(), {Receipt::State::delivered, message, ""});
  };
  EXPECT_EQ(receive("first", id.text(), {Receipt::State::on_its_way, "message-1", ""}),
            ReceiptFate::ignored);
  EXPECT_EQ(delivered("second", "message-1"), ReceiptFate::ignored);
  EXPECT_EQ(delivered("first", "message-2"), ReceiptFate::ignored);
  EXPECT_EQ(receive("first", "", {Receipt::State::delivered, "message-1", ""}),
            ReceiptFate::unknown);
  EXPECT_EQ(receive("first", "forged", {Receipt::State::delivered, "message-1", ""}),
            ReceiptFate::unknown);
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(delivered("first", "message-1"), ReceiptFate::written);
  EXPECT_EQ(delivered("first", "message-1"), ReceiptFate::ignored);
  EXPECT_EQ(receive("first", id.text(), {Receipt::State::failed, "message-1", "30003"}),
            ReceiptFate::ignored);
  EXPECT_EQ(house_.status(id), "delivered");
  EXPECT_EQ(house_.events(type::k_delivered).size(), 1U);
}

TEST_P(Failover, ACarriersOwnIdLeadsToTheMessage) {
  first_.by_message_id = true;
  start(patient());
  const auto id = deliver_one();
  EXPECT_EQ(receive("second", "", {Receipt::State::delivered, "message-1", ""}),
            ReceiptFate::unknown);
  EXPECT_EQ(receive("first", "", {Receipt::State::delivered, "message-1", ""}),
            ReceiptFate::written);
  EXPECT_EQ(house_.status(id), "delivered");
}

TEST_P(Failover, AnOperatorsSwitchIsObeyed) {
  start(patient());
  lanes_.lanes.at("first")->set_disabled(true, house_.world.clock.now());
  EXPECT_EQ(sent_by(deliver_one()), "second");
  lanes_.lanes.at("second")->set_disabled(true, house_.world.clock.now());
  EXPECT_TRUE(blocked());
  lanes_.lanes.at("first")->set_disabled(false, house_.world.clock.now());
  EXPECT_EQ(blocked(), std::nullopt);
  EXPECT_EQ(sent_by(deliver_one()), "first");
}

}  // namespace
}  // namespace otpd::usecase
