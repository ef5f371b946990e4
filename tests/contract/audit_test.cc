#include <thread>

#include "backends.h"
#include "chain_reading.h"

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

TEST_P(AuditContract, KeepsWhoseItIsAndFindsItByThat) {
  const audit::Event ours = world_.event();
  audit::Event theirs = world_.event();
  theirs.application = "shop";
  append(ours);
  append(theirs);
  EXPECT_EQ(world_.events().size(), 2U);
  EXPECT_EQ(world_.events({.application = "shop"}), std::vector{theirs});
  EXPECT_EQ(world_.events({.application = ""}), std::vector{ours});
  EXPECT_TRUE(world_.events({.application = "bank"}).empty());
  audit::Head head;
  for (const audit::Line& line : await(world_.audit().lines(0, 1, 10)).value()) {
    head = audit::extend(head, line.event);
    EXPECT_EQ(line.hash, head.hash);
  }
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

// --- the chain of the lines ----------------------------------------------------------------------

TEST_P(AuditContract, WithoutALineThereIsNoChain) {
  EXPECT_TRUE(heads(world_.audit()).empty());
  EXPECT_EQ(span(world_.audit(), 0, k_start, k_start + std::chrono::hours(1)), std::nullopt);
  EXPECT_TRUE(lines(world_.audit(), 0).empty());
}

TEST_P(AuditContract, EveryLineFollowsFromTheOneBefore) {
  std::vector<audit::Event> written;
  for (int i = 0; i < 5; ++i) {
    written.push_back(world_.event());
    append(written.back());
    world_.clock.advance(Millis(1));
  }
  audit::Event also = world_.event();
  world_.put("k", 0, "state", {.events = {also}});
  written.push_back(also);
  const audit::Head head = only_head(world_.audit());
  expect_chain(lines(world_.audit(), head.chain), head, written);
}

TEST_P(AuditContract, AnIdThatIsThereAlreadyLeavesNoGap) {
  const audit::Event first = world_.event();
  const audit::Event second = world_.event();
  world_.append({.events = {first, first}});
  world_.append({.events = {first, second, first}});
  const audit::Head head = only_head(world_.audit());
  EXPECT_EQ(head.number, 2U);
  expect_chain(lines(world_.audit(), head.chain), head, {first, second});
}

TEST_P(AuditContract, AConflictWritesNoLine) {
  world_.put("k", 0, "state", {.events = {world_.event()}});
  const audit::Head before = only_head(world_.audit());
  ASSERT_EQ(world_.commit("k", 0, "other", {.events = {world_.event()}}),
            otp::CommitResult::conflict);
  EXPECT_EQ(only_head(world_.audit()), before);
}

TEST_P(AuditContract, CommitsAtOnceKeepTheChainWhole) {
  constexpr int k_writers = 8;
  constexpr int k_each = 20;
  std::vector<std::vector<audit::Event>> events(k_writers);
  for (auto& mine : events) {
    for (int i = 0; i < k_each; ++i) mine.push_back(world_.event());
  }
  std::vector<std::thread> writers;
  for (const auto& mine : events) {
    writers.emplace_back([&] {
      for (const audit::Event& event : mine) append(event);
    });
  }
  for (std::thread& writer : writers) writer.join();
  const audit::Head head = only_head(world_.audit());
  const auto written = lines(world_.audit(), head.chain);
  ASSERT_EQ(written.size(), static_cast<std::size_t>(k_writers * k_each));
  expect_chain(written, head);
}

TEST_P(AuditContract, GivesTheLinesFromANumberOn) {
  for (int i = 0; i < 5; ++i) append(world_.event());
  const std::uint32_t chain = only_head(world_.audit()).chain;
  const auto all = lines(world_.audit(), chain);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(numbers(lines(world_.audit(), chain, 4)), (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(numbers(lines(world_.audit(), chain, 2, 2)), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_TRUE(lines(world_.audit(), chain, 6).empty());
  EXPECT_TRUE(lines(world_.audit(), chain + 1).empty());
}

TEST_P(AuditContract, SpansTheLinesOfATime) {
  for (int i = 0; i < 5; ++i) {
    append(world_.event());
    world_.clock.advance(Millis(10));
  }
  const std::uint32_t chain = only_head(world_.audit()).chain;
  using Span = std::optional<std::pair<std::uint64_t, std::uint64_t>>;
  const auto span_of = [&](int from_ms, int to_ms) {
    return span(world_.audit(), chain, k_start + Millis(from_ms), k_start + Millis(to_ms));
  };
  EXPECT_EQ(span_of(0, 50), Span({1, 5}));
  EXPECT_EQ(span_of(10, 30), Span({2, 3}));
  EXPECT_EQ(span_of(11, 31), Span({3, 4}));
  EXPECT_EQ(span_of(41, 100), std::nullopt);
  EXPECT_EQ(span(world_.audit(), chain + 1, k_start, k_start + Millis(100)), std::nullopt);
}

TEST_P(AuditContract, KeepsCheckpointsInOrderAndTheFirstOfALine) {
  append(world_.event());
  const std::uint32_t chain = only_head(world_.audit()).chain;
  const audit::CheckpointSigner signer("secret");
  const auto checkpoint = [&](std::uint64_t number, int at_ms) {
    return signer.sign({chain, number, std::string(32, 'h')}, k_start + Millis(at_ms));
  };
  for (const std::uint64_t number : {30, 10, 20, 40}) {
    ASSERT_TRUE(await(world_.audit().add_checkpoint(checkpoint(number, 1))).has_value());
  }
  ASSERT_TRUE(await(world_.audit().add_checkpoint(checkpoint(20, 2))).has_value());
  const auto found = checkpoints(world_.audit(), chain, 0);
  EXPECT_EQ(numbers(found), (std::vector<std::uint64_t>{10, 20, 30, 40}));
  for (const auto& each : found) {
    EXPECT_TRUE(audit::is_genuine(each, signer.public_key())) << each.number;
    EXPECT_EQ(each.at, k_start + Millis(1));
  }
  const auto from = [&](std::uint64_t number, std::size_t limit = 100) {
    return numbers(checkpoints(world_.audit(), chain, number, limit));
  };
  EXPECT_EQ(from(20), (std::vector<std::uint64_t>{10, 20, 30, 40}));
  EXPECT_EQ(from(21), (std::vector<std::uint64_t>{20, 30, 40}));
  EXPECT_EQ(from(21, 2), (std::vector<std::uint64_t>{20, 30}));
  EXPECT_EQ(from(99), (std::vector<std::uint64_t>{40}));
  EXPECT_TRUE(checkpoints(world_.audit(), chain + 1, 0).empty());
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
