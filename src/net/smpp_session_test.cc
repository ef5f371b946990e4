#include "net/smpp_session.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

#include "net/test_smpp_session.h"

namespace otpd::net {
namespace {

TEST_F(SmppSessionTest, BindsAndSubmits) {
  std::atomic<bool> bind_was_right{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    const auto bind = peer.welcome();
    bind_was_right = bind && bind->system_id == "otpd" && bind->password.reveal() == "secret" &&
                     bind->system_type == "otp" && bind->interface_version == 0x34;
    const auto submit = peer.read(SmppCommand::submit_sm);
    if (!submit) return;
    const auto message = read_smpp_message(submit->body.reveal());
    peer.accept(*submit, "id-" + std::string(message->short_message.reveal()));
    peer.wait_for_end();
  }});
  auto config = config_for(smsc);
  config.system_type = "otp";
  connect(std::move(config));
  submit("1");  // before the bind: it waits
  EXPECT_FALSE(session->is_bound());
  ASSERT_TRUE(run_until_answers(1));
  ASSERT_TRUE(answers[0]);
  EXPECT_EQ(answers[0]->status, smpp_status::k_ok);
  EXPECT_EQ(answers[0]->message_id, "id-1");
  EXPECT_FALSE(answers[0]->to_bind);
  EXPECT_TRUE(session->is_bound());
  session.reset();
  smsc.stop();
  EXPECT_TRUE(bind_was_right);
}

TEST_F(SmppSessionTest, SaysUnbindAtTheEnd) {
  std::atomic<bool> unbound{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    unbound = peer.read(SmppCommand::unbind).has_value();
  }});
  connect(config_for(smsc));
  ASSERT_TRUE(run_until([&] { return session->is_bound(); }));
  session.reset();
  ASSERT_TRUE(run_until([&] { return unbound.load(); }));
}

TEST_F(SmppSessionTest, TellsWhatTheBindWasRefusedWith) {
  TestSmsc smsc({[](TestSmscPeer& peer) { peer.welcome(smpp_status::k_invalid_password); }});
  auto config = config_for(smsc);
  config.backoff_base = config.backoff_max = Seconds(60);
  connect(std::move(config));
  submit("1");
  ASSERT_TRUE(run_until_answers(1));  // at once, not at its deadline
  submit("2");
  ASSERT_TRUE(run_until_answers(2));
  for (const Answer& answer : answers) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, smpp_status::k_invalid_password);
    EXPECT_TRUE(answer->to_bind);
  }
}

TEST_F(SmppSessionTest, BindsAgainAfterARefusal) {
  TestSmsc smsc({[](TestSmscPeer& peer) { peer.welcome(smpp_status::k_system_error); },
                 [](TestSmscPeer& peer) {
                   peer.welcome();
                   while (auto pdu = peer.read(SmppCommand::submit_sm)) peer.accept(*pdu, "1");
                 }});
  connect(config_for(smsc));
  ASSERT_TRUE(run_until([&] { return session->is_bound(); }));
  submit("1");
  ASSERT_TRUE(run_until_answers(1));
  EXPECT_EQ(answers[0]->message_id, "1");
}

TEST_F(SmppSessionTest, KeepsTheWindowAndMatchesAnswersBySequence) {
  std::atomic<std::size_t> seen{0};
  std::atomic<bool> more_than_window{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    std::vector<SmppPdu> window;
    const auto answer_all = [&] {  // in the wrong order
      for (; !window.empty(); window.pop_back()) {
        const auto message = read_smpp_message(window.back().body.reveal());
        peer.accept(window.back(), message->short_message.reveal());
      }
    };
    for (int i = 0; i < 4; ++i) window.push_back(peer.read(SmppCommand::submit_sm).value());
    seen = 4;
    // The client has nothing to say before an answer: what it says is the answer to this.
    peer.say(SmppCommand::enquire_link, 0, 77);
    more_than_window = peer.read()->header.command != SmppCommand::enquire_link_resp;
    answer_all();
    for (int i = 0; i < 4; ++i) window.push_back(peer.read(SmppCommand::submit_sm).value());
    answer_all();
    peer.wait_for_end();
  }});
  auto config = config_for(smsc);
  config.window = 4;
  connect(std::move(config));
  for (int i = 0; i < 8; ++i) submit(std::to_string(i));
  ASSERT_TRUE(run_until_answers(8));
  EXPECT_EQ(seen, 4U);
  EXPECT_FALSE(more_than_window);
  std::set<std::string> ids;
  for (const Answer& answer : answers) ids.insert(answer.value().message_id);
  EXPECT_EQ(ids.size(), 8U);
  EXPECT_EQ(answers[0]->message_id, "3");  // the last of the first window was answered first
}

