// Every face over real sockets: its words, its faults, its receipts.
#include "test_sim.h"

namespace otpd::sim {
namespace {

using Json = nlohmann::json;

constexpr std::string_view k_to = "+14155552671";
constexpr std::string_view k_form_type = "application/x-www-form-urlencoded";
constexpr std::string_view k_aws =
    "AWS4-HMAC-SHA256 Credential=AKID/20231114/eu-west-1/sns/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, "
    "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class FacesTest : public SimTest {
 protected:
  net::HttpAnswer post(std::string_view path, net::Headers headers, std::string_view body) {
    return call({.url = url() + std::string(path), .headers = std::move(headers), .body = body})
        .value();
  }
  net::HttpAnswer vonage(std::string body) {
    return post("/sms/json", {{"Content-Type", "application/json"}}, body);
  }
  net::HttpAnswer sns(std::string_view authorization, std::string_view form) {
    return post("/sns/",
                {{"Content-Type", std::string(k_form_type)},
                 {"Authorization", std::string(authorization)},
                 {"X-Amz-Date", "20231114T221320Z"}},
                form);
  }
  net::HttpAnswer whatsapp(std::string_view token, std::string_view body) {
    return post(
        "/v20.0/1066/messages",
        {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + std::string(token)}},
        body);
  }
  net::HttpAnswer generic(std::string_view body) {
    return post("/generic/messages", {{"Content-Type", "application/json"}}, body);
  }
  void set_face(std::string_view face, std::string body) {
    const auto answer = get("/faults/" + std::string(face), "PUT", std::move(body));
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  Json stats(std::string_view face) {
    return Json::parse(get("/stats.json").body)["faces"][std::string(face)];
  }
};

constexpr std::string_view k_vonage =
    R"({"api_key":"simulated","api_secret":"simulated-token","to":"14155552671","from":"ACME",
        "text":"481623"})";
constexpr std::string_view k_sns_form =
    "Action=Publish&Version=2010-03-31&PhoneNumber=%2B14155552671&Message=481623"
    "&MessageAttributes.entry.1.Name=AWS.SNS.SMS.SenderID"
    "&MessageAttributes.entry.1.Value.DataType=String"
    "&MessageAttributes.entry.1.Value.StringValue=ACME";
constexpr std::string_view k_template =
    R"({"messaging_product":"whatsapp","to":"14155552671","type":"template","template":{
        "name":"login","language":{"code":"en_US"},"components":[
        {"type":"body","parameters":[{"type":"text","text":"481623"}]},
        {"type":"button","sub_type":"url","index":"0",
         "parameters":[{"type":"text","text":"481623"}]}]}})";
constexpr std::string_view k_generic = R"({"to":"+14155552671","from":"ACME","text":"481623"})";

TEST_F(FacesTest, VoiceShowsWhatWouldBeSaid) {
  net::HttpCall request = sms_call("/Calls.json");
  request.body =
      "To=%2B14155552671&From=%2B14155550100&Twiml=%3CResponse%3E%3CSay%3E4%2C+8%2C+1%3C%2FSay%3E"
      "%3C%2FResponse%3E";
  const auto answer = call(request).value();
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_TRUE(Json::parse(answer.body)["sid"].get<std::string>().starts_with("CA"));
  const Json message = inbox()[0];
  EXPECT_EQ(message["channel"], "voice");
  EXPECT_EQ(message["face"], "twilio-voice");
  EXPECT_EQ(message["text"], "4, 8, 1");
  request.body = "To=%2B14155552671&From=%2B14155550100";
  EXPECT_EQ(Json::parse(call(request)->body)["code"], 21205);
}

