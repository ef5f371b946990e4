#include "net/mail_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include "net/test_client.h"
#include "net/test_scripted_server.h"

namespace otpd::net {
namespace {

// A mail server that knows its lines. `replies` overrides what it says to a command.
struct MailScript {
  std::map<std::string, std::string> replies;
  bool starttls = false;
  std::mutex mutex;
  std::string data;
  std::vector<std::string> commands;

  std::string reply(const std::string& verb, std::string usual) {
    const auto it = replies.find(verb);
    return it == replies.end() ? std::move(usual) : it->second;
  }

  void operator()(ScriptedConnection& c) {
    c.send(reply("greeting", "220 test ready\r\n"));
    for (std::string line = c.read_until("\r\n"); !line.empty(); line = c.read_until("\r\n")) {
      const std::lock_guard lock(mutex);
      commands.push_back(line.substr(0, line.size() - 2));
      const std::string verb = line.substr(0, 4);
      if (verb == "EHLO") {
        c.send(reply(verb, starttls ? "250-test\r\n250 STARTTLS\r\n" : "250-test\r\n250 SIZE\r\n"));
      } else if (verb == "DATA") {
        const std::string go = reply(verb, "354 go on\r\n");
        c.send(go);
        if (!go.starts_with("354")) continue;
        data = c.read_until("\r\n.\r\n");
        c.send(reply("end", "250 2.0.0 queued as 77\r\n"));
      } else if (verb == "QUIT") {
        c.send("221 bye\r\n");
      } else {
        c.send(reply(verb, "250 ok\r\n"));
      }
    }
  }
};

MailCall mail_to(std::uint16_t port) {
  MailCall mail;
  mail.url = "smtp://127.0.0.1:" + std::to_string(port) + "/client.example";
  mail.from = "from@example.com";
  mail.to = "to@example.com";
  mail.message = "Subject: s\r\n\r\nfirst\r\n.dot\r\nlast\r\n";
  return mail;
}

using MailTest = ClientTest;

TEST_F(MailTest, SendsMailsOverOneConnection) {
  MailScript script;
  ScriptedServer server(std::ref(script));
  for (int i = 0; i < 3; ++i) {
    const auto answer = mail(mail_to(server.port()));
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->status, 250);
    EXPECT_EQ(answer->reply, "250 2.0.0 queued as 77");
  }
  EXPECT_EQ(server.connections(), 1);
  const std::lock_guard lock(script.mutex);
  EXPECT_EQ(script.data, "Subject: s\r\n\r\nfirst\r\n..dot\r\nlast\r\n.\r\n");
  EXPECT_EQ(script.commands[0], "EHLO client.example");
  EXPECT_TRUE(script.commands[1].starts_with("MAIL FROM:<from@example.com>"));
  EXPECT_TRUE(script.commands[2].starts_with("RCPT TO:<to@example.com>"));
}

TEST_F(MailTest, TellsRefusalsOfMailByTheirCode) {
  struct Case {
    std::string command;
    std::string reply;
    int status;
  };
  for (const Case& refused :
       {Case{"RCPT", "550 5.1.1 no such user\r\n", 550},
        Case{"RCPT", "451 4.7.1 try later\r\n", 451}, Case{"MAIL", "552 too much\r\n", 552},
        Case{"DATA", "554 no\r\n", 554}, Case{"end", "550-spam\r\n550 really\r\n", 550},
        Case{"greeting", "421 busy\r\n", 421}}) {
    MailScript script;
    script.replies[refused.command] = refused.reply;
    ScriptedServer server(std::ref(script));
    const auto answer = mail(mail_to(server.port()));
    ASSERT_TRUE(answer.has_value()) << refused.reply << answer.error().message;
    EXPECT_EQ(answer->status, refused.status);
    EXPECT_TRUE(answer->reply.starts_with(std::to_string(refused.status)));
  }
}

TEST_F(MailTest, FallsBackToHelo) {
  MailScript script;
  script.replies["EHLO"] = "502 what\r\n";
  ScriptedServer server(std::ref(script));
  const auto answer = mail(mail_to(server.port()));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 250);
}

// A peer that refuses and then says nothing to QUIT must not hold the loop.
TEST_F(MailTest, DoesNotWaitForTheGoodByeOfAMailServerThatRefused) {
  ScriptedServer server([](ScriptedConnection& c) {
    c.send("220 test ready\r\n");
    c.read_until("\r\n");
    c.send("250 test\r\n");
    c.read_until("\r\n");
    c.send("250 ok\r\n");
    c.read_until("\r\n");
    c.send("550 no\r\n");
    c.wait_until_closed();
  });
  MailCall call = mail_to(server.port());
  call.timeout = Millis(9'000);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(mail(call)->status, 550);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(MailTest, SendsMailsSideBySide) {
  std::atomic<int> inside{0};
  std::promise<void> all_inside;
  ScriptedServer server([&](ScriptedConnection& c) {
    c.send("220 test ready\r\n");
    if (++inside == 8) all_inside.set_value();
    c.wait_until_closed();
  });
  Client& c = client();
  const MailCall mail = mail_to(server.port());
  std::vector<std::future<Result<MailAnswer>>> answers;
  for (int i = 0; i < 9; ++i) {
    answers.push_back(begin([&]() -> Task<Result<MailAnswer>> { return c.mail(mail); }));
  }
  all_inside.get_future().wait();
  destroy_client();
  for (auto& answer : answers) EXPECT_EQ(answer.get().error().kind, Failure::unavailable);
}

TEST_F(MailTest, SendsNoMailWithoutTheTlsThatItMustUse) {
  MailScript script;
  ScriptedServer server(std::ref(script));
  MailCall call = mail_to(server.port());
  call.require_tls = true;
  const auto answer = mail(call);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, Failure::unavailable);
  const std::lock_guard lock(script.mutex);
  for (const std::string& command : script.commands) EXPECT_FALSE(command.starts_with("MAIL"));
}

TEST_F(MailTest, GivesUpOnAMailServerThatHangs) {
  ScriptedServer server([](ScriptedConnection& c) { c.wait_until_closed(); });
  MailCall call = mail_to(server.port());
  call.timeout = Millis(80);
  EXPECT_EQ(mail(call).error().kind, Failure::timeout);
}

TEST_F(MailTest, RefusesEnvelopesThatWouldInjectCommands) {
  MailCall call = mail_to(1);
  call.to = "a@example.com>\r\nRCPT TO:<b@example.com";
  EXPECT_EQ(mail(call).error().kind, Failure::invalid);
  call.to = "";
  EXPECT_EQ(mail(call).error().kind, Failure::invalid);
  call = mail_to(1);
  call.url = "http://127.0.0.1/";
  EXPECT_EQ(mail(call).error().kind, Failure::invalid);
}

}  // namespace
}  // namespace otpd::net
