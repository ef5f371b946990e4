#include <gtest/gtest.h>

#include "providers/smtp.h"
#include "providers/twilio.h"

namespace otpd::providers {
namespace {

using Kind = delivery::Outcome::Kind;

std::string twilio_error(int code) {
  return R"({"code":)" + std::to_string(code) +
         R"(,"message":"The 'To' number +14155552671 is not valid","more_info":"x","status":400})";
}

TEST(Twilio, ClassifiesEveryAnswer) {
  const std::string good = R"({"sid":"SM0123456789abcdef","status":"queued","error_code":null})";
  const struct {
    int status;
    std::string body;
    Kind kind;
    std::string_view id, reason;
  } cases[] = {
      {201, good, Kind::accepted, "SM0123456789abcdef", ""},
      {200, good, Kind::accepted, "SM0123456789abcdef", ""},
      {201, "", Kind::transient, "", "no sid"},
      {201, "<html>", Kind::transient, "", "no sid"},
      {201, "[]", Kind::transient, "", "no sid"},
      {201, "{}", Kind::transient, "", "no sid"},
      {201, R"({"sid":""})", Kind::transient, "", "no sid"},
      {201, R"({"sid":7})", Kind::transient, "", "no sid"},
      {201, R"({"sid":"a b"})", Kind::transient, "", "no sid"},
      {201, R"({"sid":")" + std::string(65, 'a') + "\"}", Kind::transient, "", "no sid"},
      {201, good + "x", Kind::transient, "", "no sid"},
      {204, "", Kind::transient, "", "no sid"},
      {100, "", Kind::transient, "", "http 100"},
      {301, good, Kind::transient, "", "http 301"},
      {302, "", Kind::transient, "", "http 302"},
      {400, twilio_error(21211), Kind::rejected, "", "21211"},
      {400, twilio_error(21610), Kind::rejected, "", "21610"},
      {400, twilio_error(21408), Kind::rejected, "", "21408"},
      {403, twilio_error(21408), Kind::rejected, "", "21408"},
      {400, twilio_error(21614), Kind::rejected, "", "21614"},
      {400, twilio_error(21612), Kind::rejected, "", "21612"},
      {400, twilio_error(21602), Kind::transient, "", "21602"},
      {400, twilio_error(21603), Kind::transient, "", "21603"},
      {400, twilio_error(21606), Kind::transient, "", "21606"},
      {400, twilio_error(20003), Kind::misconfigured, "", "20003"},
      {400, "", Kind::transient, "", "http 400"},
      {400, R"({"code":"21211"})", Kind::transient, "", "http 400"},
      {400, R"({"code":-21211})", Kind::transient, "", "http 400"},
      {400, R"({"code":4294988507})", Kind::transient, "", "http 400"},
      {401, twilio_error(20003), Kind::misconfigured, "", "20003"},
      {401, twilio_error(21211), Kind::misconfigured, "", "21211"},
      {401, "", Kind::misconfigured, "", "http 401"},
      {403, "", Kind::misconfigured, "", "http 403"},
      {404, twilio_error(20404), Kind::misconfigured, "", "20404"},
      {408, "", Kind::transient, "", "http 408"},
      {429, twilio_error(20429), Kind::throttled, "", "20429"},
      {429, twilio_error(21211), Kind::throttled, "", "21211"},
      {429, "", Kind::throttled, "", "http 429"},
      {500, twilio_error(20500), Kind::transient, "", "20500"},
      {500, twilio_error(21211), Kind::transient, "", "21211"},
      {502, "<html>Bad Gateway</html>", Kind::transient, "", "http 502"},
      {503, good, Kind::transient, "", "http 503"},
  };
  for (const auto& c : cases) {
    const auto outcome = classify_twilio(c.status, {}, c.body, TimePoint{});
    EXPECT_EQ(outcome.kind, c.kind) << c.status << c.body;
    EXPECT_EQ(outcome.message_id, c.id) << c.status << c.body;
    EXPECT_EQ(outcome.reason, c.reason) << c.status << c.body;
    EXPECT_EQ(outcome.retry_after, std::nullopt);
  }
}

// One recipient that cannot be reached must not look like wrong settings, which stop everybody's
// messages.
TEST(Twilio, KnowsTheRecipientsErrors) {
  for (const int code : {13227, 21211, 21214, 21215, 21216, 21217, 21265, 21266, 21408, 21610,
                         21612, 21614, 21635, 63003, 63024}) {
    EXPECT_EQ(classify_twilio(400, {}, twilio_error(code), TimePoint{}).kind, Kind::rejected)
        << code;
  }
}

TEST(Twilio, HonoursRetryAfterWhereItMeansSomething) {
  const net::Headers headers = {{"Retry-After", "17"}};
  const auto wait = [&](int status) {
    return classify_twilio(status, headers, "", TimePoint{}).retry_after;
  };
  EXPECT_EQ(wait(429), Seconds(17));
  EXPECT_EQ(wait(503), Seconds(17));
  EXPECT_EQ(wait(401), std::nullopt);
  EXPECT_EQ(classify_twilio(429, {{"Retry-After", "Thu, 01 Jan 1970 00:00:42 GMT"}}, "",
                            TimePoint(Seconds(2)))
                .retry_after,
            Seconds(40));
}

TEST(Smtp, ClassifiesEveryReply) {
  const struct {
    int status;
    std::string_view reply;
    Kind kind;
    std::string_view id, reason;
  } cases[] = {
      {250, "250 2.0.0 Ok: queued as 4XyZ12", Kind::accepted, "4XyZ12", ""},
      {250, "250 queued as <a@b>", Kind::accepted, "", ""},
      {250, "250 OK", Kind::accepted, "", ""},
      {421, "421 4.3.2 closing", Kind::transient, "", "smtp 421"},
      {450, "450 mailbox busy", Kind::transient, "", "smtp 450"},
      {451, "451 try later", Kind::transient, "", "smtp 451"},
      {452, "452 no space", Kind::transient, "", "smtp 452"},
      {454, "454 TLS not available", Kind::transient, "", "smtp 454"},
      {500, "500 unknown command", Kind::misconfigured, "", "smtp 500"},
      {503, "503 bad sequence", Kind::misconfigured, "", "smtp 503"},
      {530, "530 authentication required", Kind::misconfigured, "", "smtp 530"},
      {534, "534 mechanism too weak", Kind::misconfigured, "", "smtp 534"},
      {535, "535 5.7.8 bad credentials", Kind::misconfigured, "", "smtp 535"},
      {550, "550 5.1.1 no such user alice@example.org", Kind::rejected, "", "smtp 550"},
      {550, "550 no such user", Kind::rejected, "", "smtp 550"},
      {550, "550", Kind::rejected, "", "smtp 550"},
      {550, "550 5.7.1 sender has a bad reputation", Kind::transient, "", "smtp 550"},
      {551, "551 not local", Kind::rejected, "", "smtp 551"},
      {552, "552 5.2.2 mailbox full", Kind::rejected, "", "smtp 552"},
      {553, "553 bad mailbox name", Kind::rejected, "", "smtp 553"},
      {554, "554 transaction failed", Kind::transient, "", "smtp 554"},
      {556, "556 domain takes no mail", Kind::rejected, "", "smtp 556"},
      {0, "", Kind::transient, "", "smtp 0"},
      {354, "354 go on", Kind::transient, "", "smtp 354"},
  };
  for (const auto& c : cases) {
    const auto outcome = classify_smtp(c.status, c.reply);
    EXPECT_EQ(outcome.kind, c.kind) << c.reply;
    EXPECT_EQ(outcome.message_id, c.id) << c.reply;
    EXPECT_EQ(outcome.reason, c.reason) << c.reply;
  }
}

}  // namespace
}  // namespace otpd::providers
