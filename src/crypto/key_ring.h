// KeyRing: every long-lived secret of the service, with ids, so that keys can be rotated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace otpd::crypto {

// One generation of the keys that rotate. Old generations stay readable until they are removed
// from the ring by hand. What they made lives for a day at the most, but for the secrets of
// authenticator apps: these are sealed anew when they are next used.
struct Generation {
  std::uint32_t id = 0;
  TimePoint created_at;
  Secret pepper;  // 32 bytes: keys the input of the code hash
  Secret seal;    // 32 bytes: seals the jobs
};

// Immutable after loading, so safe from any thread.
class KeyRing {
 public:
  // A new ring with one generation.
  static KeyRing create(TimePoint now, Random& random);

  // From the JSON form that `to_json` writes. Fails with Failure::invalid naming the member.
  static Result<KeyRing> from_json(std::string_view text);
  Secret to_json() const;

  // Reads `path`; refuses a file that others than its owner can read. Failure::unavailable if it
  // is not there.
  static Result<KeyRing> load(const std::filesystem::path& path);
  // Reads `path`, or creates it with mode 0600 (written aside, synced, renamed) if it is missing.
  static Result<KeyRing> load_or_create(const std::filesystem::path& path, TimePoint now,
                                        Random& random);
  // Replaces `path` atomically, mode 0600.
  Result<void> save(const std::filesystem::path& path) const;

  // Adds a generation and makes it the active one.
  void rotate(TimePoint now, Random& random);

  // The generation that new hashes and seals use.
  const Generation& active() const { return generations_.back(); }
  // The generation of that id, or null.
  const Generation* find(std::uint32_t id) const;
  const std::vector<Generation>& generations() const { return generations_; }

  // 32 bytes: keys the hashes by which records are found. Does not rotate: changing it would
  // orphan every limit, verification and session.
  std::string_view index_key() const { return index_.reveal(); }

 private:
  KeyRing() = default;
  void add_generation(TimePoint now, Random& random);

  Secret index_;
  std::vector<Generation> generations_;  // oldest first, never empty
};

}  // namespace otpd::crypto