TEST_F(SmppSessionTest, PassesStatusesOnAndKnowsGenericNack) {
  TestSmsc smsc({[](TestSmscPeer& peer) {
    peer.welcome();
    peer.answer(peer.read(SmppCommand::submit_sm).value(), smpp_status::k_throttled);
    const auto second = peer.read(SmppCommand::submit_sm).value();
    peer.say(SmppCommand::generic_nack, smpp_status::k_invalid_command, second.header.sequence);
    // A yes without a readable id is a yes.
    peer.answer(peer.read(SmppCommand::submit_sm).value(), smpp_status::k_ok, "no end");
    peer.wait_for_end();
  }});
  auto config = config_for(smsc);
  config.window = 1;
  connect(std::move(config));
  for (int i = 0; i < 3; ++i) submit("x");
  ASSERT_TRUE(run_until_answers(3));
  EXPECT_EQ(answers[0]->status, smpp_status::k_throttled);
  EXPECT_EQ(answers[1]->status, smpp_status::k_invalid_command);
  EXPECT_EQ(answers[2]->status, smpp_status::k_ok);
  EXPECT_EQ(answers[2]->message_id, "");
}

TEST_F(SmppSessionTest, AnswersDeliverSmBeforeWorkingOnIt) {
  std::promise<bool> answered;
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    peer.receipt("first", 9);
    const auto response = peer.read();
    answered.set_value(response && response->header.command == SmppCommand::deliver_sm_resp &&
                       response->header.sequence == 9 && response->header.status == 0 &&
                       response->body.reveal() == write_smpp_name(""));
    peer.wait_for_end();
  }});
  // The loop stands still here: what the SMSC gets, it got before.
  auto answer = answered.get_future();
  bool was_first = false;
  on_delivery = [&] {
    was_first = answer.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
  };
  connect(config_for(smsc));
  ASSERT_TRUE(run_until([&] { return !delivered.empty(); }));
  EXPECT_EQ(delivered, std::vector<std::string>{"first"});
  EXPECT_TRUE(was_first);
  EXPECT_TRUE(answer.get());
}

TEST_F(SmppSessionTest, AnswersWhatItCannotUse) {
  std::vector<SmppHeader> heard;
  std::atomic<bool> done{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    peer.say(SmppCommand::deliver_sm, 0, 1, "malformed");
    peer.say(static_cast<SmppCommand>(0x103), 0, 2);
    peer.say(SmppCommand::alert_notification, 0, 3);
    peer.say(SmppCommand::submit_sm_resp, 0, 999, write_smpp_name("nobody's"));
    peer.say(SmppCommand::enquire_link, 0, 4);
    for (int i = 0; i < 3; ++i) heard.push_back(peer.read().value().header);
    done = true;
    peer.wait_for_end();
  }});
  connect(config_for(smsc));
  ASSERT_TRUE(run_until([&] { return done.load(); }));
  EXPECT_EQ(heard[0].command, SmppCommand::deliver_sm_resp);
  EXPECT_EQ(heard[0].status, smpp_status::k_receiver_refuses);
  EXPECT_EQ(heard[1].command, SmppCommand::generic_nack);
  EXPECT_EQ(heard[1].status, smpp_status::k_invalid_command);
  EXPECT_EQ(heard[1].sequence, 2U);
  EXPECT_EQ(heard[2].command, SmppCommand::enquire_link_resp);
  EXPECT_EQ(heard[2].sequence, 4U);
  EXPECT_TRUE(delivered.empty());
  EXPECT_TRUE(session->is_bound());
}

TEST(SmppBackoff, DoublesWithJitterUpToItsMaximum) {
  SmppSessionConfig config;
  config.backoff_base = Millis(500);
  config.backoff_max = Millis(30'000);
  SeededRandom random(7);
  const std::vector<std::int64_t> longest = {500,   1'000,  2'000,  4'000,
                                             8'000, 16'000, 30'000, 30'000};
  for (std::uint32_t i = 0; i < longest.size(); ++i) {
    std::set<std::int64_t> seen;
    for (int tries = 0; tries < 100; ++tries) {
      const auto wait = smpp_backoff(config, i + 1, random).count();
      EXPECT_GE(wait, longest[i] / 2);
      EXPECT_LE(wait, longest[i]);
      seen.insert(wait);
    }
    EXPECT_GT(seen.size(), 20U);
  }
  EXPECT_LE(smpp_backoff(config, 4'000'000'000U, random), Millis(30'000));
}

}  // namespace
}  // namespace otpd::net
