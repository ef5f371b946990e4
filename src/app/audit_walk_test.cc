#include "app/audit_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "audit/json.h"
#include "audit/range_proof.h"
#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// An otpd with one chain, whose lines happened a second apart and are signed every so often.
class AuditWalkTest : public testing::Test {
 protected:
  AuditWalkTest() { crypto::init(); }

  void write(int lines, std::uint64_t signed_every) {
    for (int i = 0; i < lines; ++i) {
      const TimePoint at(Seconds(head_.number + 1));
      audit::Event event{
          .id = std::to_string(head_.number), .event_type = "send", .created_at = at};
      head_ = audit::extend(head_, event);
      lines_.push_back({head_.number, std::move(event), head_.hash});
      if (head_.number % signed_every == 0) checkpoints_.push_back(signer_.sign(head_, at));
    }
  }
  void erase_lines(std::uint64_t first, std::uint64_t last) {
    std::erase_if(lines_, [=](const auto& l) { return l.number >= first && l.number <= last; });
  }

  static std::uint64_t number_in(const std::string& target, const std::string& name,
                                 std::uint64_t otherwise) {
    const auto found = target.find(name + "=");
    return found == std::string::npos ? otherwise
                                      : std::stoull(target.substr(found + name.size() + 1));
  }

  Result<json> answer(const std::string& target) {
    ++asked_;
    if (meanwhile_) meanwhile_(target);
    const std::uint64_t from = number_in(target, "from", 0);
    const std::uint64_t limit = number_in(target, "limit", 0);
    json list = json::array();
    if (target.contains("/lines?")) {
      for (const auto& line : lines_) {
        if (line.number >= from && list.size() < limit)
          list.push_back(json(audit::to_json(0, line)));
      }
      return json{{"lines", list}};
    }
    if (target.contains("/checkpoints?")) {
      auto first = std::ranges::lower_bound(checkpoints_, from, {}, &audit::Checkpoint::number);
      if (first != checkpoints_.begin()) --first;
      for (; first != checkpoints_.end() && list.size() < limit; ++first) {
        list.push_back(json(audit::to_json(*first)));
      }
      return json{{"checkpoints", list}};
    }
    return chains(target, from);
  }

  json chains(const std::string& target, std::uint64_t from) const {
    json chain{{"chain", 0}, {"number", lines_.empty() ? 0 : lines_.back().number}};
    const std::uint64_t to = number_in(target, "to", INT64_MAX);
    std::vector<std::uint64_t> inside;
    for (const auto& line : lines_) {
      if (line.number >= from && line.number < to) inside.push_back(line.number);
    }
    if (target.contains('?') && !inside.empty()) {
      chain["span"] = {{"first", inside.front()}, {"last", inside.back()}};
    }
    return {{"public_key", hex_encode(signer_.public_key())}, {"chains", {chain}}};
  }

  AdminAsk ask() {
    return [this](const std::string& target) { return answer(target); };
  }

  struct Walked {
    std::string broken;
    std::uint64_t first = 0, last = 0, vouched = 0;
    std::uint64_t begins = 0;  // the oldest line that is kept, if the ones before are gone
  };
  Walked walk(std::optional<std::uint64_t> from = {}, std::optional<std::uint64_t> to = {}) {
    const auto second = [](std::optional<std::uint64_t> n) {
      return n ? std::optional(TimePoint(Seconds(*n))) : std::nullopt;
    };
    const auto found = ask_chains(ask(), second(from), second(to));
    AuditWalk steps(ask(), found.value().chains.at(0));
    audit::RangeProof proof(0, signer_.public_key(), steps.begin().value());
    for (auto step = steps.next().value(); step; step = steps.next().value()) {
      std::visit([&](const auto& one) { proof.read(one); }, *step);
    }
    proof.finish();
    return {proof.broken().value_or(""), proof.first(), proof.last(), proof.vouched(),
            proof.oldest_kept() ? proof.oldest_kept()->number : 0};
  }

  audit::CheckpointSigner signer_{"secret"};
  audit::Head head_;
  std::vector<audit::Line> lines_;
  std::vector<audit::Checkpoint> checkpoints_;
  std::function<void(const std::string& target)> meanwhile_;
  int asked_ = 0;
};

