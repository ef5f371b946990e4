#include "smtp_conversation.h"

#include <gtest/gtest.h>

namespace otpd::sim {
namespace {

class SmtpConversationTest : public testing::Test {
 protected:
  // The code of the reply to a line; 0 for none.
  int say(std::string_view line) {
    const std::string reply = conversation_.take(line);
    return reply.empty() ? 0 : std::stoi(reply.substr(0, 3));
  }
  void say_all(std::initializer_list<std::string_view> lines) {
    for (const std::string_view line : lines) say(line);
  }

  std::vector<Envelope> mails_;
  SmtpConversation conversation_{[](const std::string& address) {
                                   return address == "no@example.org" ? std::string("550 no\r\n")
                                                                      : std::string();
                                 },
                                 [this](Envelope envelope) {
                                   mails_.push_back(std::move(envelope));
                                   return std::string("250 queued\r\n");
                                 }};
};

TEST_F(SmtpConversationTest, TakesMailsOneAfterTheOther) {
  EXPECT_EQ(say("EHLO client"), 250);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(say("MAIL FROM:<a@example.org> SIZE=20 BODY=8BITMIME"), 250);
    EXPECT_EQ(say("rcpt to:<b@example.org>"), 250);
    EXPECT_EQ(say("RCPT TO: <c@example.org>"), 250);
    EXPECT_EQ(say("DATA"), 354);
    EXPECT_EQ(say("Subject: s"), 0);
    EXPECT_EQ(say(""), 0);
    EXPECT_EQ(say("..dot"), 0);
    EXPECT_EQ(say("."), 250);
  }
  EXPECT_EQ(say("QUIT"), 221);
  EXPECT_TRUE(conversation_.finished());
  ASSERT_EQ(mails_.size(), 2U);
  EXPECT_EQ(mails_[1].from, "a@example.org");
  EXPECT_EQ(mails_[1].to, (std::vector<std::string>{"b@example.org", "c@example.org"}));
  EXPECT_EQ(mails_[1].data, "Subject: s\r\n\r\n.dot\r\n");
}

TEST_F(SmtpConversationTest, KeepsTheOrderOfCommands) {
  EXPECT_EQ(say("MAIL FROM:<a@example.org>"), 503);
  EXPECT_EQ(say("EHLO"), 501);
  EXPECT_EQ(say("HELO client"), 250);
  EXPECT_EQ(say("RCPT TO:<b@example.org>"), 503);
  EXPECT_EQ(say("DATA"), 503);
  EXPECT_EQ(say("MAIL FROM:a@example.org"), 501);
  EXPECT_EQ(say("MAIL FROM:<>"), 250);
  EXPECT_EQ(say("MAIL FROM:<a@example.org>"), 503);
  EXPECT_EQ(say("DATA"), 503);
  EXPECT_EQ(say("RCPT TO:<>"), 501);
  EXPECT_EQ(say("RCPT TO:<no@example.org>"), 550);
  EXPECT_EQ(say("DATA"), 503);
  EXPECT_EQ(say("RCPT TO:<b@example.org>"), 250);
  EXPECT_EQ(say("RSET"), 250);
  EXPECT_EQ(say("DATA"), 503);
  EXPECT_EQ(say("NOOP"), 250);
  EXPECT_EQ(say("VRFY x"), 252);
  EXPECT_EQ(say("STARTTLS"), 500);
  EXPECT_EQ(say(""), 500);
  EXPECT_TRUE(mails_.empty());
}

TEST_F(SmtpConversationTest, LimitsRecipientsAndSize) {
  say_all({"EHLO c", "MAIL FROM:<a@example.org>"});
  for (std::size_t i = 0; i < SmtpConversation::k_max_recipients; ++i) {
    EXPECT_EQ(say("RCPT TO:<b@example.org>"), 250);
  }
  EXPECT_EQ(say("RCPT TO:<b@example.org>"), 452);
  say("DATA");
  const std::string line(1'000, 'x');
  for (std::size_t n = 0; n < 400; ++n) EXPECT_EQ(say(line), 0);
  EXPECT_EQ(say("."), 552);
  EXPECT_TRUE(mails_.empty());
  EXPECT_EQ(say("MAIL FROM:<a@example.org>"), 250) << "the next mail is welcome";
}

}  // namespace
}  // namespace otpd::sim
