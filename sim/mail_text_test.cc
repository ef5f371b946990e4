#include "mail_text.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace otpd::sim {
namespace {

TEST(MailText, ReadsAPlainMail) {
  const MailText mail = read_mail(
      "From: otp@acme.example\r\nSubject: Your\r\n  code\r\n\r\nfirst\r\nsecond 481623\r\n\r\n");
  EXPECT_EQ(mail.from, "otp@acme.example");
  EXPECT_EQ(mail.subject, "Your code");
  EXPECT_EQ(mail.text, "first\nsecond 481623");
}

TEST(MailText, DecodesEncodedWords) {
  const MailText mail = read_mail(
      "Subject: =?utf-8?B?RMO8?= =?UTF-8?q?_=C3=A4?=\r\n =?utf-8?Q?!?= plain =?broken\r\n\r\n");
  EXPECT_EQ(mail.subject, "Dü ä! plain =?broken");
}

TEST(MailText, DecodesBodies) {
  EXPECT_EQ(read_mail("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                      "Y29kZSA0\r\nODE2MjM=\r\n")
                .text,
            "code 481623");
  EXPECT_EQ(read_mail("content-transfer-encoding: Quoted-Printable\r\n\r\nf=C3=BC=\r\nr\r\n").text,
            "für");
}

constexpr std::string_view k_alternative =
    "Content-Type: multipart/mixed;\r\n boundary=outer\r\n\r\npreamble\r\n--outer\r\n"
    "Content-Type: multipart/alternative; charset=x; boundary=\"in ner\"\r\n\r\n"
    "--in ner\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n"
    "--in ner\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\neWVz\r\n--in ner--\r\n"
    "--outer\r\nContent-Type: text/plain\r\n\r\nattachment\r\n--outer--\r\n";

TEST(MailText, TakesThePlainPartOfAlternatives) {
  EXPECT_EQ(read_mail(k_alternative).text, "yes");
}

TEST(MailText, TakesWhatThereIsWithoutAPlainPart) {
  EXPECT_EQ(read_mail("Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n"
                      "Content-Type: text/html\r\n\r\n<b>481623</b>\r\n--x--\r\n")
                .text,
            "<b>481623</b>");
  EXPECT_EQ(read_mail("").text, "");
  EXPECT_EQ(read_mail("no header at all").text, "");
}

TEST(MailText, SurvivesDamage) {
  SeededRandom random(7);
  for (int round = 0; round < 5'000; ++round) {
    std::string mail(k_alternative);
    for (int n = 0; n < 5; ++n) {
      const std::size_t at = random.u64() % mail.size();
      if (random.u64() % 2 == 0)
        mail[at] = static_cast<char>(random.u64());
      else
        mail.erase(at, random.u64() % 20);
    }
    read_mail(mail);
  }
  std::string deep;
  for (int i = 0; i < 2'000; ++i) {
    deep += "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
  }
  read_mail(deep);
}

}  // namespace
}  // namespace otpd::sim
