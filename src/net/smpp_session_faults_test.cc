#include <gtest/gtest.h>

#include "net/test_smpp_session.h"

namespace otpd::net {
namespace {

TEST_F(SmppSessionTest, ConnectsAgainAfterADropInMidWindow) {
  TestSmsc smsc({[](TestSmscPeer& peer) {
                   peer.welcome();
                   peer.accept(peer.read(SmppCommand::submit_sm).value(), "a");
                   peer.read(SmppCommand::submit_sm);
                 },
                 [](TestSmscPeer& peer) {
                   peer.welcome();
                   while (auto pdu = peer.read(SmppCommand::submit_sm)) peer.accept(*pdu, "b");
                 }});
  auto config = config_for(smsc);
  config.window = 1;
  connect(std::move(config));
  for (int i = 0; i < 3; ++i) submit(std::to_string(i));
  ASSERT_TRUE(run_until_answers(3));
  EXPECT_EQ(answers[0]->message_id, "a");
  // The second was on its way; the third waited and goes over the next connection.
  ASSERT_FALSE(answers[1]);
  EXPECT_EQ(answers[1].error().kind, Failure::unavailable);
  ASSERT_TRUE(answers[2]);
  EXPECT_EQ(answers[2]->message_id, "b");
}

TEST_F(SmppSessionTest, TakesAnswersInPiecesAndUnbindsWhenAsked) {
  std::atomic<bool> unbind_answered{false};
  std::atomic<bool> came_back{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
                   peer.welcome();
                   const auto submit = peer.read(SmppCommand::submit_sm).value();
                   std::string bytes;
                   append_smpp_pdu(bytes, {SmppCommand::submit_sm_resp, 0, submit.header.sequence},
                                   write_smpp_name("pieces"));
                   append_smpp_pdu(bytes, {SmppCommand::unbind, 0, 5}, {});
                   for (const char c : bytes) peer.write({&c, 1});
                   unbind_answered = peer.read(SmppCommand::unbind_resp).has_value();
                 },
                 [&](TestSmscPeer& peer) {
                   came_back = peer.welcome().has_value();
                   peer.wait_for_end();
                 }});
  connect(config_for(smsc));
  submit("1");
  ASSERT_TRUE(run_until_answers(1));
  EXPECT_EQ(answers[0]->message_id, "pieces");
  ASSERT_TRUE(run_until([&] { return came_back && session->is_bound(); }));
  EXPECT_TRUE(unbind_answered);
}

TEST_F(SmppSessionTest, LeavesAPeerThatTalksGarbage) {
  std::atomic<bool> nacked{false};
  std::atomic<bool> came_back{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
                   peer.welcome();
                   peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
                   const auto pdu = peer.read(SmppCommand::generic_nack);
                   nacked = pdu && pdu->header.status == smpp_status::k_invalid_length;
                 },
                 [&](TestSmscPeer& peer) {
                   came_back = peer.welcome().has_value();
                   while (auto pdu = peer.read(SmppCommand::submit_sm)) peer.accept(*pdu, "1");
                 }});
  connect(config_for(smsc));
  ASSERT_TRUE(run_until([&] { return came_back && session->is_bound(); }));
  submit("1");
  ASSERT_TRUE(run_until_answers(1));
  EXPECT_TRUE(answers[0]);
  EXPECT_TRUE(nacked);
}

TEST_F(SmppSessionTest, GivesUpOnLateAnswersAndFreesTheirPlace) {
  TestSmsc smsc({[](TestSmscPeer& peer) {
    peer.welcome();
    const auto late = peer.read(SmppCommand::submit_sm).value();
    const auto second = peer.read(SmppCommand::submit_sm).value();  // though the window is 1
    peer.accept(late, "late");
    peer.accept(second, "second");
    peer.wait_for_end();
  }});
  auto config = config_for(smsc);
  config.window = 1;
  connect(std::move(config));
  ASSERT_TRUE(run_until([&] { return session->is_bound(); }));
  submit("1", Millis(30));
  submit("2");
  ASSERT_TRUE(run_until_answers(2));
  ASSERT_FALSE(answers[0]);
  EXPECT_EQ(answers[0].error().kind, Failure::timeout);
  EXPECT_EQ(answers[1].value().message_id, "second");
}

