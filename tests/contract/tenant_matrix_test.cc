// Everything that one application has, shown to every route of another: nothing is there, nothing
// changes, and its owner can still use it.
#include <algorithm>
#include <functional>
#include <set>

#include "tenants.h"

namespace otpd::usecase {
namespace {

using storage::await;

// What an application has in its hands.
struct Things {
  std::string phone;
  std::string id;  // of a live verification
  std::string code;
  std::string link;
  std::string session;
  std::string session_id;
  std::string user;
  std::string factor;
  std::string secret;  // the factor's
  std::string recovery;
};

struct Row {
  std::string method;
  std::function<std::string(const Things&)> target;
  std::function<json(const Things&)> body = {};
};

std::string users(const Things& things, const std::string& rest) {
  return "/users/" + things.user + rest;
}

// Every route that finds something of somebody.
std::vector<Row> rows() {
  const auto at = [](std::string path) { return [path](const Things&) { return path; }; };
  const auto id = [](const Things& t) { return "/otp/" + t.id; };
  const auto session = [](const Things& t) { return json{{"token", t.session}}; };
  const auto of_factor = [](const std::string& what) {
    return [what](const Things& t) { return users(t, "/factors/" + t.factor + what); };
  };
  const auto of_user = [](const std::string& what) {
    return [what](const Things& t) { return users(t, what); };
  };
  const auto code = [](const Things& t) { return json{{"code", t.secret}}; };
  return {
      {"POST", at("/otp/verify"),
       [](const Things& t) { return json{{"phone", t.phone}, {"code", t.code}}; }},
      {"POST", at("/otp/verify"),
       [](const Things& t) {
         return json{{"phone", t.phone}, {"code", t.code}, {"verification_id", t.id}};
       }},
      {"POST", at("/otp/verify"), [](const Things& t) { return json{{"token", t.link}}; }},
      {"GET", id},
      {"DELETE", id},
      {"POST", at("/session/introspect"), session},
      {"POST", at("/session/rotate"), session},
      {"POST", at("/session/revoke"), session},
      {"POST", of_user("/logout")},
      {"GET", of_user("/sessions")},
      {"DELETE", [](const Things& t) { return users(t, "/sessions/" + t.session_id); }},
      {"GET", of_user("/factors")},
      {"POST", of_factor("/confirm"), code},
      {"POST", of_factor("/verify"), code},
      {"DELETE", of_factor("")},
      {"POST", of_user("/recovery-codes/verify"),
       [](const Things& t) { return json{{"code", t.recovery}}; }},
      {"POST", of_user("/unlock")},
  };
}

// Routes that find nothing but make something; each has a test of its own.
const std::set<std::string> k_makers = {
    "POST /otp/send",
    "GET /captcha",
    "POST /users/{user_id}/factors",
    "POST /users/{user_id}/recovery-codes",
};

class TenantMatrix : public Tenants {
 protected:
  Things make_things() {
    Things things{.phone = k_phone, .user = k_user};
    EXPECT_EQ(send_json({{"phone", "+14155550100"}, {"user_id", k_user}}).status, 202);
    const Answer opened =
        ask("POST", "/otp/verify", json{{"phone", "+14155550100"}, {"code", this->code()}}.dump());
    things.session = opened.body.at("session_token");
    things.session_id = ask("GET", users(things, "/sessions")).body["sessions"][0]["session_id"];
    EXPECT_EQ(send_json({{"phone", k_phone}, {"purpose", "password_reset"}}).status, 202);
    things.link = house_.take_all().at(0).link_token.reveal();
    house_.world.clock.advance(Seconds(30));
    things.id = send().body.at("verification_id");
    things.code = this->code();
    const Answer enrolled = ask("POST", users(things, "/factors"), R"({"type":"totp"})");
    things.factor = enrolled.body.at("factor_id");
    const std::string secret = enrolled.body.at("secret");
    EXPECT_EQ(ask("POST", users(things, "/factors/" + things.factor + "/confirm"),
                  json{{"code", totp(secret)}}.dump())
                  .status,
              200);
    house_.world.clock.advance(Seconds(30));
    things.secret = totp(secret);
    things.recovery = ask("POST", users(things, "/recovery-codes")).body.at("recovery_codes")[0];
    return things;
  }

  // Things that look the same, and that nobody has.
  Things make_nothing() {
    const auto draw = [this](std::size_t bytes) { return house_.random.bytes(bytes); };
    const otp::VerificationId id{draw(otp::k_hash_bytes), draw(otp::k_unique_bytes)};
    return {.phone = "+14155550199",
            .id = id.text(),
            .code = "123456",
            .link = std::string(otp::LinkToken{id, Secret(draw(16))}.text().reveal()),
            .session = std::string(
                otp::SessionToken{draw(otp::k_hash_bytes), Secret(draw(32))}.text().reveal()),
            .session_id = otp::session_id_text(draw(otp::k_session_id_bytes)),
            .user = "00000000-0000-4000-8000-000000000000",
            .factor = otp::factor_id_text(draw(otp::k_factor_id_bytes)),
            .secret = "123456",
            .recovery = "00000-00000"};
  }

  static net::HttpRequest request_of(const Row& row, const Things& things) {
    return request(row.method, row.target(things), row.body ? row.body(things).dump() : "");
  }

