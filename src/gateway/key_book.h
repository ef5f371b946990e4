// KeyBook: the API keys as this process knows them, found by their secrets without asking any
// store.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "otp/api_keys.h"

namespace otpd::gateway {

// What a caller's key says of it.
struct KnownKey {
  std::string name;
  std::string application;  // empty: the base one
  otp::Scopes scopes;
};

// Safe from any thread.
class KeyBook {
 public:
  explicit KeyBook(otp::Applications applications) : applications_(std::move(applications)) {}

  const otp::Applications& applications() const { return applications_; }

  // The number of a load of the keys that is about to begin. What a later load found is never
  // overwritten by an earlier one, however long that took.
  std::uint64_t begin_load();
  // What that load found.
  void install(std::uint64_t load, otp::LoadedKeys loaded);

  // Whether anything was ever loaded.
  bool is_loaded() const;
  // Whether there has ever been a key; true, to be safe, while nothing was loaded.
  bool had_keys() const;

  // The live key of an application that there is, that this secret opens; its use is noted, at
  // most once a minute. Failure::unavailable while nothing was loaded.
  Result<std::optional<KnownKey>> find(std::string_view secret, TimePoint now);

  // The uses that were noted and not taken yet.
  otp::KeyUses take_uses();
  // They could not be written.
  void give_back(otp::KeyUses uses);

 private:
  void note_use(otp::ApiKey& key, TimePoint now);

  const otp::Applications applications_;
  mutable std::mutex mutex_;
  std::uint64_t loads_ = 0;
  std::uint64_t known_load_ = 0;  // 0: none
  std::uint64_t known_version_ = 0;
  std::vector<otp::ApiKey> keys_;
  std::unordered_map<std::string, std::size_t> by_hash_;  // into keys_
  otp::KeyUses uses_;
};

// Brings the book up to date. After a failure it says what it said.
Task<Result<void>> refresh(KeyBook& book, otp::ApiKeys& keys);

// Writes the uses that the book has noted; after a failure it has them still.
Task<Result<void>> write_uses(KeyBook& book, otp::ApiKeys& keys);

}  // namespace otpd::gateway
