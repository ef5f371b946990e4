#include "providers/mail_message.h"

#include <gtest/gtest.h>

namespace otpd::providers {
namespace {

MailParts typical_mail() {
  return {.from_name = "Example Bank",
          .from_address = "no-reply@example.com",
          .to_address = "alice@example.org",
          .subject = "Your Example Bank code",
          .text = "Your code is:\n\n481623\n",
          .id = "0123abcd",
          .date = TimePoint(Millis(1'700'000'000'123))};
}

std::string mail_of(const MailParts& parts) {
  const auto mail = make_mail(parts);
  return mail ? std::string(mail->reveal()) : "failed: " + mail.error().message;
}

// The value of a header, with its folds.
std::string header_of(const MailParts& parts, const std::string& name) {
  std::string mail = "\r\n" + mail_of(parts);
  const std::size_t at = mail.find("\r\n" + name + ": ");
  if (at == std::string::npos) return mail;
  const std::size_t start = at + name.size() + 4;
  std::size_t end = mail.find("\r\n", start);
  while (mail[end + 2] == ' ') end = mail.find("\r\n", end + 2);
  return mail.substr(start, end - start);
}

std::string body_of(std::string_view text) {
  MailParts parts = typical_mail();
  parts.text = text;
  const std::string mail = mail_of(parts);
  return mail.substr(mail.find("\r\n\r\n") + 4);
}

TEST(MailMessage, TheWholeMail) {
  EXPECT_EQ(mail_of(typical_mail()),
            "From: \"Example Bank\"\r\n"
            " <no-reply@example.com>\r\n"
            "To: <alice@example.org>\r\n"
            "Subject: Your Example Bank code\r\n"
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
            "Message-ID: <0123abcd@example.com>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "Your code is:\r\n"
            "\r\n"
            "481623\r\n");
}

TEST(MailMessage, HtmlStandsBesideTheText) {
  MailParts parts = typical_mail();
  parts.html = "<p style=\"x\">481623</p>\n";
  const std::string mail = mail_of(parts);
  EXPECT_EQ(mail.substr(mail.find("MIME-Version")),
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative;\r\n"
            " boundary=\"=_0123abcd\"\r\n"
            "\r\n"
            "--=_0123abcd\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "Your code is:\r\n"
            "\r\n"
            "481623\r\n"
            "--=_0123abcd\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "<p style=3D\"x\">481623</p>\r\n"
            "--=_0123abcd--\r\n");
  // A text cannot end the part it is in.
  parts.text = "--=_0123abcd--\n";
  EXPECT_NE(mail_of(parts).find("\r\n--=3D_0123abcd--\r\n"), std::string::npos);
  const std::string long_id(500, 'a');
  parts.id = long_id;
  EXPECT_NE(mail_of(parts).find("boundary=\"=_" + std::string(60, 'a') + "\"\r\n"),
            std::string::npos);
}

TEST(MailMessage, EncodesHeadersBeyondAscii) {
  MailParts parts = typical_mail();
  parts.subject = "Ihr Code für Bänk";
  EXPECT_EQ(header_of(parts, "Subject"), "=?UTF-8?Q?Ihr_Code_f=C3=BCr_B=C3=A4nk?=");
  parts.subject = "=?UTF-8?Q?fake?=";
  EXPECT_EQ(header_of(parts, "Subject"), "=?UTF-8?Q?=3D=3FUTF=2D8=3FQ=3Ffake=3F=3D?=");
  parts.subject = "日本語日本語日本語";
  EXPECT_EQ(header_of(parts, "Subject"),
            "=?UTF-8?Q?=E6=97=A5=E6=9C=AC=E8=AA=9E=E6=97=A5=E6=9C=AC=E8=AA=9E?=\r\n"
            " =?UTF-8?Q?=E6=97=A5=E6=9C=AC=E8=AA=9E?=");
  parts.from_name = "Bänk";
  EXPECT_EQ(header_of(parts, "From"), "=?UTF-8?Q?B=C3=A4nk?=\r\n <no-reply@example.com>");
  parts.from_name = "A \"B\" \\ C";
  EXPECT_EQ(header_of(parts, "From"), "=?UTF-8?Q?A_=22B=22_=5C_C?=\r\n <no-reply@example.com>");
  parts.from_name = "";
  EXPECT_EQ(header_of(parts, "From"), "<no-reply@example.com>");
}

TEST(MailMessage, EncodesTheBody) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"a", "a\r\n"},
      {"a\nb\n", "a\r\nb\r\n"},
      {"\n\na\n", "\r\n\r\na\r\n"},
      {"1+1=2", "1+1=3D2\r\n"},
      {"für", "f=C3=BCr\r\n"},
      {"end \nx ", "end=20\r\nx=20\r\n"},
      {"a\r\nb\tc", "a=0D\r\nb=09c\r\n"},
      {".\n..x\n", ".\r\n..x\r\n"},
      {std::string(76, 'x'), std::string(76, 'x') + "\r\n"},
      {std::string(77, 'x'), std::string(75, 'x') + "=\r\nxx\r\n"},
      {std::string(74, 'x') + "=y", std::string(74, 'x') + "=\r\n=3Dy\r\n"},
      {std::string(73, 'x') + "=", std::string(73, 'x') + "=3D\r\n"},
  };
  for (const auto& [text, body] : cases) EXPECT_EQ(body_of(text), body) << text;
}