TEST_F(FacesTest, VonageSaysInItsMessagesWhatHappened) {
  const auto sent = vonage(std::string(k_vonage));
  EXPECT_EQ(sent.status, 200);
  const Json message = Json::parse(sent.body)["messages"][0];
  EXPECT_EQ(message["status"], "0");
  EXPECT_FALSE(message["message-id"].get<std::string>().empty());
  EXPECT_EQ(inbox()[0]["to"], k_to) << "with its plus";
  EXPECT_EQ(inbox()[0]["face"], "vonage");
  const auto form =
      post("/sms/json", {{"Content-Type", std::string(k_form_type)}},
           "api_key=simulated&api_secret=simulated-token&to=14155552671&from=A&text=x");
  EXPECT_EQ(Json::parse(form.body)["messages"][0]["status"], "0");
  struct Case {
    const char* body;
    const char* status;
  };
  for (const auto& [body, status] :
       {Case{R"({"to":"14155552671","from":"A","text":"x"})", "4"},
        Case{R"({"api_key":"simulated","api_secret":"simulated-token","from":"A","text":"x"})",
             "2"},
        Case{R"({"api_key":"simulated","api_secret":"simulated-token","to":"+1415","from":"A",
                 "text":"x"})",
             "3"},
        Case{"nonsense", "4"}}) {
    const auto answer = vonage(body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(Json::parse(answer.body)["messages"][0]["status"], status) << body;
  }
  EXPECT_EQ(stats("vonage")["accepted"], 2);
  EXPECT_EQ(stats("vonage")["rejected"], 4);
}

TEST_F(FacesTest, SnsWantsASignatureForItself) {
  const auto sent = sns(k_aws, k_sns_form);
  ASSERT_EQ(sent.status, 200) << sent.body;
  EXPECT_TRUE(sent.body.contains("<MessageId>"));
  EXPECT_EQ(inbox()[0]["from"], "ACME");
  EXPECT_EQ(inbox()[0]["face"], "sns");
  EXPECT_EQ(sns("", k_sns_form).status, 403);
  std::string other(k_aws);
  other.replace(other.find("/sns/"), 5, "/sqs/");
  EXPECT_TRUE(sns(other, k_sns_form).body.contains("SignatureDoesNotMatch"));
  EXPECT_TRUE(sns(k_aws.substr(0, 60), k_sns_form).body.contains("IncompleteSignature"));
  EXPECT_TRUE(sns(k_aws, "Action=Subscribe").body.contains("InvalidAction"));
  EXPECT_TRUE(sns(k_aws, "Action=Publish&PhoneNumber=1&Message=x").body.contains("InvalidParam"));
  const auto at_root = post("/",
                            {{"Content-Type", std::string(k_form_type)},
                             {"Authorization", std::string(k_aws)},
                             {"X-Amz-Date", "20231114T221320Z"}},
                            k_sns_form);
  EXPECT_EQ(at_root.status, 200);
}

TEST_F(FacesTest, WhatsappShowsTheParametersOfATemplate) {
  const auto sent = whatsapp("simulated-token", k_template);
  ASSERT_EQ(sent.status, 200) << sent.body;
  EXPECT_TRUE(Json::parse(sent.body)["messages"][0]["id"].get<std::string>().starts_with("wamid."));
  EXPECT_EQ(inbox()[0]["text"], "login (en_US)\nbody: 481623\nbutton: 481623");
  EXPECT_EQ(inbox()[0]["channel"], "whatsapp");
  EXPECT_EQ(inbox()[0]["to"], k_to);
  const auto unauthorized = whatsapp("wrong", k_template);
  EXPECT_EQ(unauthorized.status, 401);
  EXPECT_EQ(Json::parse(unauthorized.body)["error"]["code"], 190);
  EXPECT_EQ(whatsapp("simulated-token", "{}").status, 400);
  EXPECT_EQ(whatsapp("simulated-token",
                     R"({"messaging_product":"whatsapp","to":"14155552671","type":"template",
                         "template":7})")
                .status,
            400);
}

TEST_F(FacesTest, GenericTakesPlainJson) {
  const auto sent = generic(k_generic);
  ASSERT_EQ(sent.status, 202) << sent.body;
  EXPECT_EQ(Json::parse(sent.body)["status"], "accepted");
  EXPECT_EQ(inbox()[0]["face"], "generic");
  EXPECT_EQ(generic("[]").status, 400);
  EXPECT_EQ(generic(R"({"text":"x"})").status, 400);
  EXPECT_EQ(generic(R"({"to":"+1"})").status, 400);
}

