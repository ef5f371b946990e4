#include "audit/json.h"

#include <gtest/gtest.h>

#include "audit/csv.h"
#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::audit {
namespace {

using nlohmann::json;

Event json_event() {
  return {.id = "0190c1f4-6f0a-7c3e-9b1d-000000000001",
          .channel_hash = "8f14e45fceea167a5a36dedd4bea2543",
          .event_type = "send",
          .ip_address = "203.0.113.7",
          .created_at = TimePoint(Millis(1'800'000'000'123)),
          .detail = "\"a\", b\r\n"};
}

json sent(std::uint32_t chain, const Line& line) {
  return json::parse(to_json(chain, line).dump());
}

TEST(AuditJson, ALineSurvives) {
  const Head head = extend({.chain = 7}, json_event());
  const Line line{head.number, json_event(), head.hash};
  const json text = sent(7, line);
  EXPECT_FALSE(text.contains("bytes"));
  EXPECT_FALSE(text.at("event").contains("user_id"));
  const auto read = line_from_json(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 1U);
  EXPECT_EQ(read->hash, line.hash);
  EXPECT_EQ(read->event, line.event);
}

// A carrier's answer need not be text, and its hash must be checkable all the same.
TEST(AuditJson, ALineThatIsNoTextSurvives) {
  Event event = json_event();
  event.detail = "a\xff";
  const Head head = extend({}, event);
  json text = sent(0, {head.number, event, head.hash});
  EXPECT_EQ(text.at("event").at("detail"), "a\xef\xbf\xbd");
  EXPECT_EQ(line_from_json(text)->event, event);
  text["event"]["detail"] = "b";
  EXPECT_FALSE(line_from_json(text)) << "what people read is not what is proven";
}

TEST(AuditJson, ATimeThatNoTextCanSayIsRefused) {
  Event event = json_event();
  event.detail = "\xff";
  const Head head = extend({}, event);
  json text = sent(0, {head.number, event, head.hash});
  event.created_at = TimePoint(Millis::max());
  text["bytes"] = base64_encode(canonical(event));
  EXPECT_FALSE(line_from_json(text));
}

TEST(AuditJson, NothingMayStandBesideWhatIsProven) {
  const Head head = extend({}, json_event());
  const json good = sent(0, {head.number, json_event(), head.hash});
  for (const char* change :
       {R"({"note":"forged"})", R"({"event":{"note":"forged"}})", R"({"event":{"user_id":""}})",
        R"({"event":{"user_id":7}})", R"({"event":{"created_at":"yesterday"}})", R"({"number":0})",
        R"({"number":-1})", R"({"number":"1"})", R"({"chain":4294967296})", R"({"hash":"0"})",
        R"({"hash":null})", R"({"event":[]})", R"({"bytes":"AAAA"})"}) {
    json changed = good;
    changed.merge_patch(json::parse(change));
    EXPECT_FALSE(line_from_json(changed)) << change;
  }
  EXPECT_FALSE(line_from_json(json::array()));
  EXPECT_FALSE(event_from_json(json("x")));
}

TEST(AuditJson, ACheckpointSurvives) {
  crypto::init();
  const CheckpointSigner signer("secret");
  const Checkpoint checkpoint =
      signer.sign(extend({.chain = 2}, json_event()), TimePoint(Millis(1'800'000'000'001)));
  const json good = json::parse(to_json(checkpoint).dump());
  const auto read = checkpoint_from_json(good);
  ASSERT_TRUE(read);
  EXPECT_TRUE(is_genuine(*read, signer.public_key()));
  for (const char* change :
       {R"({"signature":"x"})", R"({"at":1})", R"({"x":1})", R"({"hash":1})"}) {
    json changed = good;
    changed.merge_patch(json::parse(change));
    EXPECT_FALSE(checkpoint_from_json(changed)) << change;
  }
}

TEST(AuditJson, AForgedHashIsReadAndFoundOut) {
  crypto::init();
  Line line{1, json_event(), "x"};
  line = line_from_json(sent(0, line)).value();
  const CheckpointSigner signer("secret");
  ChainCheck check(0, signer.public_key());
  check.read(line);
  EXPECT_TRUE(check.broken());
  Checkpoint checkpoint = signer.sign(Head{0, 1, "x"}, TimePoint(Seconds(1)));
  checkpoint.signature = "y";
  checkpoint = checkpoint_from_json(json::parse(to_json(checkpoint).dump())).value();
  EXPECT_FALSE(is_genuine(checkpoint, signer.public_key()));
}

TEST(AuditCsv, QuotesWhatNeedsIt) {
  EXPECT_EQ(csv_row(json_event()),
            "2027-01-15T08:00:00.123Z,send,0190c1f4-6f0a-7c3e-9b1d-000000000001,,,"
            "8f14e45fceea167a5a36dedd4bea2543,203.0.113.7,,,,\"\"\"a\"\", b\r\n\",\r\n");
  Event event = json_event();
  event.application = "shop";
  EXPECT_TRUE(csv_row(event).ends_with(",shop\r\n"));
}

TEST(AuditCsv, NoFieldIsAFormula) {
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"}) {
    Event event = json_event();
    event.detail = formula;
    const std::string row = csv_row(event);
    EXPECT_NE(row.find(std::string("'") + formula), std::string::npos) << row;
  }
}

TEST(AuditCsv, TheHeaderHasAsManyColumnsAsARow) {
  Event event = json_event();
  event.detail = "d";
  const std::string row = csv_row(event);
  EXPECT_EQ(std::ranges::count(row, ','), std::ranges::count(csv_header(), ','));
}

}  // namespace
}  // namespace otpd::audit
