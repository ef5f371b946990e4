#include "net/smpp_session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <set>

#include "net/test_smsc.h"

namespace otpd::net {
namespace {

using Answer = Result<SmppAnswer>;

SmppMessage text_message(std::string text) {
  SmppMessage message;
  message.destination = {1, 1, Secret(std::string("14155552671"))};
  message.short_message = Secret(std::move(text));
  return message;
}

struct SmppSessionTest : ::testing::Test {
  SmppSessionConfig config_for(const TestSmsc& smsc) const {
    SmppSessionConfig config;
    config.target = {.host = "127.0.0.1", .port = smsc.port()};
    config.system_id = "otpd";
    config.password = Secret(std::string("secret"));
    config.backoff_base = Millis(10);
    config.backoff_max = Millis(40);
    return config;
  }
  void connect(SmppSessionConfig config) {
    auto made = SmppSession::make(loop, std::move(config), random, [this](const SmppMessage& m) {
      delivered.emplace_back(m.short_message.reveal());
    });
    session = std::move(made.value());
  }
  // Starts a submit whose answer goes to the end of `answers`.
  void submit(std::string text, Millis timeout = Seconds(5)) {
    auto body = [](SmppSessionTest* test, SmppMessage message, Millis limit) -> Task<void> {
      test->answers.push_back(co_await test->session->submit(message, limit));
    };
    boost::asio::co_spawn(loop.get_executor(), body(this, text_message(std::move(text)), timeout),
                          boost::asio::detached);
  }
  // Runs the loop until `holds`; false after 10 s.
  template <class Condition>
  bool run_until(Condition holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds() && std::chrono::steady_clock::now() < limit) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(50));
    }
    return holds();
  }
  bool run_until_answers(std::size_t count) {
    return run_until([&] { return answers.size() >= count; });
  }

  boost::asio::io_context loop{1};
  SeededRandom random{1};
  std::vector<std::string> delivered;
  std::vector<Answer> answers;
  std::unique_ptr<SmppSession> session;
};

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
  std::atomic<bool> answered{false};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    peer.receipt("first", 9);
    const auto response = peer.read();
    answered = response && response->header.command == SmppCommand::deliver_sm_resp &&
               response->header.sequence == 9 && response->header.status == 0 &&
               response->body.reveal() == write_smpp_name("");
    peer.wait_for_end();
  }});
  connect(config_for(smsc));
  ASSERT_TRUE(run_until([&] { return !delivered.empty(); }));
  ASSERT_TRUE(run_until([&] { return answered.load(); }));
  EXPECT_EQ(delivered, std::vector<std::string>{"first"});
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