TEST_F(FacesTest, EachFaceFailsInItsOwnWords) {
  set_faults(R"({"error_rate":1})");
  EXPECT_EQ(Json::parse(vonage(std::string(k_vonage)).body)["messages"][0]["status"], "5");
  EXPECT_EQ(sns(k_aws, k_sns_form).status, 500);
  EXPECT_EQ(Json::parse(whatsapp("simulated-token", k_template).body)["error"]["code"], 131000);
  EXPECT_EQ(generic(k_generic).status, 503);
  set_faults(R"({"throttle_rate":1,"retry_after":2})");
  EXPECT_EQ(Json::parse(vonage(std::string(k_vonage)).body)["messages"][0]["status"], "1");
  const auto throttled = sns(k_aws, k_sns_form);
  EXPECT_EQ(throttled.status, 400);
  EXPECT_TRUE(throttled.body.contains("<Code>Throttling</Code>"));
  EXPECT_EQ(whatsapp("simulated-token", k_template).status, 429);
  EXPECT_EQ(net::find_header(generic(k_generic).headers, "Retry-After"), "2");
  EXPECT_EQ(Json::parse(send("To=%2B14155552671&From=A&Body=b").body)["code"], 20429);
  set_faults(R"({"reject_to":["+14155552671"]})");
  EXPECT_EQ(Json::parse(vonage(std::string(k_vonage)).body)["messages"][0]["status"], "7");
  EXPECT_TRUE(sns(k_aws, k_sns_form).body.contains("OptedOut"));
  EXPECT_EQ(Json::parse(whatsapp("simulated-token", k_template).body)["error"]["code"], 131026);
  EXPECT_EQ(generic(k_generic).status, 422);
  EXPECT_TRUE(inbox().empty());
}

TEST_F(FacesTest, AFaceFailsWithTheCodeThatIsAskedFor) {
  set_face("twilio", R"({"error_rate":1,"status":400,"code":21610})");
  const auto answer = send("To=%2B14155552671&From=A&Body=b");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(Json::parse(answer.body)["code"], 21610);
  set_face("vonage", R"({"error_rate":1,"code":"9"})");
  EXPECT_EQ(Json::parse(vonage(std::string(k_vonage)).body)["messages"][0]["status"], "9");
  set_face("sns", R"({"error_rate":1,"status":403,"code":"AuthorizationError"})");
  EXPECT_TRUE(sns(k_aws, k_sns_form).body.contains("AuthorizationError"));
  EXPECT_EQ(get("/faults/twilio", "PUT", R"({"code":"Throttling"})").status, 400);
  EXPECT_EQ(get("/faults", "POST", R"({"code":5})").status, 400) << "whose code?";
}

TEST_F(FacesTest, FaultsStayWithTheirFace) {
  set_face("vonage", R"({"reset_rate":1})");
  EXPECT_EQ(call({.url = url() + "/sms/json", .body = k_vonage}).error().kind,
            Failure::unavailable);
  EXPECT_EQ(generic(k_generic).status, 202);
  const Json all = Json::parse(get("/faults.json").body);
  EXPECT_EQ(all.size(), k_faces);
  EXPECT_EQ(all["vonage"]["reset_rate"], 1);
  EXPECT_EQ(all["generic"]["reset_rate"], 0);
  EXPECT_EQ(get("/faults/vonage", "DELETE").status, 204);
  EXPECT_EQ(vonage(std::string(k_vonage)).status, 200);
  EXPECT_EQ(get("/faults/nobody").status, 404);
  EXPECT_EQ(get("/faults/vonage", "PUT", R"({"wrong":1})").status, 400);
  set_face("sns", R"({"garbage_rate":1})");
  set_face("generic", R"({"outage":true})");
  EXPECT_EQ(get("/faults", "DELETE").status, 204);
  EXPECT_EQ(sns(k_aws, k_sns_form).status, 200);
  EXPECT_EQ(generic(k_generic).status, 202);
}

// What the system says when it reads from a connection that the peer has ended.
int end_of(const net::TestPeer& peer) {
  pollfd wait{peer.native_handle(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, net::TestPeer::k_patience_ms), 1);
  char byte = 0;
  return ::recv(peer.native_handle(), &byte, 1, 0) < 0 ? errno : 0;
}

