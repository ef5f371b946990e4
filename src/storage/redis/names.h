// Names: where in Redis a thing is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otp/store.h"

namespace otpd::storage::redis {

using Partition = std::uint32_t;

// The partition of a record, by FNV-1a of its key (http://www.isthe.com/chongo/tech/comp/fnv/).
// Never to be changed: what is stored would not be found again.
Partition partition_of(std::string_view key, std::uint32_t partitions);

// The names in one partition. They share a hash tag, so a cluster keeps them on one node.
class Names {
 public:
  Names(std::string_view prefix, Partition partition);

  // Where it is rung for jobs; also stands for the partition where a key is asked for.
  const std::string& doorbell() const { return tag_; }
  std::string record(std::string_view key) const { return tag_ + ":r:" + std::string(key); }
  const std::string& events() const { return events_; }
  const std::string& due() const { return due_; }
  const std::string& held() const { return held_; }
  const std::string& dead() const { return dead_; }
  const std::string& jobs() const { return jobs_; }  // the start of job()
  std::string job(std::string_view id) const { return jobs_ + std::string(id); }
  std::string sealed(std::string_view id) const { return tag_ + ":s:" + std::string(id); }

 private:
  std::string tag_;
  std::string events_ = tag_ + ":events";
  std::string due_ = tag_ + ":due";
  std::string held_ = tag_ + ":held";
  std::string dead_ = tag_ + ":dead";
  std::string jobs_ = tag_ + ":j:";
};

}  // namespace otpd::storage::redis
