#include "storage/postgres/event_rows.h"

#include <utility>

#include "crypto/primitives.h"
#include "storage/limits.h"

namespace otpd::storage::postgres {
namespace {

constexpr std::string_view k_insert =
    "INSERT INTO otp_events (chain, number, hash, id, user_id, channel_hash, event_type, "
    "ip_address, country, created_at, verification_id, purpose, provider, detail, exact, "
    "application) "
    "SELECT $1, * FROM unnest($2::int8[], $3::bytea[], $4::uuid[], $5::uuid[], $6::text[], "
    "$7::text[], $8::inet[], $9::text[], $10::timestamptz[], $11::text[], $12::text[], "
    "$13::text[], $14::text[], $15::bytea[], $16::text[])";

std::string made_uuid(std::string_view text) {
  return crypto::sha256(text).substr(0, 16);
}

bool is_country(std::string_view text) {
  const auto letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  return text.size() == 2 && letter(text[0]) && letter(text[1]);
}

}  // namespace

std::string id_column(std::string_view id) {
  return uuid_bytes(id).value_or(made_uuid(id));
}

// What is longer than any store takes is stored by its hash: an index has its limits.
std::string text_column(std::string_view text) {
  return stored_text(text.size() <= k_max_field_bytes ? text : crypto::sha256(text));
}

void EventRows::add(const audit::Head& head, const audit::Event& event,
                    std::string_view canonical) {
  empty_ = false;
  exact_ = uuid_bytes(event.id).has_value() && storable_time(event.created_at) == event.created_at;
  numbers_.add_number(static_cast<std::int64_t>(head.number));
  hashes_.add(head.hash);
  ids_.add(id_column(event.id));
  add_user(event.user_id);
  add_text(channels_, event.channel_hash);
  add_text(types_, event.event_type);
  add_address(event.ip_address);
  add_country(event.country);
  times_.add_timestamp(event.created_at);
  add_text(verifications_, event.verification_id);
  add_text(purposes_, event.purpose);
  add_text(providers_, event.provider);
  add_text(details_, event.detail);
  add_text(applications_, event.application);
  if (exact_) {
    exacts_.add_null();
  } else {
    exacts_.add(canonical);
  }
}

void EventRows::insert(Session& session, std::uint32_t chain) {
  const Arguments arguments = {number(std::int64_t{chain}),
                               numbers_.take(),
                               hashes_.take(),
                               ids_.take(),
                               users_.take(),
                               channels_.take(),
                               types_.take(),
                               addresses_.take(),
                               countries_.take(),
                               times_.take(),
                               verifications_.take(),
                               purposes_.take(),
                               providers_.take(),
                               details_.take(),
                               exacts_.take(),
                               applications_.take()};
  session.run(k_insert, arguments);
}

void EventRows::add_text(Array& to, std::string_view text) {
  if (text.empty()) return to.add_null();
  exact_ = exact_ && text.size() <= k_max_field_bytes;
  to.add(text_column(text));
}

void EventRows::add_user(std::string_view user_id) {
  if (user_id.empty()) return users_.add_null();
  exact_ = exact_ && uuid_bytes(user_id).has_value();
  users_.add(id_column(user_id));
}

void EventRows::add_address(std::string_view address) {
  const auto inet = inet_of(address);
  exact_ = exact_ && (inet.has_value() || address.empty());
  if (!inet) return addresses_.add_null();
  addresses_.add(*inet);
}

void EventRows::add_country(std::string_view country) {
  exact_ = exact_ && (is_country(country) || country.empty());
  if (!is_country(country)) return countries_.add_null();
  countries_.add(country);
}

audit::Event event_of(Session& session, const Rows& rows, int row, int column) {
  if (!rows.is_null(row, column + 11)) {
    auto event = audit::from_canonical(rows.bytes(row, column + 11));
    if (event) return std::move(*event);
    session.note({Failure::corrupt, "a line of otp_events does not decode"});
    return {};
  }
  const auto uuid_at = [&](int i) {
    return rows.is_null(row, column + i) ? std::string() : uuid_text(rows.bytes(row, column + i));
  };
  const auto text_at = [&](int i) { return plain_text(rows.bytes(row, column + i)); };
  return {.id = uuid_at(0),
          .user_id = uuid_at(1),
          .channel_hash = text_at(2),
          .event_type = text_at(3),
          .ip_address = inet_text(rows.bytes(row, column + 4)),
          .country = rows.bytes(row, column + 5),
          .created_at = rows.timestamp(row, column + 6),
          .verification_id = text_at(7),
          .purpose = text_at(8),
          .provider = text_at(9),
          .detail = text_at(10),
          .application = text_at(12)};
}

}  // namespace otpd::storage::postgres
