// Chain: what makes the audit log tamper-evident.
//
// Every line has a number in its chain and a hash over itself and the hash of the line before it:
// to alter, remove or insert a line, every later hash must change too. Signed checkpoints say what
// the hash of a line was, so that recomputing the hashes does not help without the signing key.
// SQLite keeps one chain, a cluster one per partition of the hot store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/event.h"
#include "base/result.h"
#include "base/secret.h"

namespace otpd::audit {

inline constexpr std::size_t k_hash_bytes = 32;

// The event as bytes, the same ones everywhere and for ever: every field in the order of Event,
// each preceded by its length in four bytes, little end first; the time in decimal milliseconds.
std::string canonical(const Event& event);
// Nothing unless `bytes` is what canonical() gives.
std::optional<Event> from_canonical(std::string_view bytes);

// Where a chain ends.
struct Head {
  std::uint32_t chain = 0;
  std::uint64_t number = 0;  // of the last line; 0: there is none yet
  std::string hash = std::string(k_hash_bytes, '\0');
  bool operator==(const Head&) const = default;
};

// A line in its place.
struct Line {
  std::uint64_t number = 0;  // from 1 on, without a gap
  Event event;
  std::string hash;  // 32 bytes
};

// The head after one more line: number + 1, and SHA-256 over the hash before it, the chain (four
// bytes), the new number (eight bytes) and the canonical event; little end first.
Head extend(const Head& head, const Event& event);
Head extend(const Head& head, std::string_view canonical_event);

// A signed statement that line `number` of `chain` has this hash.
struct Checkpoint {
  std::uint32_t chain = 0;
  std::uint64_t number = 0;
  std::string hash;
  TimePoint at;
  std::string signature;  // Ed25519, 64 bytes
};

// Signs with a key that is derived from a secret that does not rotate.
class CheckpointSigner {
 public:
  explicit CheckpointSigner(std::string_view secret);
  Checkpoint sign(const Head& head, TimePoint at) const;
  // 32 bytes: what an auditor needs to check the signatures.
  const std::string& public_key() const { return public_key_; }

 private:
  Secret secret_key_;
  std::string public_key_;
};

bool is_genuine(const Checkpoint& checkpoint, std::string_view public_key);

// Reads a chain from some point on, and says where it is broken first.
class ChainCheck {
 public:
  // `public_key` outlives the check.
  ChainCheck(std::uint32_t chain, std::string_view public_key)
      : public_key_(public_key), head_{.chain = chain} {}

  // The checkpoint to start after; without one the check starts at line 1.
  void start_after(const Checkpoint& checkpoint);
  // The line to start with where what was before it is gone: its hash is taken as it is, and the
  // next checkpoint vouches for it.
  void start_with(const Line& line);
  // The next line. Nothing is read any more after a break.
  void read(const Line& line);
  // A checkpoint about a line that was read, or about one that must come.
  void read(const Checkpoint& checkpoint);

  // What is wrong, in words that name the line; nothing if all is well so far.
  const std::optional<std::string>& broken() const { return broken_; }
  const Head& head() const { return head_; }
  // The last line that a checkpoint vouches for.
  std::uint64_t vouched() const { return vouched_; }
  // To be called at the end: a checkpoint about a line that never came is a break too.
  void finish();

 private:
  void check(const Checkpoint& checkpoint);
  void break_at(std::uint64_t number, std::string_view why);

  std::string_view public_key_;
  Head head_;
  std::vector<Checkpoint> ahead_;  // about lines to come, by number
  std::uint64_t vouched_ = 0;
  std::optional<std::string> broken_;
};

}  // namespace otpd::audit
