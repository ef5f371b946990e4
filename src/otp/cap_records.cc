// The stored form of what is counted for everybody together: protobuf, see records.proto.
#include "otp/caps.h"
#include "records.pb.h"

namespace otpd::otp {
namespace {

std::int64_t cap_ms(TimePoint time) {
  return time.time_since_epoch().count();
}
TimePoint cap_time(std::int64_t ms) {
  return TimePoint(Millis(ms));
}

void write_taken(const TakenLog& from, records::Taken& to) {
  for (const Taken& taken : from) {
    to.add_from(cap_ms(taken.from));
    to.add_amount(taken.amount);
  }
}

// Failure::corrupt if it is not in order.
Result<TakenLog> read_taken(const records::Taken& from) {
  TakenLog log;
  if (from.from_size() != from.amount_size()) {
    return fail(Failure::corrupt, "a stored allowance has not as many times as amounts");
  }
  for (int i = 0; i < from.from_size(); ++i) {
    log.push_back({cap_time(from.from(i)), from.amount(i)});
    if (i > 0 && from.from(i - 1) >= from.from(i)) {
      return fail(Failure::corrupt, "a stored allowance is not in order");
    }
  }
  return log;
}

}  // namespace

std::string encode(const AllowanceState& state) {
  records::Allowance out;
  const AllowanceLogs& logs = state.logs;
  if (!logs[Meter::hour].empty()) write_taken(logs[Meter::hour], *out.mutable_hour());
  if (!logs[Meter::day].empty()) write_taken(logs[Meter::day], *out.mutable_day());
  if (!logs[Meter::spent].empty()) write_taken(logs[Meter::spent], *out.mutable_spent());
  if (state.guard == GuardState{}) return out.SerializeAsString();
  auto* guard = out.mutable_guard();
  write_taken(state.guard.sends, *guard->mutable_sends());
  write_taken(state.guard.verified, *guard->mutable_verified());
  guard->set_closings(state.guard.closings);
  guard->set_closed_at(cap_ms(state.guard.closed_at));
  guard->set_closed_until(cap_ms(state.guard.closed_until));
  guard->set_listed(state.guard.listed);
  guard->set_judged_sends(state.guard.closed_for.sends);
  guard->set_judged_verified(state.guard.closed_for.verified);
  return out.SerializeAsString();
}

template <>
Result<AllowanceState> decode(std::string_view bytes) {
  records::Allowance in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Failure::corrupt, "a stored Allowance does not decode");
  }
  AllowanceState state;
  const std::pair<const records::Taken*, TakenLog*> logs[] = {
      {&in.hour(), &state.logs[Meter::hour]},
      {&in.day(), &state.logs[Meter::day]},
      {&in.spent(), &state.logs[Meter::spent]},
      {&in.guard().sends(), &state.guard.sends},
      {&in.guard().verified(), &state.guard.verified}};
  for (const auto& [stored, log] : logs) {
    auto read = read_taken(*stored);
    if (!read) return std::unexpected(read.error());
    *log = std::move(*read);
  }
  state.guard.closings = in.guard().closings();
  state.guard.closed_at = cap_time(in.guard().closed_at());
  state.guard.closed_until = cap_time(in.guard().closed_until());
  state.guard.listed = in.guard().listed();
  state.guard.closed_for = {in.guard().judged_sends(), in.guard().judged_verified()};
  return state;
}

std::string encode(const ClosedBlocks& state) {
  records::ClosedBlocks out;
  for (const ClosedBlock& block : state.blocks) {
    auto* stored = out.add_blocks();
    stored->set_prefix(block.prefix);
    stored->set_since(cap_ms(block.since));
    stored->set_until(cap_ms(block.until));
    stored->set_closings(block.closings);
    stored->set_sends(block.closed_for.sends);
    stored->set_verified(block.closed_for.verified);
  }
  return out.SerializeAsString();
}

template <>
Result<ClosedBlocks> decode(std::string_view bytes) {
  records::ClosedBlocks in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Failure::corrupt, "a stored ClosedBlocks does not decode");
  }
  ClosedBlocks state;
  for (const auto& stored : in.blocks()) {
    state.blocks.push_back({stored.prefix(),
                            cap_time(stored.since()),
                            cap_time(stored.until()),
                            stored.closings(),
                            {stored.sends(), stored.verified()}});
  }
  return state;
}

}  // namespace otpd::otp
