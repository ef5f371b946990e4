#include "net/redis_slots.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace otpd::net {
namespace {

constexpr std::size_t k_redis_max_nodes = 1'000;
constexpr std::uint16_t k_redis_crc_polynomial = 0x1021;

constexpr std::array<std::uint16_t, 256> make_redis_crc_table() {
  std::array<std::uint16_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? k_redis_crc_polynomial : 0U);
    }
    table[byte] = static_cast<std::uint16_t>(crc);
  }
  return table;
}

constexpr auto k_redis_crc_table = make_redis_crc_table();

// What is hashed: between the first { and the first } after it, unless that is nothing.
std::string_view redis_hash_tag(std::string_view key) {
  const auto open = key.find('{');
  if (open == key.npos) return key;
  const auto close = key.find('}', open + 1);
  if (close == key.npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

template <class Number>
std::optional<Number> read_redis_number(std::string_view text) {
  Number value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_redis_slot(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::integer && reply.number >= 0 &&
         reply.number < static_cast<std::int64_t>(k_redis_slots);
}

// [host, port, id, …]; the host may be nil, empty or "?" where the node does not know it.
std::optional<RedisNode> read_redis_node(const RedisReply& reply, const RedisNode& asked) {
  if (reply.items.size() < 2) return std::nullopt;
  const std::int64_t port = reply.items[1].number;
  if (port < 1 || port > 0xffff) return std::nullopt;
  const std::string& host = reply.items[0].text;
  return RedisNode{host.empty() || host == "?" ? asked.host : host,
                   static_cast<std::uint16_t>(port)};
}

// "<slot> <host>:<port>", the host possibly an IPv6 address or empty.
bool read_redis_redirection(std::string_view words, RedisNext& next) {
  const auto space = words.find(' ');
  const auto colon = words.rfind(':');
  if (space == words.npos || colon == words.npos || colon < space) return false;
  const auto slot = read_redis_number<std::uint16_t>(words.substr(0, space));
  const auto port = read_redis_number<std::uint16_t>(words.substr(colon + 1));
  if (!slot || *slot >= k_redis_slots || !port || *port == 0) return false;
  next.slot = *slot;
  next.node = {std::string(words.substr(space + 1, colon - space - 1)), *port};
  return true;
}

void add_redis_node(std::vector<RedisNode>& nodes, const RedisNode& node) {
  if (std::ranges::find(nodes, node) == nodes.end()) nodes.push_back(node);
}

}  // namespace

std::uint16_t redis_slot(std::string_view key) {
  std::uint32_t crc = 0;
  for (const char c : redis_hash_tag(key)) {
    const auto byte = static_cast<unsigned char>(c);
    crc = ((crc << 8) ^ k_redis_crc_table[((crc >> 8) ^ byte) & 0xff]) & 0xffff;
  }
  return static_cast<std::uint16_t>(crc % k_redis_slots);
}

Result<RedisSlotMap> RedisSlotMap::parse(const RedisReply& slots, const RedisNode& asked) {
  RedisSlotMap map;
  if (slots.items.size() > k_redis_slots) return fail(Failure::corrupt, "CLUSTER SLOTS: too long");
  for (const RedisReply& range : slots.items) {
    const auto& items = range.items;
    if (items.size() < 3 || !is_redis_slot(items[0]) || !is_redis_slot(items[1])) {
      return fail(Failure::corrupt, "CLUSTER SLOTS: not a range of slots");
    }
    for (std::size_t i = 2; i < items.size(); ++i) {
      const auto node = read_redis_node(items[i], asked);
      if (!node) return fail(Failure::corrupt, "CLUSTER SLOTS: not a node");
      if (i > 2) {
        add_redis_node(map.replicas_, *node);
        continue;
      }
      const std::uint16_t owner = map.index_of(*node);
      for (auto slot = items[0].number; slot <= items[1].number; ++slot) {
        map.owners_[static_cast<std::size_t>(slot)] = owner;
      }
    }
  }
  const std::size_t nodes = map.masters_.size() + map.replicas_.size();
  if (nodes > k_redis_max_nodes) return fail(Failure::corrupt, "CLUSTER SLOTS: too many nodes");
  if (map.masters_.empty()) return fail(Failure::corrupt, "CLUSTER SLOTS: nobody serves a slot");
  return map;
}

std::uint16_t RedisSlotMap::index_of(const RedisNode& master) {
  add_redis_node(masters_, master);
  return static_cast<std::uint16_t>(std::ranges::find(masters_, master) - masters_.begin());
}

const RedisNode* RedisSlotMap::master(std::uint16_t slot) const {
  const std::uint16_t owner = owners_[slot % k_redis_slots];
  return owner == k_nobody ? nullptr : &masters_[owner];
}

void RedisSlotMap::move(std::uint16_t slot, const RedisNode& node) {
  // Each error may name another node, but no cluster has so many.
  if (masters_.size() >= k_redis_max_nodes && !knows(node)) return;
  owners_[slot % k_redis_slots] = index_of(node);
}

bool RedisSlotMap::knows(const RedisNode& node) const {
  return std::ranges::find(masters_, node) != masters_.end() ||
         std::ranges::find(replicas_, node) != replicas_.end();
}

RedisNext redis_next(std::string_view error) {
  using Step = RedisNext::Step;
  static constexpr std::pair<std::string_view, Step> k_steps[] = {
      {"TRYAGAIN", Step::wait},
      {"LOADING", Step::wait},
      {"BUSY", Step::wait},
      {"NOREPLICAS", Step::wait},
      {"NOSCRIPT", Step::load},
      {"CLUSTERDOWN", Step::other_node},
      {"READONLY", Step::other_node},
      {"MASTERDOWN", Step::other_node},
      {"UNBLOCKED", Step::other_node},
      {"MISCONF", Step::give_up},
      {"OOM", Step::give_up},
  };
  const auto space = error.find(' ');
  const std::string_view code = error.substr(0, space);
  const std::string_view rest = space == error.npos ? "" : error.substr(space + 1);
  RedisNext next;
  if (code == "MOVED" || code == "ASK") {
    if (!read_redis_redirection(rest, next)) return {};
    next.step = code == "ASK" ? Step::ask : Step::follow;
    next.failure = Failure::unavailable;
  }
  for (const auto& [name, step] : k_steps) {
    if (name != code) continue;
    next.step = step;
    next.failure = Failure::unavailable;
  }
  return next;
}

Millis redis_backoff(std::uint32_t n, Random& random) {
  constexpr Millis k_longest{100};
  Millis longest{2};
  for (std::uint32_t i = 1; i < n && longest < k_longest; ++i) longest *= 2;
  longest = std::min(longest, k_longest);
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  return longest - Millis(random.u64() % (half + 1));
}

}  // namespace otpd::net
