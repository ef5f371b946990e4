// The audit log on PostgreSQL: batches, exactness, partitions.
#include <thread>

#include "postgres_harness.h"

namespace otpd::storage {
namespace {

using std::chrono::days;

class PostgresAudit : public Postgres {
 protected:
  PostgresAudit() { open(); }

  std::string partitions() {
    return shell().run(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_inherits "
        "JOIN pg_class ON oid = inhrelid WHERE inhparent = 'otp_events'::regclass");
  }
  void maintain() {
    const auto done = await(backend_->maintain(world_.clock.now()));
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
};

TEST_F(PostgresAudit, ABatchThatComesAgainChangesNothing) {
  const auto events = some_events(20);
  write(3, events);
  const audit::Head before = head_of(3);
  write(3, events);
  EXPECT_EQ(head_of(3), before);
  expect_written(3, events);
}

TEST_F(PostgresAudit, ABatchThatWasWrittenInPartIsCompleted) {
  const auto events = some_events(20);
  write(3, {events.begin(), events.begin() + 12});
  auto again = events;
  again.push_back(events[0]);
  again.push_back(events[19]);
  write(3, again);
  expect_written(3, events);
}

TEST_F(PostgresAudit, AnEmptyBatchIsWritten) {
  write(3, {});
  EXPECT_TRUE(heads(backend_->audit()).empty());
}

TEST_F(PostgresAudit, EveryChainIsItsOwn) {
  const auto events = some_events(6);
  write(0, {events[0], events[1]});
  write(63, {events[2], events[3]});
  write(0, {events[4]});
  expect_written(0, {events[0], events[1], events[4]});
  expect_written(63, {events[2], events[3]});
  world_.append({.events = {events[5]}});
  expect_written(1'000'000, {events[5]});
  EXPECT_EQ(heads(backend_->audit()).size(), 3U);
}

// As two pumps do that read the same batch, in two processes.
TEST_F(PostgresAudit, TwoWritersAtOnceWriteEveryLineOnce) {
  const auto events = some_events(300);
  const auto other = opened();
  const auto writer = [&](audit::EventSink& sink) {
    for (std::size_t at = 0; at < events.size(); at += 10) {
      const auto first = events.begin() + static_cast<std::ptrdiff_t>(at);
      const auto last =
          events.begin() + static_cast<std::ptrdiff_t>(std::min(at + 25, events.size()));
      EXPECT_TRUE(await(sink.write(7, {first, last})).has_value());
    }
  };
  std::thread racer([&] { writer(other->sink()); });
  writer(backend_->sink());
  racer.join();
  const auto written = lines(backend_->audit(), 7);
  ASSERT_EQ(written.size(), events.size());
  expect_chain(written, head_of(7));
}

// The same id on two chains at once: it is one line, and nobody fails.
TEST_F(PostgresAudit, OneIdOnTwoChainsIsOneLine) {
  const auto events = some_events(200);
  std::vector<std::thread> writers;
  for (const std::uint32_t chain : {1, 2}) {
    writers.emplace_back([&, chain] { write(chain, events); });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(head_of(1).number + head_of(2).number, events.size());
  for (const std::uint32_t chain : {1, 2})
    expect_chain(lines(backend_->audit(), chain), head_of(chain));
}

audit::Event odd_event(World& world, void (*change)(audit::Event&)) {
  audit::Event event = world.event();
  change(event);
  return event;
}

// Whatever a column cannot hold comes back nevertheless: the chain's hashes are over every byte.
TEST_F(PostgresAudit, GivesBackEveryByte) {
  using Event = audit::Event;
  const std::vector<Event> events = {
      odd_event(world_, [](Event& e) { e.id = "no uuid"; }),
      odd_event(world_, [](Event& e) { e.id = "0189A5B0-0000-7000-8000-0000000000AA"; }),
      odd_event(world_, [](Event& e) { e.user_id = "customer 7"; }),
      odd_event(world_, [](Event& e) { e.user_id = "550E8400-E29B-41D4-A716-446655440000"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "::1"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "::0.0.0.2"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "::ffff:192.0.2.1"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "2001:0db8::0001"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "2001:DB8::1"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "192.0.2.1"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "192.000.2.1"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "192.0.2.0/24"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "fe80::1%eth0"; }),
      odd_event(world_, [](Event& e) { e.ip_address = "unknown"; }),
      odd_event(world_, [](Event& e) { e.country = "us"; }),
      odd_event(world_, [](Event& e) { e.country = "U"; }),
      odd_event(world_, [](Event& e) { e.country = "USA"; }),
      odd_event(world_, [](Event& e) { e.channel_hash = std::string("a\0b", 3); }),
      odd_event(world_, [](Event& e) { e.verification_id = "\xff\xfe"; }),
      odd_event(world_, [](Event& e) { e.purpose = "caf\xc3\xa9 \xf0\x9f\x99\x82"; }),
      odd_event(world_, [](Event& e) { e.purpose = "caf\xc3"; }),
      odd_event(world_, [](Event& e) { e.purpose = "\xed\xa0\x80"; }),
      odd_event(world_, [](Event& e) { e.purpose = "\xc0\x80"; }),
      odd_event(world_, [](Event& e) { e.purpose = "\xf4\x90\x80\x80"; }),
      odd_event(world_, [](Event& e) { e.provider = "\\x41"; }),
      odd_event(world_, [](Event& e) { e.detail = "{NULL,\"'\\}"; }),
      odd_event(world_, [](Event& e) { e.detail = "NULL"; }),
      odd_event(world_, [](Event& e) { e.detail = " spaces "; }),
      odd_event(world_, [](Event& e) { e.detail = std::string(5'000, 'd'); }),
      odd_event(world_, [](Event& e) { e.channel_hash = std::string(5'000, 'c'); }),
      odd_event(world_, [](Event& e) { e.application = "shop"; }),
      odd_event(world_, [](Event& e) { e.application = std::string("a\0b", 3); }),
      odd_event(world_, [](Event& e) { e.created_at += Millis(1); }),
      odd_event(world_, [](Event& e) { e.created_at = TimePoint(Millis(0)); }),
      odd_event(world_, [](Event& e) { e.created_at = TimePoint(Millis(-1)); }),
      odd_event(world_, [](Event& e) { e.created_at = TimePoint::max(); }),
      {.id = "only an id", .created_at = {}},
  };
  write(0, events);
  expect_written(0, events);
  write(0, events);
  expect_written(0, events);
  EXPECT_EQ(shell().number("SELECT count(*) FROM otp_events WHERE exact IS NULL"), 18);
}

TEST_F(PostgresAudit, FindsWhatItsColumnsCannotHold) {
  audit::Event odd = world_.event();
  odd.user_id = "customer 7";
  odd.channel_hash = "\xff";
  odd.verification_id = std::string(3'000, 'v');
  write(0, {world_.event(), odd, world_.event()});
  EXPECT_EQ(world_.events({.user_id = odd.user_id}), std::vector{odd});
  EXPECT_EQ(world_.events({.channel_hash = odd.channel_hash}), std::vector{odd});
  EXPECT_EQ(world_.events({.verification_id = odd.verification_id}), std::vector{odd});
  EXPECT_TRUE(world_.events({.user_id = "customer 8"}).empty());
  EXPECT_TRUE(world_.events({.verification_id = std::string("v\0", 2)}).empty());
  EXPECT_EQ(world_.events({.from = TimePoint::min(), .to = TimePoint::max()}).size(), 3U);
}

TEST_F(PostgresAudit, AnOperatorReadsTheColumnsAsTheyAre) {
  write(5, {world_.event()});
  PostgresShell psql(server_.url(*database_));
  EXPECT_EQ(psql.run("SELECT host(ip_address) || ' ' || country || ' ' || user_id || ' ' || chain "
                     "|| ' ' || number || ' ' || event_type FROM otp_events"),
            "2001:db8::1 US 550e8400-e29b-41d4-a716-446655440000 5 1 send");
  EXPECT_EQ(psql.run("SELECT extract(epoch FROM created_at)::bigint FROM otp_events"),
            "1800000000");
}

// --- partitions ----------------------------------------------------------------------------------

TEST_F(PostgresAudit, EveryEventFindsItsMonth) {
  std::vector<audit::Event> events = some_events(3);
  events[0].created_at =
      TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 2 / 1)) - Millis(1);
  events[1].created_at = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 2 / 1));
  write(0, events);
  expect_written(0, events);
  EXPECT_EQ(partitions(), "otp_events_202601 otp_events_202602 otp_events_202701");
}

TEST_F(PostgresAudit, MaintenanceMakesTheMonthsAhead) {
  world_.clock.set(std::chrono::sys_days(std::chrono::year(2027) / 11 / 30));
  maintain();
  EXPECT_EQ(partitions(), "otp_events_202711 otp_events_202712 otp_events_202801");
  maintain();
  EXPECT_EQ(partitions(), "otp_events_202711 otp_events_202712 otp_events_202801");
}

TEST_F(PostgresAudit, MaintenanceDropsWhatRetentionDoesNotCover) {
  write(0, some_events(3));  // in January 2027
  world_.clock.set(std::chrono::sys_days(std::chrono::year(2027) / 2 / 1) + days(365) - Millis(2));
  maintain();
  EXPECT_EQ(world_.events().size(), 3U);
  world_.clock.advance(Millis(1));
  maintain();
  EXPECT_TRUE(world_.events().empty());
  EXPECT_EQ(partitions(), "otp_events_202801 otp_events_202802 otp_events_202803");
}

TEST_F(PostgresAudit, ADroppedMonthIsMadeAgainForWhoeverNeedsIt) {
  write(0, some_events(3));
  shell().run("DROP TABLE otp_events_202701");
  const auto late = some_events(2);
  write(0, late);
  EXPECT_EQ(world_.events().size(), 2U);
  EXPECT_EQ(head_of(0).number, 5U);
}

// Two chains over two months; the lines of one are mixed with those of the other around midnight.
class PostgresRetention : public PostgresAudit {
 protected:
  PostgresRetention() {
    for (int i = 0; i < 12; ++i) {
      audit::Event event = world_.event();
      event.created_at = i < 4 || i == 5 ? k_start : k_start + days(31);
      events_.push_back(event);
      write(4, {event});
      if (i == 2 || i == 8) sign();
    }
  }
  void sign() {
    const auto checkpoint = signer_.sign(head_of(4), k_start);
    ASSERT_TRUE(await(backend_->audit().add_checkpoint(checkpoint)).has_value());
  }
  // As an auditor does: what is wrong with the chain from `first` on, after a checkpoint or not.
  std::optional<std::string> check(std::uint64_t first) {
    audit::ChainCheck check(4, signer_.public_key());
    auto vouching = checkpoints(backend_->audit(), 4, first);
    if (!vouching.empty() && vouching[0].number < first) {
      check.start_after(vouching[0]);
      first = vouching[0].number + 1;
    }
    auto kept = lines(backend_->audit(), 4, first);
    if (!kept.empty() && check.head().number == 0 && kept[0].number > 1) {
      check.start_with(kept[0]);
      kept.erase(kept.begin());
    }
    for (const auto& each : vouching) check.read(each);
    for (const auto& line : kept) check.read(line);
    check.finish();
    if (!check.broken()) EXPECT_EQ(check.head(), head_of(4));
    return check.broken();
  }
  void outlive_the_first_month() {
    world_.clock.set(std::chrono::sys_days(std::chrono::year(2027) / 2 / 1) + days(365));
    maintain();
  }

  const audit::CheckpointSigner signer_{"secret"};
  std::vector<audit::Event> events_;
};

TEST_F(PostgresRetention, AChainIsWholeBeforeAndAfterADrop) {
  EXPECT_EQ(check(1), std::nullopt);
  outlive_the_first_month();
  EXPECT_EQ(numbers(lines(backend_->audit(), 4)),
            (std::vector<std::uint64_t>{7, 8, 9, 10, 11, 12}));
  const auto kept = span(backend_->audit(), 4, TimePoint::min(), TimePoint::max());
  EXPECT_EQ(kept, std::optional(std::pair<std::uint64_t, std::uint64_t>(7, 12)));
  EXPECT_EQ(check(7), std::nullopt);
  EXPECT_EQ(check(11), std::nullopt);
  EXPECT_EQ(numbers(checkpoints(backend_->audit(), 4, 7)), (std::vector<std::uint64_t>{9}));
  // The line of the second month that came before the end of the first is still found.
  EXPECT_EQ(world_.events().size(), 7U);
}

TEST_F(PostgresRetention, AChainGoesOnAfterADrop) {
  outlive_the_first_month();
  write(4, {world_.event()});
  EXPECT_EQ(head_of(4).number, 13U);
  EXPECT_EQ(check(7), std::nullopt);
}

TEST_F(PostgresRetention, AnAlteredLineIsNamedAfterADrop) {
  outlive_the_first_month();
  shell().run("UPDATE otp_events SET detail = 'forged' WHERE number = 8");
  EXPECT_THAT(check(7).value_or(""), testing::HasSubstr("line 8"));
}

}  // namespace
}  // namespace otpd::storage
