#include "crypto/key_ring.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "crypto/private_file.h"

namespace otpd::crypto {
namespace {

using Json = nlohmann::json;

constexpr std::size_t k_key_bytes = 32;
constexpr std::size_t k_max_ring_bytes = 64 * 1024;
constexpr std::size_t k_ring_bytes_each = 256;  // more than the text of one generation

std::unexpected<Error> bad_ring(std::string_view member, std::string_view why) {
  return fail(Failure::invalid, fmt::format("key ring: {}: {}", member, why));
}

Secret new_key(Random& random) {
  return Secret(random.bytes(k_key_bytes));
}

void append_wiped(std::string& out, std::string text) {
  out += text;
  wipe(text);
}

// A parsed ring whose strings are wiped when it dies.
struct ParsedRing {
  ~ParsedRing() { wipe_strings(json); }
  static void wipe_strings(Json& value) {
    if (value.is_string()) wipe(value.get_ref<std::string&>());
    if (value.is_structured()) {
      for (Json& child : value) wipe_strings(child);
    }
  }
  Json json;
};

// Parses, refusing what a JSON parser would silently drop: a member given twice.
bool parse_ring(std::string_view text, Json& out) {
  std::vector<std::set<std::string>> open_objects;
  bool twice = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      twice |= !open_objects.back().insert(value.get<std::string>()).second;
    }
    return true;
  };
  out = Json::parse(text, watch, false);
  return !out.is_discarded() && !twice;
}

Result<void> check_members(const Json& object, std::string_view name,
                           std::initializer_list<std::string_view> members) {
  if (!object.is_object()) return bad_ring(name, "not an object");
  for (const std::string_view member : members) {
    if (!object.contains(member)) return bad_ring(member, "missing");
  }
  if (object.size() != members.size()) return bad_ring(name, "has an unknown member");
  return {};
}

Result<Secret> read_key(const Json& object, const char* member) {
  const Json& value = object.at(member);
  if (!value.is_string()) return bad_ring(member, "not a string");
  auto bytes = base64url_decode(value.get_ref<const std::string&>());
  if (!bytes) return bad_ring(member, "not base64url");
  Secret key(std::move(*bytes));
  if (key.size() != k_key_bytes) return bad_ring(member, "not 32 bytes");
  return key;
}

Result<Generation> read_generation(const Json& object, std::uint32_t previous_id) {
  if (auto ok = check_members(object, "generation", {"id", "created_at", "pepper", "seal"}); !ok) {
    return std::unexpected(ok.error());
  }
  const Json& id = object.at("id");
  if (!id.is_number_unsigned() || id.get<std::uint64_t>() > INT32_MAX) {
    return bad_ring("id", "not a positive 31-bit number");
  }
  if (id.get<std::uint32_t>() <= previous_id) return bad_ring("id", "ids must grow from 1");
  const Json& created = object.at("created_at");
  const auto created_at =
      created.is_string() ? parse_rfc3339(created.get_ref<const std::string&>()) : std::nullopt;
  if (!created_at) return bad_ring("created_at", "not an RFC 3339 time in UTC");
  auto pepper = read_key(object, "pepper");
  if (!pepper) return std::unexpected(pepper.error());
  auto seal = read_key(object, "seal");
  if (!seal) return std::unexpected(seal.error());
  return Generation{id.get<std::uint32_t>(), *created_at, std::move(*pepper), std::move(*seal)};
}

}  // namespace

KeyRing KeyRing::create(TimePoint now, Random& random) {
  KeyRing ring;
  ring.index_ = new_key(random);
  ring.add_generation(now, random);
  return ring;
}

void KeyRing::add_generation(TimePoint now, Random& random) {
  const std::uint32_t id = generations_.empty() ? 1 : generations_.back().id + 1;
  generations_.push_back({id, now, new_key(random), new_key(random)});
}

void KeyRing::rotate(TimePoint now, Random& random) {
  add_generation(now, random);
}

const Generation* KeyRing::find(std::uint32_t id) const {
  for (const Generation& generation : generations_) {
    if (generation.id == id) return &generation;
  }
  return nullptr;
}

Result<KeyRing> KeyRing::from_json(std::string_view text) {
  if (text.size() > k_max_ring_bytes) return bad_ring("text", "longer than 64 KiB");
  ParsedRing parsed;
  if (!parse_ring(text, parsed.json)) return bad_ring("text", "not JSON, or a member given twice");
  if (auto ok = check_members(parsed.json, "ring", {"index", "generations"}); !ok) {
    return std::unexpected(ok.error());
  }
  KeyRing ring;
  auto index = read_key(parsed.json, "index");
  if (!index) return std::unexpected(index.error());
  ring.index_ = std::move(*index);
  const Json& generations = parsed.json.at("generations");
  if (!generations.is_array() || generations.empty()) {
    return bad_ring("generations", "not an array with at least one generation");
  }
  for (const Json& object : generations) {
    const std::uint32_t previous = ring.generations_.empty() ? 0 : ring.generations_.back().id;
    auto generation = read_generation(object, previous);
    if (!generation) return std::unexpected(generation.error());
    ring.generations_.push_back(std::move(*generation));
  }
  return ring;
}

Secret KeyRing::to_json() const {
  std::string out;
  out.reserve(k_ring_bytes_each * (generations_.size() + 1));  // growing would leave copies behind
  out += "{\"index\":\"";
  append_wiped(out, base64url_encode(index_.reveal()));
  out += "\",\"generations\":[";
  for (const Generation& generation : generations_) {
    out += fmt::format("{}\n{{\"id\":{},\"created_at\":\"{}\",\"pepper\":\"",
                       &generation == &generations_.front() ? "" : ",", generation.id,
                       rfc3339(generation.created_at));
    append_wiped(out, base64url_encode(generation.pepper.reveal()));
    out += "\",\"seal\":\"";
    append_wiped(out, base64url_encode(generation.seal.reveal()));
    out += "\"}";
  }
  out += "\n]}\n";
  return Secret(std::move(out));
}

Result<KeyRing> KeyRing::load(const std::filesystem::path& path) {
  const auto text = read_private_file(path, k_max_ring_bytes);
  if (!text) return std::unexpected(text.error());
  auto ring = from_json(text->reveal());
  if (!ring) return fail(ring.error().kind, path.string() + ": " + ring.error().message);
  return ring;
}

Result<KeyRing> KeyRing::load_or_create(const std::filesystem::path& path, TimePoint now,
                                        Random& random) {
  auto loaded = load(path);
  if (loaded || loaded.error().kind != Failure::unavailable) return loaded;
  KeyRing ring = create(now, random);
  const auto written = write_private_file(path, ring.to_json().reveal(), IfExists::keep);
  if (!written) return std::unexpected(written.error());
  if (!*written) return load(path);  // another process was faster: its ring counts
  return ring;
}

Result<void> KeyRing::save(const std::filesystem::path& path) const {
  const auto written = write_private_file(path, to_json().reveal(), IfExists::replace);
  if (!written) return std::unexpected(written.error());
  return {};
}

}  // namespace otpd::crypto
