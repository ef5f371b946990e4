#include "storage/limits.h"

#include <initializer_list>
#include <string>

namespace otpd::storage {
namespace {

Result<void> too_large(std::string part) {
  return fail(Failure::invalid, std::move(part) + " is empty or too large for the store");
}

bool job_fits(const otp::NewJob& job) {
  return job.id.size() == k_job_id_bytes && check_key(job.key) &&
         job.sealed.size() <= k_max_sealed_bytes;
}

bool event_fits(const audit::Event& e) {
  if (e.id.empty() || e.event_type.empty()) return false;
  for (const auto* field :
       {&e.id, &e.user_id, &e.channel_hash, &e.event_type, &e.ip_address, &e.country,
        &e.verification_id, &e.purpose, &e.provider, &e.detail, &e.application}) {
    if (field->size() > k_max_field_bytes) return false;
  }
  return true;
}

}  // namespace

Result<void> check_key(const otp::Key& key) {
  if (key.empty() || key.size() > k_max_key_bytes) return too_large("a record's key");
  return {};
}

Result<void> check_record(const otp::Key& key, const std::string& bytes) {
  if (bytes.size() > k_max_record_bytes) return too_large("a record");
  return check_key(key);
}

Result<void> check_effects(const otp::Effects& effects) {
  if (effects.enqueue.size() + effects.finish.size() + effects.events.size() > k_max_effects) {
    return too_large("the list of effects");
  }
  for (const otp::NewJob& job : effects.enqueue) {
    if (!job_fits(job)) return too_large("a job");
  }
  for (const otp::JobEnd& end : effects.finish) {
    if (end.id.size() != k_job_id_bytes || end.reason.size() > k_max_field_bytes) {
      return too_large("a job's end");
    }
  }
  for (const audit::Event& event : effects.events) {
    if (!event_fits(event)) return too_large("an audit event");
  }
  return {};
}

}  // namespace otpd::storage