TEST_F(AuditWalkTest, ManyPagesOfLinesAndOfCheckpoints) {
  write(2'500, 1);
  const Walked whole = walk();
  EXPECT_EQ(whole.broken, "");
  EXPECT_EQ(whole.last, 2'500U);
  EXPECT_EQ(whole.vouched, 2'500U);
  EXPECT_LT(asked_, 20);
}

TEST_F(AuditWalkTest, ARangeWithItsNeighbours) {
  write(100, 10);
  const Walked part = walk(41, 48);
  EXPECT_EQ(part.broken, "");
  EXPECT_EQ(part.first, 31U) << "after the last checkpoint before line 40";
  EXPECT_EQ(part.last, 50U);
  const Walked tail = walk(95);
  EXPECT_EQ(tail.first, 91U);
  EXPECT_EQ(tail.vouched, 100U);
  const Walked none = walk(200, 300);
  EXPECT_EQ(none.broken, "");
  EXPECT_EQ(none.last, 100U);
}

TEST_F(AuditWalkTest, NothingCanBeTakenFromTheEndsOfARange) {
  for (const auto& [first, last] : {std::pair{41, 41}, {41, 43}, {47, 47}, {44, 50}, {41, 47}}) {
    lines_.clear();
    checkpoints_.clear();
    head_ = {};
    write(100, 10);
    erase_lines(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last));
    EXPECT_THAT(walk(41, 48).broken, HasSubstr("line " + std::to_string(first) + ": it is missing"))
        << last;
  }
}

TEST_F(AuditWalkTest, WithoutACheckpointToTheLastLine) {
  write(20, 100);
  const Walked whole = walk(5, 8);
  EXPECT_EQ(whole.broken, "");
  EXPECT_EQ(whole.first, 1U);
  EXPECT_EQ(whole.last, 20U);
  EXPECT_EQ(whole.vouched, 0U);
}

TEST_F(AuditWalkTest, ACutTailIsMissed) {
  write(105, 10);
  erase_lines(89, 105);
  EXPECT_THAT(walk().broken, HasSubstr("line 89: it is missing"));
  EXPECT_THAT(walk(70, 88).broken, HasSubstr("line 89: it is missing"));
}

TEST_F(AuditWalkTest, PastItsRetentionAChainBeginsLater) {
  write(100, 10);
  erase_lines(1, 44);
  for (const Walked& rest : {walk(), walk(10, 60), walk(45, 60)}) {
    EXPECT_EQ(rest.broken, "");
    EXPECT_EQ(rest.begins, 45U);
    EXPECT_EQ(rest.first, 46U);
  }
  EXPECT_EQ(walk(70, 80).begins, 0U);
  EXPECT_EQ(walk(10, 20).broken, "") << "all of it is gone";
  erase_lines(1, 50);
  const Walked signed_before = walk();
  EXPECT_EQ(signed_before.broken, "");
  EXPECT_EQ(signed_before.begins, 0U) << "the checkpoint of line 50 vouches for what was before";
  EXPECT_EQ(signed_before.first, 51U);
  erase_lines(60, 61);
  EXPECT_THAT(walk().broken, HasSubstr("line 60: it is missing")) << "retention leaves no gap";
}

TEST_F(AuditWalkTest, WhatIsPurgedMeanwhileIsNotMissed) {
  write(50, 10);
  meanwhile_ = [this](const std::string& target) {
    if (target.contains("/checkpoints?")) erase_lines(1, 5);
  };
  const Walked rest = walk();
  EXPECT_EQ(rest.broken, "");
  EXPECT_EQ(rest.begins, 6U);
}

TEST_F(AuditWalkTest, WhatIsWrittenMeanwhileIsNotMissed) {
  write(995, 10);
  meanwhile_ = [this](const std::string&) {
    if (head_.number < 1'100) write(7, 3);
  };
  const Walked whole = walk();
  EXPECT_EQ(whole.broken, "");
  EXPECT_GE(whole.last, 995U);
}

TEST_F(AuditWalkTest, FailuresAndNonsenseEndIt) {
  write(10, 5);
  const AdminAsk failing = [](const std::string&) -> Result<json> {
    return fail(Failure::timeout, "late");
  };
  EXPECT_EQ(ask_chains(failing, {}, {}).error().message, "late");
  EXPECT_FALSE(AuditWalk(failing, {0, {1, 10}}).begin());
  for (const json& nonsense : {json::object(), json{{"chains", 1}}, json{{"lines", {1}}},
                               json{{"public_key", "00"}, {"chains", {{{"chain", "x"}}}}}}) {
    const AdminAsk babbling = [&](const std::string&) { return nonsense; };
    EXPECT_FALSE(ask_chains(babbling, {}, {}));
    EXPECT_FALSE(AuditWalk(babbling, {0, {1, 10}}).begin());
  }
  AuditWalk of_another(ask(), {7, {1, 10}});
  EXPECT_FALSE(of_another.begin());
}

}  // namespace
}  // namespace otpd::app