TEST_F(SmppSessionTest, AsksWhetherTheSmscIsThereAndLeavesIfNot) {
  std::atomic<int> asked{0};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
                   peer.welcome();
                   for (int i = 0; i < 2; ++i) {
                     const auto pdu = peer.read(SmppCommand::enquire_link);
                     if (!pdu) return;
                     ++asked;
                     if (i == 0) peer.answer(*pdu, 0);
                   }
                   peer.wait_for_end();
                 },
                 [](TestSmscPeer& peer) {
                   peer.welcome();
                   while (auto pdu = peer.read(SmppCommand::enquire_link)) peer.answer(*pdu, 0);
                 }});
  auto config = config_for(smsc);
  config.enquire_link = Millis(20);
  config.link_timeout = Millis(100);
  connect(std::move(config));
  ASSERT_TRUE(run_until([&] { return session->is_bound(); }));
  ASSERT_TRUE(run_until([&] { return !session->is_bound(); }));
  EXPECT_EQ(asked, 2);
  ASSERT_TRUE(run_until([&] { return session->is_bound(); }));
}

TEST_F(SmppSessionTest, LeavesWhenTheBindIsNotAnswered) {
  TestSmsc smsc({[](TestSmscPeer& peer) { peer.wait_for_end(); },
                 [](TestSmscPeer& peer) {
                   peer.welcome();
                   peer.wait_for_end();
                 }});
  auto config = config_for(smsc);
  config.bind_timeout = Millis(30);
  connect(std::move(config));
  EXPECT_TRUE(run_until([&] { return session->is_bound(); }));
}

TEST_F(SmppSessionTest, WaitsLongerForAnSmscThatHangsUpEachTime) {
  std::vector<std::chrono::steady_clock::time_point> binds;
  std::atomic<int> count{0};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    binds.push_back(std::chrono::steady_clock::now());
    ++count;
  }});
  auto config = config_for(smsc);
  config.backoff_base = Millis(100);
  config.backoff_max = Seconds(60);
  connect(std::move(config));
  ASSERT_TRUE(run_until([&] { return count >= 4; }));
  session.reset();
  smsc.stop();
  // At least 50, 100 and 200 ms, less what may pass here between a bind and the note of it; without
  // doubling it would be 300 at most.
  EXPECT_GT(binds[3] - binds[0], Millis(320));
}

TEST_F(SmppSessionTest, RefusesAtOnceWhatCannotGo) {
  TestSmsc smsc({[](TestSmscPeer& peer) { peer.wait_for_end(); }});  // never binds
  auto config = config_for(smsc);
  config.max_waiting = 2;
  connect(std::move(config));
  submit("1");
  submit("2");
  submit("3");
  ASSERT_TRUE(run_until_answers(1));
  EXPECT_EQ(answers[0].error().kind, Failure::overloaded);
  submit(std::string(255, 'x'));
  ASSERT_TRUE(run_until_answers(2));
  EXPECT_EQ(answers[1].error().kind, Failure::invalid);
  // It has been unbound for as long as this one would wait.
  submit("4", Millis(0));
  ASSERT_TRUE(run_until_answers(3));
  EXPECT_EQ(answers[2].error().kind, Failure::unavailable);
  session.reset();
  ASSERT_TRUE(run_until_answers(5));
  EXPECT_EQ(answers[3].error().kind, Failure::unavailable);
  EXPECT_EQ(answers[4].error().kind, Failure::unavailable);
}

}  // namespace
}  // namespace otpd::net
