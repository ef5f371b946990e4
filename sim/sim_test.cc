// The whole simulator over real sockets.
#include "test_sim.h"

namespace otpd::sim {
namespace {

using Json = nlohmann::json;

TEST_F(SimTest, TakesAMessageAsTwilioDoes) {
  const net::HttpAnswer answer =
      send("To=%2B14155552671&From=%2B14155550100&Body=Your+code+is+481623%0A%F0%9F%98%80");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const Json message = Json::parse(answer.body);
  EXPECT_EQ(message["status"], "queued");
  EXPECT_EQ(message["to"], "+14155552671");
  EXPECT_EQ(message["from"], "+14155550100");
  EXPECT_EQ(message["body"], "Your code is 481623\n😀");
  EXPECT_EQ(message["date_created"], "Tue, 14 Nov 2023 22:13:20 +0000");
  EXPECT_EQ(message["num_segments"], "1");
  EXPECT_EQ(message["account_sid"], k_sid);
  EXPECT_EQ(message["error_code"], nullptr);
  EXPECT_EQ(message["messaging_service_sid"], nullptr);
  const std::string sid = message["sid"];
  EXPECT_TRUE(sid.starts_with("SM"));
  EXPECT_EQ(sid.size(), 34U);
  EXPECT_EQ(message["uri"],
            "/2010-04-01/Accounts/" + std::string(k_sid) + "/Messages/" + sid + ".json");

  const Json list = inbox("?to=%2B14155552671");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["to"], "+14155552671");
  EXPECT_EQ(list[0]["from"], "+14155550100");
  EXPECT_EQ(list[0]["channel"], "sms");
  EXPECT_EQ(list[0]["face"], "twilio");
  EXPECT_EQ(list[0]["text"], "Your code is 481623\n😀");
  EXPECT_EQ(list[0]["received_at"], "2023-11-14T22:13:20.123Z");
  EXPECT_FALSE(list[0].contains("subject"));
}

TEST_F(SimTest, TakesAMessagingServiceInPlaceOfASender) {
  const Json message =
      Json::parse(send("To=%2B14155552671&MessagingServiceSid=MG1&Body=hello").body);
  EXPECT_EQ(message["status"], "accepted");
  EXPECT_EQ(message["from"], nullptr);
  EXPECT_EQ(message["messaging_service_sid"], "MG1");
}

TEST_F(SimTest, RefusesAsTwilioDoes) {
  const std::string long_body(1601, 'x');
  struct Case {
    std::string form;
    int code;
  };
  for (const Case& refused :
       {Case{"From=A&Body=b", 21604}, Case{"To=14155552671&From=A&Body=b", 21211},
        Case{"To=%2B0123456789&From=A&Body=b", 21211}, Case{"To=%2B1415&From=A&Body=b", 21211},
        Case{"To=%2B1415555267x&From=A&Body=b", 21211}, Case{"To=%2B14155552671&From=A", 21602},
        Case{"To=%2B14155552671&From=A&Body=", 21602}, Case{"To=%2B14155552671&Body=b", 21603},
        Case{"To=%2B14155552671&From=A&Body=" + long_body, 21617},
        Case{"To=%2B15005550001&From=A&Body=b", 21211},
        Case{"To=%2B15005550002&From=A&Body=b", 21612},
        Case{"To=%2B15005550003&From=A&Body=b", 21408},
        Case{"To=%2B15005550004&From=A&Body=b", 21610},
        Case{"To=%2B15005550009&From=A&Body=b", 21614}}) {
    const net::HttpAnswer answer = send(refused.form);
    EXPECT_EQ(answer.status, 400) << refused.form.substr(0, 60);
    const Json error = Json::parse(answer.body);
    EXPECT_EQ(error["code"], refused.code) << refused.form.substr(0, 60);
    EXPECT_EQ(error["status"], 400);
    EXPECT_TRUE(error["message"].is_string());
    EXPECT_EQ(error["more_info"],
              "https://www.twilio.com/docs/errors/" + std::to_string(refused.code));
  }
  EXPECT_TRUE(inbox().empty());
  EXPECT_EQ(send("To=%2B14155552671&From=A&Body=" + long_body.substr(1)).status, 201);
  EXPECT_EQ(Json::parse(get("/stats.json").body)["rejected"], 14);
}

TEST_F(SimTest, ChecksTheAccount) {
  net::HttpCall wrong = sms_call();
  wrong.body = "To=%2B14155552671&From=A&Body=b";
  wrong.password = "wrong";
  const auto refused = call(wrong).value();
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(Json::parse(refused.body)["code"], 20003);
  wrong.user.clear();
  EXPECT_EQ(call(wrong)->status, 401);
  EXPECT_EQ(Json::parse(call(sms_call("/Nothing.json"))->body)["code"], 20404);
  net::HttpCall get_message = sms_call();
  get_message.method = "GET";
  EXPECT_EQ(call(get_message)->status, 405);
}

TEST_F(SimTest, PlaysFaults) {
  const std::string form = "To=%2B14155552671&From=A&Body=b";
  set_faults(R"({"error_rate":1,"status":429,"retry_after":3})");
  const net::HttpAnswer limited = send(form);
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(Json::parse(limited.body)["code"], 20429);
  EXPECT_EQ(net::find_header(limited.headers, "Retry-After"), "3");

  set_faults(R"({"reject_to":["+14155552671"]})");
  EXPECT_EQ(Json::parse(send(form).body)["code"], 21211);
  EXPECT_TRUE(inbox().empty());

  set_faults(R"({"accept_then_drop_connection":true})");
  net::HttpCall dropped = sms_call();
  dropped.body = form;
  EXPECT_EQ(call(dropped).error().kind, Failure::unavailable);
  EXPECT_GE(inbox().size(), 1U);

  set_faults(R"({"hang":true})");
  net::HttpCall hanging = sms_call();
  hanging.body = form;
  hanging.timeout = Millis(100);
  EXPECT_EQ(call(hanging).error().kind, Failure::timeout);

  EXPECT_EQ(get("/faults", "POST", R"({"nonsense":1})").status, 400);
  EXPECT_EQ(Json::parse(get("/faults").body)["hang"], true) << "a bad plan changes nothing";
  set_faults("{}");
  EXPECT_EQ(send(form).status, 201);
}

TEST_F(SimTest, SlowsDown) {
  set_faults(R"({"latency_ms":80})");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(send("To=%2B14155552671&From=A&Body=b").status, 201);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Millis(80));
}

