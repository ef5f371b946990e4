#include "app/audit_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/json.h"
#include "base/encoding.h"

namespace otpd::app {
namespace {

using nlohmann::json;

constexpr std::size_t k_page = 500;  // otpd answers nobody else on that thread meanwhile

std::unexpected<Error> unusable() {
  return fail(Failure::invalid, "an unusable answer");
}

std::unexpected<Error> unreadable(const json& element) {
  const bool numbered = element.is_object() && element.contains("number");
  if (!numbered) return unusable();
  return fail(Failure::invalid, "what the log holds as line " + element["number"].dump() +
                                    " was never written so: it cannot be read");
}

// The whole seconds that surround it: a range is never smaller than asked for.
std::int64_t second_before(TimePoint time) {
  return std::chrono::floor<Seconds>(time).time_since_epoch().count();
}
std::int64_t second_after(TimePoint time) {
  return std::chrono::ceil<Seconds>(time).time_since_epoch().count();
}

// Each element of the page under `name`, read by `read`.
template <class T>
Result<std::vector<T>> ask_page(const AdminAsk& ask, const char* name, std::uint32_t chain,
                                std::uint64_t from, std::size_t limit,
                                Result<T> (*read)(const json&)) {
  const auto body =
      ask(fmt::format("/admin/audit/{}?chain={}&from={}&limit={}", name, chain, from, limit));
  if (!body) return std::unexpected(body.error());
  const auto list = body->find(name);
  if (list == body->end() || !list->is_array()) return unusable();
  std::vector<T> page;
  for (const json& element : *list) {
    auto one = read(element);
    if (!one || element.at("chain") != chain) return unreadable(element);
    page.push_back(std::move(*one));
  }
  return page;
}

Result<std::vector<audit::Line>> ask_lines(const AdminAsk& ask, std::uint32_t chain,
                                           std::uint64_t from, std::size_t limit = k_page) {
  return ask_page<audit::Line>(ask, "lines", chain, from, limit, audit::line_from_json);
}

std::optional<audit::ChainSpan> span_in(const json& chain) {
  const auto span = chain.find("span");
  if (span == chain.end()) return std::nullopt;
  return audit::ChainSpan{span->at("first").get<std::uint64_t>(),
                          span->at("last").get<std::uint64_t>()};
}

Result<json> ask_spans(const AdminAsk& ask, const std::string& range) {
  return ask("/admin/audit/chains" + range);
}

// The empty range behind the last line before `from`.
Result<audit::ChainSpan> nothing_from(const AdminAsk& ask, std::uint32_t chain, TimePoint from) {
  const auto body = ask_spans(ask, fmt::format("?to={}", second_before(from)));
  if (!body) return std::unexpected(body.error());
  std::uint64_t last = 0;
  for (const json& one : body->at("chains")) {
    const auto span = span_in(one);
    if (one.at("chain") == chain && span) last = span->last;
  }
  return audit::ChainSpan{last + 1, last};
}

Result<AuditChain> read_chain(const AdminAsk& ask, const json& one, std::optional<TimePoint> from,
                              bool ranged) {
  AuditChain chain{one.at("chain").get<std::uint32_t>(), {}};
  if (const auto span = span_in(one)) {
    chain.span = *span;
  } else if (ranged) {
    const auto nothing = nothing_from(ask, chain.chain, from.value_or(TimePoint()));
    if (!nothing) return std::unexpected(nothing.error());
    chain.span = *nothing;
  } else {
    const auto lines = ask_lines(ask, chain.chain, 1, 1);
    if (!lines) return std::unexpected(lines.error());
    if (!lines->empty()) chain.span = {lines->front().number, one.at("number")};
  }
  return chain;
}

}  // namespace

Result<AuditChains> ask_chains(const AdminAsk& ask, std::optional<TimePoint> from,
                               std::optional<TimePoint> to) {
  std::string range;
  if (from) range += fmt::format("?from={}", second_before(*from));
  if (to) range += fmt::format("{}to={}", range.empty() ? "?" : "&", second_after(*to));
  const auto body = ask_spans(ask, range);
  if (!body) return std::unexpected(body.error());
  AuditChains chains;
  try {
    chains.public_key = hex_decode(body->at("public_key").get<std::string>()).value_or("");
    for (const json& one : body->at("chains")) {
      auto chain = read_chain(ask, one, from, !range.empty());
      if (!chain) return std::unexpected(chain.error());
      chains.chains.push_back(*chain);
    }
  } catch (const json::exception&) {
    return unusable();
  }
  return chains;
}

AuditWalk::AuditWalk(AdminAsk ask, const AuditChain& chain) : ask_(std::move(ask)), chain_(chain) {}

// The line before the range belongs to it: so its beginning cannot be cut off unnoticed.
Result<audit::ChainSpan> AuditWalk::begin() {
  audit::ChainSpan& span = chain_.span;
  next_checkpoint_ = std::max<std::uint64_t>(span.first, 2) - 1;
  const std::uint64_t first = next_checkpoint_;
  if (auto filled = fill_checkpoints(Before::take); !filled) return std::unexpected(filled.error());
  const bool anchored = !checkpoints_.empty() && checkpoints_.front().number < first;
  next_line_ = anchored ? checkpoints_.front().number + 1 : 1;
  if (auto filled = fill_lines(); !filled) return std::unexpected(filled.error());
  if (lines_.empty() || lines_.front().number == next_line_) return span;
  const auto oldest = ask_lines(ask_, chain_.chain, 1, 1);
  if (!oldest) return std::unexpected(oldest.error());
  if (oldest->empty() || oldest->front().number < next_line_) return span;
  // What was before is gone, and with it what most checkpoints before are about.
  checkpoints_.clear();
  last_page_ = false;
  next_checkpoint_ = std::max<std::uint64_t>(lines_.front().number, 2) - 1;
  if (auto filled = fill_checkpoints(Before::leave); !filled)
    return std::unexpected(filled.error());
  if (span.first <= span.last) span.first = std::max(span.first, lines_.front().number);
  return span;
}

Result<void> AuditWalk::fill_checkpoints(Before before) {
  if (!checkpoints_.empty() || last_page_) return {};
  auto page = ask_page<audit::Checkpoint>(ask_, "checkpoints", chain_.chain, next_checkpoint_,
                                          k_page, audit::checkpoint_from_json);
  if (!page) return std::unexpected(page.error());
  for (audit::Checkpoint& one : *page) {
    if (before == Before::take || one.number >= next_checkpoint_) {
      checkpoints_.push_back(std::move(one));
    }
  }
  last_page_ = checkpoints_.empty();
  if (!last_page_) next_checkpoint_ = checkpoints_.back().number + 1;
  return {};
}

Result<void> AuditWalk::fill_lines() {
  if (!lines_.empty()) return {};
  auto page = ask_lines(ask_, chain_.chain, next_line_);
  if (!page) return std::unexpected(page.error());
  std::ranges::move(*page, std::back_inserter(lines_));
  return {};
}

Result<std::optional<AuditWalk::Step>> AuditWalk::next() {
  if (ended_) return std::nullopt;
  // The checkpoints first: then a line that one is about is among the lines that are asked for.
  if (auto filled = fill_checkpoints(Before::leave); !filled)
    return std::unexpected(filled.error());
  if (auto filled = fill_lines(); !filled) return std::unexpected(filled.error());
  const bool due = !checkpoints_.empty() &&
                   (lines_.empty() || checkpoints_.front().number < lines_.front().number);
  if (due) {
    Step step = std::move(checkpoints_.front());
    checkpoints_.pop_front();
    const std::uint64_t number = std::get<audit::Checkpoint>(step).number;
    ended_ = number > chain_.span.last && (number < next_line_ || lines_.empty());
    return step;
  }
  if (lines_.empty()) return std::nullopt;
  Step step = std::move(lines_.front());
  lines_.pop_front();
  next_line_ = std::get<audit::Line>(step).number + 1;
  return step;
}

}  // namespace otpd::app
