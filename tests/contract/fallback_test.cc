// What follows on another channel is one more message, and is charged as one before it goes out.
#include "failover.h"

namespace otpd::usecase {
namespace {

using otp::Cap;
using otp::Meter;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr otp::Micros k_text = 50'000;
constexpr otp::Micros k_call = 300'000;

class FallbackUseCase : public Failover {
 protected:
  FallbackUseCase() {
    outlet_.fallbacks.emplace("sms", delivery::Fallback{"voice", Seconds(30)});
    outlet_.fallback_purposes.insert("login");
    caps().default_price = k_text;
    caps().channel_prices["voice"][""] = k_call;
    config_.retry = {Millis(2), Millis(2)};
    config_.lease = Millis(5'000);
  }

  otp::CapRules& caps() { return house_.rules.caps; }
  void budget(otp::Micros max) { caps().application[Meter::spent] = Cap{max}; }

  // What stands in the application's record.
  otp::AllowanceState application() {
    const otp::Key key = otp::allowance_key(house_.keys.index_key(), "default",
                                            {"application", {}, caps().application});
    const otp::Record record = house_.world.load(key);
    return record.version == 0 ? otp::AllowanceState{}
                               : otp::decode<otp::AllowanceState>(record.bytes).value();
  }
  otp::Micros spent() {
    otp::AllowanceState state = application();
    return otp::taken_within(state.logs[Meter::spent], std::chrono::hours(24),
                             house_.world.clock.now());
  }
  std::uint64_t messages() {
    otp::AllowanceState state = application();
    return otp::taken_within(state.logs[Meter::hour], std::chrono::hours(1),
                             house_.world.clock.now());
  }
  // Until nothing waits; every retry becomes due.
  void run_until_empty() {
    run_until([&] {
      advance(Millis(1));
      const auto stats = house_.world.stats();
      return stats.waiting + stats.leased == 0;
    });
  }
  void let_fallback_come() {
    advance(Seconds(30));
    run_until_empty();
  }
  std::vector<std::string> details(std::string_view what) {
    std::vector<std::string> found;
    for (const auto& line : house_.events(what)) found.push_back(line.detail);
    return found;
  }
  ReceiptFate receipt(const otp::VerificationId& id, Receipt::State state) {
    return receive("first", id.text(), {state, "message-1", ""});
  }
  std::string error(const otp::VerificationId& id) { return house_.find(id)->delivery_error; }
  // The end of that try is lost with its process; another one takes the job when the lease is over.
  void lose_end_of(std::size_t number) {
    house_.store.script = [this, number](Operation, const otp::Key&, const otp::Effects& effects) {
      return !effects.finish.empty() && second_.seen.size() == number ? Fault::before : Fault::none;
    };
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, FallbackUseCase, k_houses, storage::backend_name);

TEST_P(FallbackUseCase, ItIsChargedWhatItsChannelCosts) {
  start(patient());
  const auto id = deliver_one();
  EXPECT_EQ(spent(), k_text);
  let_fallback_come();
  EXPECT_EQ(sent_by(id), "second");
  EXPECT_EQ(spent(), k_text + k_call);
  EXPECT_EQ(messages(), 2U);
  const std::string page = house_.world.metrics.render();
  EXPECT_TRUE(page.contains("otpd_spent_total{application=\"default\",country=\"US\"} 0.3"))
      << page;
}

TEST_P(FallbackUseCase, WhatArrivedCostsNoMore) {
  start(patient());
  const auto id = deliver_one();
  EXPECT_EQ(receipt(id, Receipt::State::delivered), ReceiptFate::written);
  let_fallback_come();
  EXPECT_THAT(second_.seen, IsEmpty());
  EXPECT_EQ(spent(), k_text);
  EXPECT_EQ(messages(), 1U);
}

TEST_P(FallbackUseCase, ASendWithoutOneCostsTheCourierOneLoadAndOneCommit) {
  outlet_.fallbacks.clear();
  int loads = 0;
  int appends = 0;
  start(patient());
  const auto id = send();
  const std::size_t commits = house_.store.commits;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    loads += operation == Operation::load ? 1 : 0;
    appends += operation == Operation::append ? 1 : 0;
    return Fault::none;
  };
  run_until_empty();
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(house_.store.commits - commits, 1U);
  EXPECT_EQ(loads, 1 + 1);  // and the test's own look
  EXPECT_EQ(appends, 0);
}

TEST_P(FallbackUseCase, WhatTheBudgetCannotPayIsNotSentAndSaysWhy) {
  budget(k_text + k_call - 1);
  start(patient());
  const auto id = deliver_one();
  let_fallback_come();
  EXPECT_THAT(second_.seen, IsEmpty());
  EXPECT_EQ(spent(), k_text);
  EXPECT_EQ(house_.status(id), "failed");
  EXPECT_EQ(error(id), "fallback_limited");
  const auto limited = house_.events(type::k_limited);
  ASSERT_EQ(limited.size(), 1U);
  EXPECT_EQ(limited[0].detail, "budget_application");
  EXPECT_EQ(limited[0].verification_id, id.text());
  EXPECT_EQ(limited[0].purpose, "login");
  EXPECT_EQ(limited[0].country, "US");
  EXPECT_THAT(details(type::k_delivery_failed), ElementsAre("fallback_limited"));
  EXPECT_EQ(house_.world.stats().dead, 0U);
}

TEST_P(FallbackUseCase, EveryCapCountsIt) {
  const std::pair<std::function<void(otp::CapRules&)>, const char*> cases[] = {
      {[](auto& rules) { rules.application[Meter::hour] = Cap{1}; }, "application_hour"},
      {[](auto& rules) { rules.application[Meter::day] = Cap{1}; }, "application_day"},
      {[](auto& rules) { rules.country[Meter::hour] = Cap{1}; }, "country_hour"},
      {[](auto& rules) { rules.country[Meter::spent] = Cap{k_call}; }, "budget_country"},
      {[](auto& rules) { rules.prefixes["+1415"] = {{Cap{1}}}; }, "prefix_hour"},
      {[](auto& rules) { rules.prefix_budgets["+1415"] = Cap{k_call}; }, "budget_prefix"},
      {[](auto& rules) { rules.block = Cap{1}; }, "block_hour"},
  };
  start(patient());
  const otp::CapRules plenty = caps();
  std::vector<std::string> reasons;
  for (const auto& [lower, reason] : cases) {
    caps() = plenty;
    lower(caps());
    const auto id = deliver_one();
    let_fallback_come();
    EXPECT_EQ(error(id), "fallback_limited") << reason;
    reasons.emplace_back(reason);
    advance(std::chrono::hours(50));
  }
  EXPECT_THAT(second_.seen, IsEmpty());
  EXPECT_THAT(details(type::k_limited), ::testing::UnorderedElementsAreArray(reasons));
}

TEST_P(FallbackUseCase, NoneGoesToABlockThatIsClosedForPumping) {
  start(patient());
  const auto id = deliver_one();
  const otp::Key block = otp::block_key(house_.keys.index_key(), "default", "+1415600");
  const otp::Record record = house_.world.load(block);
  auto state = otp::decode<otp::AllowanceState>(record.bytes);
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->guard.sends.empty());
  otp::close_block(state->guard, caps().pumping, house_.world.clock.now());
  house_.world.put(block, record.version, otp::encode(*state));
  let_fallback_come();
  EXPECT_THAT(second_.seen, IsEmpty());
  EXPECT_EQ(error(id), "fallback_limited");
  EXPECT_THAT(details(type::k_limited), ElementsAre("pumping"));
}

TEST_P(FallbackUseCase, AReceiptThatComesAfterTheRefusalStillCounts) {
  budget(k_text);
  start(patient());
  const auto id = deliver_one();
  let_fallback_come();
  EXPECT_EQ(house_.status(id), "failed");
  EXPECT_EQ(receipt(id, Receipt::State::delivered), ReceiptFate::written);
  EXPECT_EQ(house_.status(id), "delivered");
  EXPECT_EQ(receipt(id, Receipt::State::failed), ReceiptFate::ignored);
}

TEST_P(FallbackUseCase, WhatIsKnownToHaveFailedIsNotToldTwice) {
  budget(k_text);
  start(patient());
  const auto id = deliver_one();
  EXPECT_EQ(receipt(id, Receipt::State::failed), ReceiptFate::written);
  let_fallback_come();
  EXPECT_EQ(error(id), "not_delivered");
  EXPECT_THAT(details(type::k_limited), ElementsAre("budget_application"));
  EXPECT_EQ(house_.events(type::k_delivery_failed).size(), 1U);
}

TEST_P(FallbackUseCase, TheEndOfARefusalIsWrittenOnceThoughItsAnswerIsLost) {
  budget(k_text);
  int faults = 0;
  start(patient());
  const auto id = deliver_one();
  house_.store.script = [&](Operation, const otp::Key&, const otp::Effects& effects) {
    return !effects.finish.empty() && faults++ < 2 ? Fault::after : Fault::none;
  };
  let_fallback_come();
  run_until([&] { return faults > 2; });
  EXPECT_EQ(error(id), "fallback_limited");
  EXPECT_EQ(house_.events(type::k_limited).size(), 1U);
  EXPECT_EQ(house_.events(type::k_delivery_failed).size(), 1U);
}

TEST_P(FallbackUseCase, AShadowLetsItGoAndRecordsIt) {
  caps().application[Meter::spent] = Cap{k_text, true};
  start(patient());
  const auto id = deliver_one();
  let_fallback_come();
  EXPECT_EQ(sent_by(id), "second");
  const auto lines = house_.events(type::k_limited_shadow);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "budget_application");
  EXPECT_EQ(lines[0].verification_id, id.text());
  EXPECT_THAT(house_.events(type::k_limited), IsEmpty());
}

TEST_P(FallbackUseCase, TriesThatNoCarrierTookAreNotChargedAgain) {
  second_.answer_with({outcome_of(Kind::transient), outcome_of(Kind::throttled),
                       outcome_of(Kind::misconfigured), outcome_of(Kind::transient)});
  start(patient());
  const auto id = deliver_one();
  let_fallback_come();
  EXPECT_EQ(second_.seen.size(), 5U);
  EXPECT_EQ(sent_by(id), "second");
  EXPECT_EQ(spent(), k_text + k_call);
}

// The queue gives the job again before its courier has heard that the end of the try was written.
TEST_P(FallbackUseCase, ATryThatEndsLateIsNotChargedAgain) {
  second_.answer_with({outcome_of(Kind::transient)});
  start(patient());
  const auto id = deliver_one();
  const std::size_t before = queue_.taken;
  house_.store.linger = [this, before]() -> Task<void> {
    for (int looks = 0; looks < 500 && queue_.taken < before + 2; ++looks) {
      co_await sleep_for(Millis(2));
    }
  };
  let_fallback_come();
  EXPECT_GE(queue_.taken, before + 2);
  EXPECT_EQ(second_.seen.size(), 2U);
  EXPECT_EQ(sent_by(id), "second");
  EXPECT_EQ(spent(), k_text + k_call);
}

TEST_P(FallbackUseCase, ADeadLetterThatIsPutBackIsNotChargedAgain) {
  second_.answer_with({outcome_of(Kind::transient), outcome_of(Kind::rejected)});
  start(patient());
  const auto id = deliver_one();
  let_fallback_come();
  EXPECT_EQ(house_.status(id), "sent");
  const auto letters = await(house_.world.queue().dead_letters(10)).value();
  ASSERT_EQ(letters.size(), 1U);
  ASSERT_TRUE(await(house_.world.queue().requeue(letters[0].id, house_.world.clock.now())).value());
  run_until_empty();
  EXPECT_EQ(sent_by(id), "second");
  EXPECT_EQ(spent(), k_text + k_call);
}

// What may have been sent twice is charged twice: never less than what was sent.
TEST_P(FallbackUseCase, ATryWhoseEndIsLostIsChargedAgain) {
  start(patient());
  deliver_one();
  lose_end_of(1);
  advance(Seconds(30));
  run_until([&] { return second_.seen.size() == 1; });
  run_until([&, end = queue_.looks + 200] { return queue_.looks >= end; });
  EXPECT_EQ(spent(), k_text + k_call);
  advance(config_.lease);
  run_until_empty();
  EXPECT_EQ(second_.seen.size(), 2U);
  EXPECT_EQ(spent(), k_text + 2 * k_call);
}

TEST_P(FallbackUseCase, SoIsOneAfterTriesThatNoCarrierTook) {
  second_.answer_with({outcome_of(Kind::transient)});
  start(patient());
  deliver_one();
  lose_end_of(2);
  advance(Seconds(30));
  run_until([&] {
    advance(Millis(1));
    return second_.seen.size() == 2;
  });
  EXPECT_EQ(spent(), k_text + k_call);
  run_until([&, end = queue_.looks + 200] { return queue_.looks >= end; });
  advance(config_.lease);
  run_until_empty();
  EXPECT_EQ(second_.seen.size(), 3U);
  EXPECT_EQ(spent(), k_text + 2 * k_call);
}

TEST_P(FallbackUseCase, WhatCannotBeChargedIsNotSentBeforeItCan) {
  start(patient());
  const auto id = deliver_one();
  bool away = true;
  int refused = 0;
  house_.store.script = [&](Operation, const otp::Key& key, const otp::Effects&) {
    const bool fails = away && !key.empty() && key[0] == otp::allowance_record("")[0];
    refused += fails ? 1 : 0;
    return fails ? Fault::before : Fault::none;
  };
  advance(Seconds(30));
  run_until([&] { return refused > 0; });
  run_until([&, end = queue_.looks + 5] { return queue_.looks >= end; });
  EXPECT_THAT(second_.seen, IsEmpty());
  EXPECT_EQ(house_.status(id), "sent");
  away = false;
  advance(config_.lease);
  run_until_empty();
  EXPECT_EQ(sent_by(id), "second");
  EXPECT_EQ(spent(), k_text + k_call);
}

}  // namespace
}  // namespace otpd::usecase
