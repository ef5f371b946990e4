#include "backends.h"

namespace otpd::storage {
namespace {

class AuditContract : public Contract {
 protected:
  void append(audit::Event event) { world_.append({.events = {std::move(event)}}); }
};
INSTANTIATE_TEST_SUITE_P(Backends, AuditContract, k_backends, backend_name);

TEST_P(AuditContract, KeepsEveryMember) {
  const audit::Event event = world_.event();
  append(event);
  EXPECT_EQ(world_.events(), std::vector{event});
}

TEST_P(AuditContract, KeepsEmptyMembers) {
  const audit::Event event = {.id = "018f",
                              .user_id = {},
                              .channel_hash = {},
                              .event_type = "send",
                              .ip_address = {},
                              .country = {},
                              .created_at = k_start,
                              .verification_id = {},
                              .purpose = {},
                              .provider = {},
                              .detail = {}};
  append(event);
  EXPECT_EQ(world_.events(), std::vector{event});
}

TEST_P(AuditContract, WritingAnIdTwiceWritesOneLine) {
  audit::Event event = world_.event();
  append(event);
  world_.append({.events = {event, event}});
  event.detail = "other";
  append(event);
  ASSERT_EQ(world_.events().size(), 1U);
  EXPECT_EQ(world_.events()[0].detail, "ip");
}

TEST_P(AuditContract, NewestFirstUpToTheLimit) {
  std::vector<audit::Event> written;
  for (int i = 0; i < 5; ++i) {
    written.insert(written.begin(), world_.event());
    append(written.front());
    world_.clock.advance(Millis(1));
  }
  EXPECT_EQ(world_.events(), written);
  written.resize(2);
  EXPECT_EQ(world_.events({.limit = 2}), written);
}

TEST_P(AuditContract, EveryMemberOfAQueryNarrows) {
  audit::Event a = world_.event();
  world_.clock.advance(Millis(10));
  audit::Event b = world_.event(audit::event_type::k_limited);
  b.user_id = "";
  b.channel_hash = "abcd";
  b.verification_id = "v2";
  append(a);
  append(b);
  EXPECT_EQ(world_.events({.channel_hash = "abcd"}), std::vector{b});
  EXPECT_EQ(world_.events({.user_id = a.user_id}), std::vector{a});
  EXPECT_EQ(world_.events({.verification_id = "v1"}), std::vector{a});
  EXPECT_EQ(world_.events({.event_type = "limited"}), std::vector{b});
  EXPECT_EQ(world_.events({.from = b.created_at}), std::vector{b});
  EXPECT_EQ(world_.events({.to = b.created_at}), std::vector{a});
  EXPECT_EQ(world_.events({.from = a.created_at, .to = a.created_at + Millis(1)}), std::vector{a});
  EXPECT_TRUE(world_.events({.channel_hash = "abcd", .event_type = "send"}).empty());
  EXPECT_TRUE(world_.events({.channel_hash = "' OR 1=1 --"}).empty());
}

TEST_P(AuditContract, PagesLeaveNothingOutAndGiveNothingTwice) {
  std::vector<audit::Event> written;
  for (int i = 0; i < 23; ++i) {
    if (i % 9 == 0) world_.clock.advance(Millis(1));
    written.push_back(world_.event());
    append(written.back());
  }
  std::vector<audit::Event> found;
  audit::Query query{.limit = 4};
  for (auto page = world_.events(query); !page.empty(); page = world_.events(query)) {
    query.before = audit::Place{page.back().created_at, page.back().id};
    found.insert(found.end(), page.begin(), page.end());
  }
  EXPECT_EQ(found, world_.events());
  EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(written));
}

}  // namespace
}  // namespace otpd::storage
