// What the tests of the chained audit log share.
#pragma once

#include <algorithm>

#include "harness.h"

namespace otpd::storage {

inline std::vector<audit::Head> heads(audit::AuditLog& log) {
  return await(log.heads()).value();
}

inline audit::Head only_head(audit::AuditLog& log) {
  const auto all = heads(log);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? audit::Head{} : all[0];
}

inline std::vector<audit::Line> lines(audit::AuditLog& log, std::uint32_t chain,
                                      std::uint64_t from = 1, std::size_t limit = 1'000) {
  return await(log.lines(chain, from, limit)).value();
}

inline std::optional<std::pair<std::uint64_t, std::uint64_t>> span(audit::AuditLog& log,
                                                                   std::uint32_t chain,
                                                                   TimePoint from, TimePoint to) {
  const auto found = await(log.span(chain, from, to)).value();
  if (!found) return std::nullopt;
  return std::pair(found->first, found->last);
}

inline std::vector<audit::Checkpoint> checkpoints(audit::AuditLog& log, std::uint32_t chain,
                                                  std::uint64_t from, std::size_t limit = 1'000) {
  return await(log.checkpoints(chain, from, limit)).value();
}

template <class Numbered>
std::vector<std::uint64_t> numbers(const std::vector<Numbered>& all) {
  std::vector<std::uint64_t> found;
  for (const Numbered& each : all) found.push_back(each.number);
  return found;
}

// Expects that `lines` begin a chain, follow from one another without a gap, and end in `head`.
inline void expect_chain(const std::vector<audit::Line>& lines, const audit::Head& head) {
  audit::Head at{.chain = head.chain};
  for (const audit::Line& line : lines) {
    at = audit::extend(at, line.event);
    ASSERT_EQ(line.number, at.number);
    ASSERT_EQ(line.hash, at.hash) << line.number;
  }
  EXPECT_EQ(at, head);
}

inline void expect_chain(const std::vector<audit::Line>& lines, const audit::Head& head,
                         const std::vector<audit::Event>& events) {
  expect_chain(lines, head);
  std::vector<audit::Event> found;
  for (const audit::Line& line : lines) found.push_back(line.event);
  EXPECT_EQ(found, events);
}

}  // namespace otpd::storage