TEST_F(SimTest, ListsTheInbox) {
  for (int i = 0; i < 120; ++i) {
    inbox_.add({.to = "+1415555" + std::to_string(1000 + i % 2),
                .from = "A",
                .channel = "sms",
                .text = std::to_string(i),
                .received_at = clock_.now()});
  }
  EXPECT_EQ(inbox().size(), 100U);
  EXPECT_EQ(inbox()[0]["text"], "119");
  EXPECT_EQ(inbox("?limit=3").size(), 3U);
  EXPECT_EQ(inbox("?to=%2B14155551000")[0]["text"], "118");
  EXPECT_EQ(inbox("?to=+14155551000").size(), 60U) << "an unescaped plus is forgiven";
  const std::string id = std::to_string(inbox()[1]["id"].get<std::uint64_t>());
  EXPECT_EQ(inbox("?after=" + id).size(), 1U);
  EXPECT_EQ(get("/inbox.json?limit=x").status, 400);
  const net::HttpAnswer before = get("/inbox.json");
  EXPECT_EQ(get("/inbox.json", "DELETE").status, 204);
  EXPECT_TRUE(inbox().empty());
  EXPECT_NE(net::find_header(before.headers, "X-Inbox-Epoch"),
            net::find_header(get("/inbox.json").headers, "X-Inbox-Epoch"));
}

TEST_F(SimTest, ServesThePageUnderAStrictPolicy) {
  for (const auto& [path, type] : std::map<std::string, std::string>{
           {"/", "text/html"}, {"/app.js", "text/javascript"}, {"/style.css", "text/css"}}) {
    const net::HttpAnswer file = get(path);
    EXPECT_EQ(file.status, 200);
    EXPECT_TRUE(net::find_header(file.headers, "Content-Type").starts_with(type));
    const std::string_view policy = net::find_header(file.headers, "Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'"));
    EXPECT_FALSE(policy.contains("unsafe"));
    EXPECT_FALSE(file.body.empty());
  }
  EXPECT_FALSE(get("/").body.contains("style=")) << "the policy would block it";
  EXPECT_FALSE(get("/app.js").body.contains("innerHTML"));
  EXPECT_EQ(get("/", "POST").status, 405);
  EXPECT_EQ(get("/nothing").status, 404);
}

TEST_F(SimTest, TakesMail) {
  const auto answer =
      mail("ada@example.org",
           "From: Acme <otp@acme.example>\r\nSubject: =?utf-8?Q?Code_f=C3=BCr_dich?="
           "\r\n\r\n.481623\r\nist der Code\r\n");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 250);
  EXPECT_EQ(mail("bob@example.org", "Subject: 2\r\n\r\nsecond\r\n")->status, 250);
  const Json list = inbox("?to=ada@example.org");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["channel"], "email");
  EXPECT_EQ(list[0]["from"], "Acme <otp@acme.example>");
  EXPECT_EQ(list[0]["subject"], "Code für dich");
  EXPECT_EQ(list[0]["text"], ".481623\nist der Code");
}

TEST_F(SimTest, RefusesMail) {
  set_faults(R"({"reject_to":["no@example.org"],"error_rate":0})");
  EXPECT_EQ(mail("no@example.org", "\r\nx\r\n")->status, 550);
  set_faults(R"({"error_rate":1})");
  EXPECT_EQ(mail("ada@example.org", "\r\nx\r\n")->status, 451);
  EXPECT_TRUE(inbox().empty());
}

TEST_F(SimTest, EndsMailSessionsThatStallOrBabble) {
  net::TestPeer silent(mail_->port());
  EXPECT_TRUE(silent.read_to_end());
  EXPECT_TRUE(silent.received().starts_with("220 "));
  net::TestPeer babbling(mail_->port());
  babbling.send(std::string(5'000, 'x'));
  EXPECT_TRUE(babbling.read_to_end());
}

TEST_F(SimTest, KeepsTextsThatAreNotUtf8Readable) {
  EXPECT_EQ(send("To=%2B14155552671&From=A&Body=%FF%FEa%00b").status, 201);
  EXPECT_TRUE(inbox()[0]["text"].get<std::string>().ends_with(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace otpd::sim
