#include "audit/chain.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "crypto/primitives.h"

namespace otpd::audit {
namespace {

constexpr std::size_t k_length_bytes = 4;
constexpr std::size_t k_fields = 11;
constexpr std::string_view k_seed_label = "audit checkpoints";

void append_little_end(std::string& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
}

void append_field(std::string& to, std::string_view field) {
  append_little_end(to, field.size(), k_length_bytes);
  to += field;
}

// The next field of `from`, which it is cut off.
std::optional<std::string_view> cut_field(std::string_view& from) {
  if (from.size() < k_length_bytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < k_length_bytes; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  from.remove_prefix(k_length_bytes);
  if (from.size() < length) return std::nullopt;
  const std::string_view field = from.substr(0, length);
  from.remove_prefix(length);
  return field;
}

std::optional<TimePoint> time_of(std::string_view text) {
  std::int64_t milliseconds = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return TimePoint(Millis(milliseconds));
}

// What a checkpoint's signature is over.
std::string statement(const Checkpoint& checkpoint) {
  std::string bytes = "otpd audit checkpoint 1";
  append_little_end(bytes, checkpoint.chain, 4);
  append_little_end(bytes, checkpoint.number, 8);
  append_little_end(bytes, static_cast<std::uint64_t>(checkpoint.at.time_since_epoch().count()), 8);
  bytes += checkpoint.hash;
  return bytes;
}

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* as_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string canonical(const Event& event) {
  std::string bytes;
  bytes.reserve(256);
  append_field(bytes, event.id);
  append_field(bytes, event.user_id);
  append_field(bytes, event.channel_hash);
  append_field(bytes, event.event_type);
  append_field(bytes, event.ip_address);
  append_field(bytes, event.country);
  append_field(bytes, std::to_string(event.created_at.time_since_epoch().count()));
  append_field(bytes, event.verification_id);
  append_field(bytes, event.purpose);
  append_field(bytes, event.provider);
  append_field(bytes, event.detail);
  // Not there in logs from before there were several applications.
  if (!event.application.empty()) append_field(bytes, event.application);
  return bytes;
}

std::optional<Event> from_canonical(std::string_view bytes) {
  std::array<std::string_view, k_fields> fields;
  for (std::string_view& field : fields) {
    const auto next = cut_field(bytes);
    if (!next) return std::nullopt;
    field = *next;
  }
  const auto created_at = time_of(fields[6]);
  const bool has_more = !bytes.empty();
  const auto application = has_more ? cut_field(bytes) : std::optional<std::string_view>("");
  if (!bytes.empty() || !created_at || !application || application->empty() == has_more) {
    return std::nullopt;
  }
  return Event{.id = std::string(fields[0]),
               .user_id = std::string(fields[1]),
               .channel_hash = std::string(fields[2]),
               .event_type = std::string(fields[3]),
               .ip_address = std::string(fields[4]),
               .country = std::string(fields[5]),
               .created_at = *created_at,
               .verification_id = std::string(fields[7]),
               .purpose = std::string(fields[8]),
               .provider = std::string(fields[9]),
               .detail = std::string(fields[10]),
               .application = std::string(*application)};
}

Head extend(const Head& head, const Event& event) {
  return extend(head, canonical(event));
}

Head extend(const Head& head, std::string_view canonical_event) {
  std::string bytes;
  bytes.reserve(k_hash_bytes + 12 + canonical_event.size());
  bytes += head.hash;
  append_little_end(bytes, head.chain, 4);
  append_little_end(bytes, head.number + 1, 8);
  bytes += canonical_event;
  return {head.chain, head.number + 1, crypto::sha256(bytes)};
}

CheckpointSigner::CheckpointSigner(std::string_view secret) {
  const std::string seed = crypto::hmac_sha256(secret, k_seed_label);
  std::string pair(crypto_sign_SECRETKEYBYTES, '\0');
  public_key_.resize(crypto_sign_PUBLICKEYBYTES);
  crypto_sign_seed_keypair(as_bytes(public_key_), as_bytes(pair), as_bytes(std::string_view(seed)));
  secret_key_ = Secret(std::move(pair));
}

Checkpoint CheckpointSigner::sign(const Head& head, TimePoint at) const {
  Checkpoint checkpoint{head.chain, head.number, head.hash, at,
                        std::string(crypto_sign_BYTES, '\0')};
  const std::string bytes = statement(checkpoint);
  crypto_sign_detached(as_bytes(checkpoint.signature), nullptr, as_bytes(std::string_view(bytes)),
                       bytes.size(), as_bytes(secret_key_.reveal()));
  return checkpoint;
}

bool is_genuine(const Checkpoint& checkpoint, std::string_view public_key) {
  if (public_key.size() != crypto_sign_PUBLICKEYBYTES ||
      checkpoint.signature.size() != crypto_sign_BYTES) {
    return false;
  }
  const std::string bytes = statement(checkpoint);
  return crypto_sign_verify_detached(as_bytes(std::string_view(checkpoint.signature)),
                                     as_bytes(std::string_view(bytes)), bytes.size(),
                                     as_bytes(public_key)) == 0;
}

void ChainCheck::start_after(const Checkpoint& checkpoint) {
  if (!is_genuine(checkpoint, public_key_) || checkpoint.chain != head_.chain) {
    return break_at(checkpoint.number, "the checkpoint about it is not genuine");
  }
  head_ = {checkpoint.chain, checkpoint.number, checkpoint.hash};
  vouched_ = checkpoint.number;
}

void ChainCheck::start_with(const Line& line) {
  head_ = {head_.chain, line.number, line.hash};
}

void ChainCheck::read(const Line& line) {
  if (broken_) return;
  if (line.number != head_.number + 1) {
    return break_at(head_.number + 1,
                    line.number > head_.number ? "it is missing" : "a line is there twice");
  }
  Head next = extend(head_, line.event);
  if (next.hash != line.hash) {
    return break_at(line.number, "it, or the line before it, is not the one that was written");
  }
  head_ = std::move(next);
  while (!ahead_.empty() && ahead_.front().number <= head_.number) {
    const Checkpoint due = std::move(ahead_.front());
    ahead_.erase(ahead_.begin());
    check(due);
  }
}

void ChainCheck::read(const Checkpoint& checkpoint) {
  if (broken_) return;
  if (!is_genuine(checkpoint, public_key_) || checkpoint.chain != head_.chain) {
    return break_at(checkpoint.number, "the checkpoint about it is not genuine");
  }
  if (checkpoint.number < head_.number) return;  // about a line before the start, or seen already
  if (checkpoint.number == head_.number) return check(checkpoint);
  const auto place = std::ranges::upper_bound(ahead_, checkpoint.number, {}, &Checkpoint::number);
  ahead_.insert(place, checkpoint);
}

void ChainCheck::finish() {
  if (broken_ || ahead_.empty()) return;
  break_at(head_.number + 1,
           fmt::format("it is missing: a checkpoint vouches for the lines up to {}",
                       ahead_.back().number));
}

void ChainCheck::check(const Checkpoint& checkpoint) {
  if (checkpoint.hash != head_.hash) {
    return break_at(checkpoint.number, "its hash is not the one of its checkpoint");
  }
  vouched_ = checkpoint.number;
}

void ChainCheck::break_at(std::uint64_t number, std::string_view why) {
  broken_ = fmt::format("chain {}, line {}: {}", head_.chain, number, why);
}

}  // namespace otpd::audit
