// The stored form of API keys: protobuf, see records.proto.
#include "otp/api_keys_state.h"
#include "records.pb.h"

namespace otpd::otp {
namespace {

std::int64_t key_ms(TimePoint time) {
  return time.time_since_epoch().count();
}
TimePoint key_time(std::int64_t ms) {
  return TimePoint(Millis(ms));
}

void write_api_key(const ApiKey& from, records::ApiKey& to) {
  to.set_id(from.id);
  to.set_name(from.name);
  to.set_application(from.application);
  to.set_scopes(from.scopes.bits);
  to.set_secret_hash(from.secret_hash);
  to.set_replaced_hash(from.replaced_hash);
  to.set_replaced_until(key_ms(from.replaced_until));
  to.set_created_at(key_ms(from.created_at));
  to.set_rotated_at(key_ms(from.rotated_at));
  to.set_expires_at(key_ms(from.expires_at));
  to.set_last_used_at(key_ms(from.last_used_at));
  to.set_revoked_at(key_ms(from.revoked_at));
}

ApiKey read_api_key(const records::ApiKey& from) {
  ApiKey key{.id = from.id(),
             .name = from.name(),
             .application = from.application(),
             .secret_hash = from.secret_hash(),
             .replaced_hash = from.replaced_hash(),
             .replaced_until = key_time(from.replaced_until()),
             .created_at = key_time(from.created_at()),
             .rotated_at = key_time(from.rotated_at()),
             .expires_at = key_time(from.expires_at()),
             .last_used_at = key_time(from.last_used_at()),
             .revoked_at = key_time(from.revoked_at())};
  key.scopes.bits = from.scopes();
  return key;
}

}  // namespace

std::string encode(const ApiKeysState& state) {
  records::ApiKeys out;
  out.set_any_ever(true);
  for (const ApiKey& key : state.keys) write_api_key(key, *out.add_keys());
  return out.SerializeAsString();
}

template <>
Result<ApiKeysState> decode(std::string_view bytes) {
  records::ApiKeys in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Failure::corrupt, "the stored API keys do not decode");
  }
  ApiKeysState state;
  for (const auto& stored : in.keys()) state.keys.push_back(read_api_key(stored));
  return state;
}

}  // namespace otpd::otp
