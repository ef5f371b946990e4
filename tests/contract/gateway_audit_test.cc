// The audit log through the gateway: search, pages, formats, and what proves it.
#include "audit/checkpointer.h"
#include "audit/csv.h"
#include "audit/json.h"
#include "audit/range_proof.h"
#include "base/encoding.h"
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

class GatewayAudit : public GatewayFlow {
 protected:
  // Events as an answer shows them, of one page.
  std::vector<std::string> ids(const Answer& answer) const {
    std::vector<std::string> found;
    for (const json& event : answer.body.at("events")) found.push_back(event.at("id"));
    return found;
  }
  void write(int lines) {
    for (int i = 0; i < lines; ++i) house_.world.append({.events = {house_.world.event()}});
  }
  void sign() {
    audit::Checkpointer checkpointer(house_.world.audit(), house_.world.clock,
                                     audit::CheckpointSigner(house_.keys.index_key()),
                                     house_.world.metrics);
    ASSERT_TRUE(storage::await(checkpointer.sign()));
  }
  // The target of the answer's link to the next page, or empty.
  static std::string next_page(const Answer& answer) {
    const std::string link(answer.header("Link"));
    const auto end = link.find(">; rel=\"next\"");
    return end == std::string::npos ? "" : link.substr(1, end - 1);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayAudit, k_houses, storage::backend_name);

TEST_P(GatewayAudit, FindsARecipientInAnySpelling) {
  send();
  send(R"({"phone":"+14155552672"})");
  send(R"({"email":"Ada@Example.com"})");
  const std::string hash = ask_admin("/admin/events?email=ada@example.com&event_type=send")
                               .body.at("events")
                               .at(0)
                               .at("channel_hash");
  EXPECT_EQ(ask_admin("/admin/events?channel_hash=" + hash).body.at("events").size(), 1U);
  for (const char* phone : {"phone=%2B14155552671", "phone=+14155552671", "phone=0014155552671",
                            "phone=%2B1%20(415)%20555-2671"}) {
    const Answer found = ask_admin(std::string("/admin/events?") + phone);
    ASSERT_EQ(found.status, 200) << phone;
    ASSERT_EQ(found.body.at("events").size(), 1U) << phone;
    EXPECT_NE(found.body.at("events").at(0).at("channel_hash"), hash);
  }
  EXPECT_TRUE(ask_admin("/admin/events?phone=%2B14155552679").body.at("events").empty());
}

TEST_P(GatewayAudit, RefusesARecipientThatIsNone) {
  EXPECT_EQ(ask_admin("/admin/events?phone=12").error(), "invalid_phone");
  EXPECT_EQ(ask_admin("/admin/events?email=12").error(), "invalid_email");
  const std::string phone = "/admin/events?phone=%2B14155552671";
  EXPECT_EQ(ask_admin(phone + "&email=a@example.com").body.at("member"), "email");
  EXPECT_EQ(ask_admin(phone + "&channel_hash=00").body.at("member"), "channel_hash");
}

TEST_P(GatewayAudit, RefusesWhatItDoesNotKnow) {
  const std::string cursor = "before=" + base64url_encode("x:y");
  for (const std::string& bad :
       {std::string("format=xml"), std::string("before=!"), std::string("before=AAAA"), cursor}) {
    EXPECT_EQ(ask_admin("/admin/events?" + bad).error(), "invalid_request") << bad;
  }
  for (const char* path : {"/admin/audit/lines", "/admin/audit/checkpoints"}) {
    for (const char* bad : {"chain=-1", "chain=x", "from=0", "limit=1001", "to=1"}) {
      EXPECT_EQ(ask_admin(std::string(path) + "?" + bad).error(), "invalid_request") << bad;
    }
    EXPECT_EQ(ask("GET", path).status, 401);
  }
  EXPECT_EQ(ask_admin("/admin/audit/chains?from=x").error(), "invalid_request");
  EXPECT_EQ(ask("GET", "/admin/audit/chains").status, 401);
}

TEST_P(GatewayAudit, PagesLeaveNothingOutAndGiveNothingTwice) {
  write(7);
  house_.world.clock.advance(Millis(1));
  write(4);
  const auto all = ids(ask_admin("/admin/events"));
  ASSERT_EQ(all.size(), 11U);
  std::vector<std::string> by_cursor, by_link;
  for (Answer page = ask_admin("/admin/events?limit=2");;
       page =
           ask_admin("/admin/events?limit=2&before=" + page.body.at("next").get<std::string>())) {
    for (auto& id : ids(page)) by_cursor.push_back(id);
    if (!page.body.contains("next")) break;
  }
  EXPECT_EQ(by_cursor, all);
  // The link keeps the rest of the question, and is there in every format.
  std::string target = "/admin/events?event_type=send&limit=3&format=ndjson&user_id=";
  target += house_.world.event().user_id;
  while (!target.empty()) {
    const Answer page = ask_admin(target);
    ASSERT_EQ(page.status, 200);
    EXPECT_EQ(page.http.content_type, "application/x-ndjson");
    std::istringstream lines(page.http.body);
    for (std::string line; std::getline(lines, line);) {
      by_link.push_back(json::parse(line).at("id"));
    }
    target = next_page(page);
  }
  EXPECT_EQ(by_link, all);
}

TEST_P(GatewayAudit, AnswersCsv) {
  audit::Event event = house_.world.event();
  event.detail = "=HYPERLINK(\"x\")";
  house_.world.append({.events = {event}});
  const Answer answer = ask_admin("/admin/events?format=csv");
  EXPECT_TRUE(answer.http.content_type.starts_with("text/csv"));
  EXPECT_EQ(answer.http.body, std::string(audit::csv_header()) + audit::csv_row(event));
  EXPECT_NE(answer.http.body.find("\"'=HYPERLINK(\"\"x\"\")\""), std::string::npos);
}

TEST_P(GatewayAudit, ShowsTheChains) {
  EXPECT_TRUE(ask_admin("/admin/audit/chains").body.at("chains").empty());
  const auto start = std::chrono::floor<Seconds>(house_.world.clock.now());
  write(3);
  house_.world.clock.advance(Seconds(10));
  write(2);
  const Answer all = ask_admin("/admin/audit/chains");
  const json& chain = all.body.at("chains").at(0);
  EXPECT_EQ(chain.at("chain"), 0);
  EXPECT_EQ(chain.at("number"), 5);
  EXPECT_FALSE(chain.contains("span"));
  EXPECT_EQ(all.body.at("public_key"),
            hex_encode(audit::CheckpointSigner(house_.keys.index_key()).public_key()));
  const auto spanned = [&](std::string_view name, int seconds) {
    const auto at = start.time_since_epoch().count() + seconds;
    return ask_admin("/admin/audit/chains?" + std::string(name) + "=" + std::to_string(at))
        .body.at("chains")
        .at(0)
        .value("span", json());
  };
  EXPECT_EQ(spanned("from", 0), (json{{"first", 1}, {"last", 5}}));
  EXPECT_EQ(spanned("from", 10), (json{{"first", 4}, {"last", 5}}));
  EXPECT_EQ(spanned("to", 10), (json{{"first", 1}, {"last", 3}}));
  EXPECT_EQ(spanned("from", 11), json());
}

TEST_P(GatewayAudit, WhatIsAnsweredProvesTheLog) {
  send();
  verify(other_code(code()));
  // A carrier's answer need not be UTF-8.
  audit::Event event = house_.world.event();
  event.detail = "a\xff";
  house_.world.append({.events = {event}});
  sign();
  write(1);
  const Answer chains = ask_admin("/admin/audit/chains");
  const std::uint64_t last = chains.body.at("chains").at(0).at("number");
  const std::string key = hex_decode(chains.body.at("public_key").get<std::string>()).value();
  audit::RangeProof proof(0, key, {1, last});
  for (std::uint64_t from = 1;;) {
    const Answer page = ask_admin("/admin/audit/lines?limit=2&from=" + std::to_string(from));
    if (page.body.at("lines").empty()) break;
    for (const json& line : page.body.at("lines")) proof.read(audit::line_from_json(line).value());
    from += page.body.at("lines").size();
  }
  const Answer checkpoints = ask_admin("/admin/audit/checkpoints?chain=0&from=1");
  ASSERT_EQ(checkpoints.body.at("checkpoints").size(), 1U);
  proof.read(audit::checkpoint_from_json(checkpoints.body.at("checkpoints").at(0)).value());
  proof.finish();
  EXPECT_EQ(proof.broken().value_or(""), "");
  EXPECT_EQ(proof.last(), last);
  EXPECT_TRUE(ask_admin("/admin/audit/lines?chain=7").body.at("lines").empty());
  EXPECT_TRUE(ask_admin("/admin/audit/checkpoints?chain=7").body.at("checkpoints").empty());
}

}  // namespace
}  // namespace otpd::usecase