TEST(MailMessage, KeepsEveryLineShort) {
  MailParts parts = typical_mail();
  const std::string words = "Ein langer Betreff mit Umlauten äöü und mehr als einer Zeile, ä";
  const std::string subject = words + words + words;
  const std::string text = subject + subject + "\n" + std::string(500, 'x');
  parts.subject = parts.from_name = subject;
  parts.text = text;
  parts.html = text;
  const std::string mail = mail_of(parts);
  for (std::size_t at = 0; at < mail.size();) {
    const std::size_t end = mail.find("\r\n", at);
    EXPECT_LE(end - at, 76U) << mail.substr(at, end - at);
    at = end + 2;
  }
  EXPECT_EQ(mail.find_first_not_of("\r\n", mail.find('\n')), mail.find('\n') + 1);
}

TEST(MailMessage, RefusesWhatCouldSmuggleInAHeader) {
  for (const std::string& attack :
       {std::string("x\r\nBcc: eve@example.com"), std::string("x\nBcc: eve@example.com"),
        std::string("x\rBcc: eve@example.com"), std::string("x\0y", 3), std::string("x\x7f")}) {
    const auto refused = [&](auto member, std::string_view name) {
      MailParts parts = typical_mail();
      parts.*member = attack;
      EXPECT_EQ(mail_of(parts), "failed: mail: " + std::string(name) + " cannot stand in a header");
    };
    refused(&MailParts::from_name, "from_name");
    refused(&MailParts::from_address, "from");
    refused(&MailParts::to_address, "to");
    refused(&MailParts::subject, "subject");
    refused(&MailParts::id, "id");
  }
}

TEST(MailMessage, KnowsPlainAddresses) {
  for (const char* good : {"a@b", "alice@example.org", "a.b+tag@xn--bcher-kva.example",
                           "o'neil_{x}@mail-1.example.com", "A-Z@EXAMPLE.COM"}) {
    EXPECT_TRUE(is_plain_address(good)) << good;
  }
  const std::string long_local(65, 'a');
  for (const std::string& bad : {std::string(),
                                 std::string("alice"),
                                 std::string("@example.org"),
                                 std::string("alice@"),
                                 std::string("a@b@c"),
                                 std::string("a b@example.org"),
                                 std::string("a@example.org,b@c"),
                                 std::string("<a@example.org>"),
                                 std::string("a@example.org>"),
                                 std::string("\"a\"@b"),
                                 std::string("a@example.org\r\nDATA"),
                                 std::string("a\0@b", 4),
                                 std::string("a@-b"),
                                 std::string("a@b."),
                                 std::string("ä@example.org"),
                                 std::string("a@exämple.org"),
                                 std::string("a@[127.0.0.1]"),
                                 std::string("a(c)@b"),
                                 long_local + "@b",
                                 "a@" + std::string(253, 'b')}) {
    EXPECT_FALSE(is_plain_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace otpd::providers
