// The stored form of a user's factors: protobuf, see records.proto.
#include "otp/factors_state.h"
#include "records.pb.h"

namespace otpd::otp {
namespace {

constexpr std::uint32_t k_sha1 = 1;  // as stored, like the next two
constexpr std::uint32_t k_sha256 = 2;
constexpr std::uint32_t k_sha512 = 3;

std::int64_t factor_ms(TimePoint time) {
  return time.time_since_epoch().count();
}
TimePoint factor_time(std::int64_t ms) {
  return TimePoint(Millis(ms));
}

std::uint32_t digest_number(crypto::Digest digest) {
  if (digest == crypto::Digest::sha256) return k_sha256;
  return digest == crypto::Digest::sha512 ? k_sha512 : k_sha1;
}

Result<OathParams> read_params(const records::Factor& from) {
  OathParams params{.digits = from.digits(), .period = Seconds(from.period_s())};
  if (from.digest() == k_sha256) params.digest = crypto::Digest::sha256;
  if (from.digest() == k_sha512) params.digest = crypto::Digest::sha512;
  params.type = static_cast<OathType>(from.type());
  const bool known = (params.type == OathType::totp || params.type == OathType::hotp) &&
                     from.digest() >= k_sha1 && from.digest() <= k_sha512 &&
                     params.digits >= k_min_oath_digits && params.digits <= k_max_oath_digits &&
                     params.period >= Seconds(1);
  if (!known) return fail(Failure::corrupt, "a stored factor is of no known kind");
  return params;
}

void write_wrong(const WrongCodes& from, records::WrongCodes& to) {
  to.set_count(from.count);
  to.set_closed_until(factor_ms(from.closed_until));
}
WrongCodes read_wrong(const records::WrongCodes& from) {
  return {from.count(), factor_time(from.closed_until())};
}

void write_factor(const Factor& from, records::Factor& to) {
  to.set_id(from.id);
  to.set_type(static_cast<std::uint32_t>(from.params.type));
  to.set_digest(digest_number(from.params.digest));
  to.set_digits(from.params.digits);
  to.set_period_s(static_cast<std::uint32_t>(from.params.period.count()));
  to.set_name(from.name);
  to.set_sealed_secret(from.sealed_secret);
  to.set_created_at(factor_ms(from.created_at));
  to.set_confirmed_at(factor_ms(from.confirmed_at));
  to.set_last_used_at(factor_ms(from.last_used_at));
  to.set_imported(from.imported);
  to.set_next(from.next);
  write_wrong(from.wrong, *to.mutable_wrong());
}

Result<Factor> read_factor(const records::Factor& from) {
  const auto params = read_params(from);
  if (!params) return std::unexpected(params.error());
  return Factor{from.id(),
                *params,
                from.name(),
                from.sealed_secret(),
                factor_time(from.created_at()),
                factor_time(from.confirmed_at()),
                factor_time(from.last_used_at()),
                from.imported(),
                from.next(),
                read_wrong(from.wrong())};
}

void write_recovery(const RecoveryCodes& from, records::RecoveryCodes& to) {
  to.set_salt(from.salt);
  to.mutable_params()->set_algorithm(static_cast<std::uint32_t>(from.params.algorithm));
  to.mutable_params()->set_memory_kib(from.params.memory_kib);
  to.mutable_params()->set_passes(from.params.passes);
  for (const std::string& digest : from.digests) to.add_digests(digest);
  to.set_created_at(factor_ms(from.created_at));
  write_wrong(from.wrong, *to.mutable_wrong());
}

RecoveryCodes read_recovery(const records::RecoveryCodes& from) {
  return {from.salt(),
          {static_cast<crypto::HashParams::Algorithm>(from.params().algorithm()),
           from.params().memory_kib(), from.params().passes()},
          {from.digests().begin(), from.digests().end()},
          factor_time(from.created_at()),
          read_wrong(from.wrong())};
}

}  // namespace

std::string encode(const FactorsState& state) {
  records::Factors out;
  for (const Factor& factor : state.factors) write_factor(factor, *out.add_factors());
  write_recovery(state.recovery, *out.mutable_recovery());
  return out.SerializeAsString();
}

template <>
Result<FactorsState> decode(std::string_view bytes) {
  records::Factors in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Failure::corrupt, "stored factors do not decode");
  }
  FactorsState state;
  for (const auto& stored : in.factors()) {
    auto factor = read_factor(stored);
    if (!factor) return std::unexpected(factor.error());
    state.factors.push_back(std::move(*factor));
  }
  state.recovery = read_recovery(in.recovery());
  return state;
}

}  // namespace otpd::otp