TEST_F(FacesTest, AResetIsNoOrderlyEnd) {
  constexpr std::string_view k_request =
      "POST /generic/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 28\r\n\r\n"
      R"({"to":"+14155","text":"481"})";
  for (const char* plan : {R"({"reset_rate":1})", R"({"outage":true})"}) {
    set_face("generic", plan);
    net::TestPeer peer(server_->port());
    peer.send(k_request);
    EXPECT_EQ(end_of(peer), ECONNRESET) << plan;
  }
  set_face("generic", R"({"accept_then_drop_connection":true})");
  net::TestPeer dropped(server_->port());
  dropped.send(k_request);
  EXPECT_EQ(end_of(dropped), 0);
  EXPECT_EQ(inbox().size(), 1U);
  set_faults(R"({"outage":true})");
  for (const std::uint16_t port : {smpp_->port(), mail_->port()}) {
    EXPECT_EQ(end_of(net::TestPeer(port)), ECONNRESET);
  }
}

TEST_F(FacesTest, HangingEndsWithThePlan) {
  set_face("generic", R"({"hang":true})");
  net::TestPeer peer(server_->port());
  peer.send(
      "POST /generic/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 28\r\n\r\n"
      R"({"to":"+14155","text":"481"})");
  pollfd wait{peer.native_handle(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 100), 0) << "no answer yet";
  set_face("generic", "{}");
  EXPECT_EQ(peer.read_answer().status, 202);
}

TEST_F(FacesTest, GarbageIsNoAnswerAndTakesNothing) {
  set_face("generic", R"({"garbage_rate":1,"seed":1})");
  for (int i = 0; i < 20; ++i) {
    const auto answer = generic(k_generic);
    EXPECT_EQ(answer.status, 200);
    const Json json = Json::parse(answer.body, nullptr, false);
    EXPECT_FALSE(json.is_object()) << answer.body;
  }
  EXPECT_TRUE(inbox().empty());
}

TEST_F(FacesTest, LostMessagesAreAcceptedAndNeverSeen) {
  set_face("generic", R"({"lose_rate":1})");
  EXPECT_EQ(generic(k_generic).status, 202);
  EXPECT_TRUE(inbox().empty());
  EXPECT_EQ(stats("generic")["lost"], 1);
  EXPECT_EQ(stats("generic")["accepted"], 0);
  EXPECT_EQ(Json::parse(get("/stats.json").body)["lost"], 1);
}

TEST_F(FacesTest, OutagesFollowTheClock) {
  set_face("generic", R"({"outage":{"every_s":10,"for_s":4,"as":"error"}})");
  EXPECT_EQ(generic(k_generic).status, 503);
  clock_.advance(Millis(4'000));
  EXPECT_EQ(generic(k_generic).status, 202);
  clock_.advance(Millis(6'000));
  EXPECT_EQ(generic(k_generic).status, 503);
  set_face("generic", R"({"outage":true})");
  EXPECT_EQ(call({.url = url() + "/generic/messages", .body = k_generic}).error().kind,
            Failure::unavailable);
}

TEST_F(FacesTest, MailMeetsFaultsToo) {
  set_face("smtp", R"({"throttle_rate":1})");
  EXPECT_EQ(mail("ada@example.org", "\r\nx\r\n")->status, 450);
  set_face("smtp", R"({"error_rate":1,"code":554})");
  EXPECT_EQ(mail("ada@example.org", "\r\nx\r\n")->status, 554);
  set_face("smtp", R"({"lose_rate":1})");
  EXPECT_EQ(mail("ada@example.org", "\r\nx\r\n")->status, 250);
  EXPECT_TRUE(inbox().empty());
  set_face("smtp", R"({"accept_then_drop_connection":true})");
  EXPECT_FALSE(mail("ada@example.org", "\r\nx\r\n").has_value());
  EXPECT_EQ(inbox()[0]["face"], "smtp");
  for (const char* plan : {R"({"reset_rate":1})", R"({"outage":true})", R"({"garbage_rate":1})"}) {
    set_face("smtp", plan);
    EXPECT_FALSE(mail("ada@example.org", "\r\nx\r\n").has_value()) << plan;
  }
  EXPECT_EQ(inbox().size(), 1U);
}

}  // namespace
}  // namespace otpd::sim
