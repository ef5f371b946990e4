// Receipts and the operators' routes, through the gateway.
#include "carrier.h"
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

// Believes what has the right secret in its query: "…&secret=right&state=delivered&id=…".
class TrustingReader final : public delivery::ReceiptReader {
 public:
  Result<std::vector<delivery::Receipt>> read(const delivery::CallbackRequest& callback,
                                              TimePoint) const override {
    seen_url = callback.url;
    if (!callback.query.contains("secret=right")) return fail(Failure::invalid, "forged");
    using State = delivery::Receipt::State;
    const bool delivered = callback.query.contains("state=delivered");
    return std::vector<delivery::Receipt>{
        {delivered ? State::delivered : State::failed, "message-1", "30003"}};
  }
  std::optional<std::string> answer_to(const delivery::CallbackRequest& question) const override {
    if (question.query == "hello") return "here";
    return std::nullopt;
  }
  mutable std::string seen_url;
};

class GatewayDelivery : public GatewayFlow {
 protected:
  GatewayDelivery() {
    readers_.emplace("carrier", &reader_);
    open();
  }
  // A send whose message the lane took as message-1.
  otp::VerificationId sent() {
    const auto id = std::get<otp::Sent>(house_.send(house_.send_request())).answer.verification_id;
    const auto marked = storage::await(otp::update<otp::RecipientState, bool>(
        house_.store, house_.world.clock, otp::recipient_key(id.recipient_hash),
        [&](otp::RecipientState& state, TimePoint now) {
          return otp::Decision<bool>{
              .out = true,
              .changed = otp::mark_sent(state, id.unique, "carrier", "message-1", now),
              .expires_at = otp::garbage_at(state, now)};
        }));
    EXPECT_TRUE(marked);
    return id;
  }
  int callback(const std::string& query, const std::string& provider = "carrier") {
    return ask("POST", "/callbacks/" + provider + "?" + query).status;
  }

  TrustingReader reader_;
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayDelivery, k_houses, storage::backend_name);

TEST_P(GatewayDelivery, AGenuineReceiptMovesTheStatusAndAForgedOneDoesNot) {
  const auto id = sent();
  const std::string ref = "ref=" + id.text();
  EXPECT_EQ(callback(ref + "&secret=wrong&state=delivered"), 403);
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(callback(ref + "&secret=right&state=delivered", "other"), 404);
  EXPECT_EQ(callback("ref=AAAA&secret=right&state=delivered"), 204);
  EXPECT_EQ(house_.status(id), "sent");
  EXPECT_EQ(callback(ref + "&secret=right&state=delivered"), 204);
  EXPECT_EQ(house_.status(id), "delivered");
  EXPECT_EQ(callback(ref + "&secret=right&state=failed"), 204);
  EXPECT_EQ(house_.status(id), "delivered");
}

TEST_P(GatewayDelivery, TheReaderSeesTheConfiguredUrlAndNotTheHostThatWasSent) {
  net::HttpRequest request = GatewayFlow::request("POST", "/callbacks/carrier?a=1");
  request.headers[0].second = "evil.example";
  ask(std::move(request));
  EXPECT_EQ(reader_.seen_url, "https://otp.example/callbacks/carrier?a=1");
}

TEST_P(GatewayDelivery, ACarriersQuestionIsAnsweredAsText) {
  const Answer answer = ask("GET", "/callbacks/carrier?hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.http.body, "here");
  EXPECT_TRUE(answer.http.content_type.starts_with("text/plain"));
}

TEST_P(GatewayDelivery, TheTimelineTellsAllButTheAddress) {
  const auto id = sent();
  callback("ref=" + id.text() + "&secret=right&state=failed");
  house_.verify("000000");
  const Answer answer = ask_admin("/admin/verifications/" + id.text());
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.at("provider"), "carrier");
  std::vector<std::string> steps;
  for (const json& step : answer.body.at("timeline")) steps.push_back(step.at("what"));
  EXPECT_THAT(steps, ::testing::UnorderedElementsAre("send", "delivery_failed", "verify_fail"));
  EXPECT_FALSE(answer.http.body.contains("4155552671"));
  EXPECT_EQ(ask_admin("/admin/verifications/unknown").status, 404);
  EXPECT_EQ(ask("GET", "/admin/verifications/" + id.text()).status, 401);
}

TEST_P(GatewayDelivery, WithEveryLaneOutNothingIsAcceptedOrCharged) {
  house_.roads.blocked = Millis(2'500);
  const Answer answer = send();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.error(), "delivery_unavailable");
  EXPECT_EQ(answer.header("Retry-After"), "3");
  EXPECT_TRUE(house_.event_types().empty());
  EXPECT_EQ(house_.hashed(), 0);
  house_.roads.blocked.reset();
  EXPECT_EQ(send().status, 202);
}

}  // namespace
}  // namespace otpd::usecase