  // Status, body and headers, without what is different every time.
  static std::string shown(const Answer& answer) {
    std::string text = std::to_string(answer.status) + " " + answer.http.body;
    for (const auto& [name, value] : answer.http.headers) {
      if (name != "X-Request-Id") text += "\n" + name + ": " + value;
    }
    return text;
  }

  // Of all that the things are kept in.
  std::vector<std::uint64_t> versions(const Things& things) {
    const std::string_view index = house_.keys.index_key();
    const auto hash = [&](const char* kind, const std::string& name) {
      return otp::keyed_hash(index, kind, "default", name);
    };
    std::vector<std::uint64_t> all;
    for (const otp::Key& key : {otp::recipient_key(hash("recipient", things.phone)),
                                otp::sessions_key(index, "default", hash("sessions", things.user)),
                                otp::factors_key(hash("factors", things.user))}) {
      all.push_back(await(house_.store.load(key)).value().version);
      EXPECT_NE(all.back(), 0U);
    }
    return all;
  }

  // By route, how often it was asked for.
  std::map<std::string, int> asked() {
    std::map<std::string, int> routes;
    const std::string page = house_.world.metrics.render();
    const std::string begin = "otpd_requests_total{route=\"";
    for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
      const auto name =
          page.substr(at + begin.size(), page.find('"', at + begin.size()) - at - begin.size());
      routes[name] += std::stoi(page.substr(page.find("} ", at) + 2));
    }
    return routes;
  }

  void expect_usable(const Things& things) {
    const Answer status = ask("GET", "/otp/" + things.id);
    EXPECT_EQ(status.body.value("status", ""), "queued");
    EXPECT_EQ(status.body.value("attempts_remaining", 0), 3);
    const auto again = ask("POST", "/session/introspect", json{{"token", things.session}}.dump());
    EXPECT_TRUE(again.body.value("active", false));
    EXPECT_EQ(ask("GET", users(things, "/sessions")).body.at("sessions").size(), 1U);
    EXPECT_EQ(verify(things.code).status, 200);
    EXPECT_EQ(ask("POST", "/otp/verify", json{{"token", things.link}}.dump()).status, 200);
    EXPECT_EQ(ask("POST", users(things, "/factors/" + things.factor + "/verify"),
                  json{{"code", things.secret}}.dump())
                  .status,
              200);
    EXPECT_EQ(
        ask("POST", users(things, "/recovery-codes/verify"), json{{"code", things.recovery}}.dump())
            .status,
        200);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, TenantMatrix, k_houses, storage::backend_name);

TEST_P(TenantMatrix, NothingOfOneIsThereForTheOther) {
  const Things things = make_things();
  const Things nothing = make_nothing();
  const auto before = versions(things);
  const auto lines = house_.event_types().size();
  const auto counts = asked();
  for (const Row& row : rows()) {
    const Answer told = at_shop(request_of(row, things));
    const Answer usual = at_shop(request_of(row, nothing));
    EXPECT_EQ(shown(told), shown(usual)) << row.method << " " << row.target(things);
    EXPECT_EQ(told.error(), usual.error());
    EXPECT_EQ(versions(things), before) << row.method << " " << row.target(things);
  }
  EXPECT_EQ(house_.event_types().size(), lines);
  for (const auto& [route, count] : asked()) {
    const std::string path = route.substr(route.find(' ') + 1);
    const bool application = path.starts_with("/otp/") || path.starts_with("/session/") ||
                             path.starts_with("/users/") || path.starts_with("/captcha");
    if (!application || k_makers.contains(route)) continue;
    EXPECT_GT(count, counts.at(route)) << route << " is missing in the matrix";
  }
  expect_usable(things);
}

// The same in the other direction: what the shop has is not there for the house.
TEST_P(TenantMatrix, TheBaseApplicationSeesNothingOfOthers) {
  const std::string id = send_at_shop().body.at("verification_id");
  const std::string code = this->code();
  EXPECT_EQ(ask("GET", "/otp/" + id).error(), "not_found");
  EXPECT_EQ(ask("DELETE", "/otp/" + id).error(), "not_found");
  EXPECT_EQ(verify(code).error(), "otp_expired");
  const Answer verified = verify_at_shop(code);
  ASSERT_EQ(verified.status, 200);
  const std::string token = json{{"token", verified.body.at("session_token")}}.dump();
  EXPECT_EQ(ask("POST", "/session/introspect", token).body, json({{"active", false}}));
  EXPECT_EQ(ask("POST", "/session/revoke", token).status, 200);
  EXPECT_TRUE(at_shop("POST", "/session/introspect", token).body.at("active"));
}

// Records from before there were several applications name none: they are the base one's.
TEST_P(TenantMatrix, WhatNamesNoApplicationIsTheBaseOnes) {
  const Things things = make_things();
  const std::string_view index = house_.keys.index_key();
  const auto forget = [&]<class State>(State, const otp::Key& key) {
    const auto done = await(otp::update<State, bool>(
        house_.store, house_.world.clock, key, [](State& state, TimePoint now) {
          EXPECT_EQ(state.application, "default");
          state.application.clear();
          return otp::Decision<bool>{
              .out = true, .changed = true, .expires_at = now + Seconds(3'600)};
        }));
    EXPECT_TRUE(done);
  };
  forget(otp::RecipientState{},
         otp::recipient_key(otp::keyed_hash(index, "recipient", "default", k_phone)));
  EXPECT_EQ(at_shop("GET", "/otp/" + things.id).error(), "not_found");
  expect_usable(things);
}

}  // namespace
}  // namespace otpd::usecase
