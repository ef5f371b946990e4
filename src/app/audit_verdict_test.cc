#include "app/audit_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "app/audit_file.h"
#include "audit/json.h"
#include "crypto/primitives.h"

namespace otpd::app {
namespace {

using testing::HasSubstr;

constexpr TimePoint k_audit_time{Seconds(1'800'000'000)};

// Five lines, signed at 3.
class AuditVerdictTest : public testing::Test {
 protected:
  AuditVerdictTest() {
    crypto::init();
    audit::Head head;
    for (int n = 1; n <= 5; ++n) {
      const audit::Event event{
          .id = "id" + std::to_string(n), .event_type = "send", .created_at = k_audit_time};
      head = audit::extend(head, event);
      steps_.emplace_back(audit::Line{head.number, event, head.hash});
      if (n == 3) steps_.emplace_back(signer_.sign(head, k_audit_time));
    }
  }

  std::string told(audit::ChainSpan span, std::size_t from = 0) {
    std::ostringstream out;
    AuditVerdict verdict(signer_.public_key(), out);
    verdict.begin({0, span});
    for (std::size_t i = from; i < steps_.size(); ++i) verdict.read(steps_[i]);
    const int code = verdict.finish();
    return std::to_string(code) + "|" + out.str();
  }

  // An export of it, as text.
  std::string exported() const {
    std::ostringstream out;
    write_record(out,
                 ExportHeader{signer_.public_key(), std::nullopt, k_audit_time, k_audit_time, {0}});
    write_record(out, AuditChain{0, {1, 5}});
    for (const auto& step : steps_) write_record(out, 0, step);
    return out.str();
  }

  audit::CheckpointSigner signer_{"secret"};
  std::vector<AuditWalk::Step> steps_;
};

TEST_F(AuditVerdictTest, SaysWhatWasProvenAndUpToWhere) {
  EXPECT_EQ(told({1, 5}),
            "0|chain 0: 5 lines proven, 1 to 5\n"
            "chain 0: a checkpoint of 2027-01-15T08:00:00.000Z vouches for them up to line 3\n"
            "chain 0: lines 4 to 5 came after the last checkpoint: only the hashes agree\n"
            "All of it is complete and unaltered.\n");
}

TEST_F(AuditVerdictTest, SaysWhereTheChainBeginsThatIsNotWhole) {
  const std::string text = told({2, 5}, 1);
  EXPECT_THAT(text, HasSubstr("begins at line 2 of 2027-01-15T08:00:00.000Z"));
  EXPECT_THAT(text, HasSubstr("3 lines proven, 3 to 5"));
  EXPECT_THAT(told({5, 5}, 5), HasSubstr("nothing can be proven"));
}

TEST_F(AuditVerdictTest, SaysThatNoCheckpointVouches) {
  steps_.erase(steps_.begin() + 3);
  EXPECT_THAT(told({1, 5}), HasSubstr("no checkpoint vouches for any of them"));
}

TEST_F(AuditVerdictTest, NamesWhatIsBroken) {
  std::get<audit::Line>(steps_[1]).event.detail = "forged";
  EXPECT_THAT(told({1, 5}), testing::StartsWith("1|BROKEN: chain 0, line 2:"));
  std::ostringstream out;
  AuditVerdict nothing("", out);
  EXPECT_EQ(nothing.finish(), 0);
  nothing.refute("why");
  EXPECT_EQ(nothing.finish(), 1);
}

TEST_F(AuditVerdictTest, AnExportIsReadBack) {
  std::istringstream in(exported());
  ExportReader reader(in);
  const auto header = reader.header();
  ASSERT_TRUE(header);
  EXPECT_EQ(header->public_key, signer_.public_key());
  EXPECT_EQ(header->from, std::nullopt);
  EXPECT_EQ(header->to, k_audit_time);
  EXPECT_EQ(header->exported_at, k_audit_time);
  EXPECT_EQ(header->chains, std::vector<std::uint32_t>{0});
  std::size_t records = 0;
  while (reader.next().value()) ++records;
  EXPECT_EQ(records, 1 + steps_.size());
}

TEST_F(AuditVerdictTest, WhatIsNoExportIsRefused) {
  const std::string good = exported();
  const std::string first = good.substr(0, good.find('\n'));
  for (const std::string& text : {std::string(), std::string("{}\n"), std::string("[1]\n"),
                                  std::string("{\"otpd_audit_export\":2}\n"),
                                  std::string("{\"otpd_audit_export\":1}\n"), "x" + good}) {
    std::istringstream in(text);
    EXPECT_FALSE(ExportReader(in).header()) << text;
  }
  for (const char* record :
       {"", "{}", "[]", "x", R"({"line":{}})", R"({"range":{"chain":0}})",
        R"({"range":{"chain":0,"first":-1,"last":2}})", R"({"other":{"chain":0}})"}) {
    std::istringstream in(first + "\n" + record + "\n");
    ExportReader reader(in);
    ASSERT_TRUE(reader.header());
    EXPECT_THAT(reader.next().error().message, HasSubstr("line 2 of the file")) << record;
  }
  // A line of no range, and one that is cut off.
  const std::string range = R"({"range":{"chain":7,"first":1,"last":5}})";
  std::string line = good.substr(good.find("{\"line\""));
  line = line.substr(0, line.find('\n') + 1);
  for (const std::string& rest : {line, range + "\n" + line, good.substr(0, good.size() - 1)}) {
    std::istringstream in(rest == good.substr(0, good.size() - 1) ? rest : first + "\n" + rest);
    ExportReader reader(in);
    ASSERT_TRUE(reader.header());
    auto next = reader.next();
    while (next && *next) next = reader.next();
    EXPECT_FALSE(next) << rest;
  }
}

}  // namespace
}  // namespace otpd::app
