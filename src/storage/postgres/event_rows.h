// EventRows: audit events as rows of otp_events, and back, byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "audit/chain.h"
#include "audit/event.h"
#include "storage/postgres/session.h"

namespace otpd::storage::postgres {

// The UUID under which an id is stored: its own, or one that is made from it.
std::string id_column(std::string_view id);
// What a text member is stored as, and so what is looked for.
std::string text_column(std::string_view text);

// Gathers the lines that one statement inserts.
class EventRows {
 public:
  // The line that `head` ends with. `canonical` is audit::canonical(event).
  void add(const audit::Head& head, const audit::Event& event, std::string_view canonical);
  bool empty() const { return empty_; }
  // Inserts them all.
  void insert(Session& session, std::uint32_t chain);

 private:
  void add_text(Array& to, std::string_view text);
  void add_user(std::string_view user_id);
  void add_address(std::string_view address);
  void add_country(std::string_view country);

  bool empty_ = true;
  bool exact_ = true;  // whether the columns of the line being added are all there is to know
  Array numbers_{oid::k_int8_array, oid::k_int8};
  Array hashes_{oid::k_bytea_array, oid::k_bytea};
  Array ids_{oid::k_uuid_array, oid::k_uuid};
  Array users_{oid::k_uuid_array, oid::k_uuid};
  Array channels_{oid::k_text_array, oid::k_text};
  Array types_{oid::k_text_array, oid::k_text};
  Array addresses_{oid::k_inet_array, oid::k_inet};
  Array countries_{oid::k_text_array, oid::k_text};
  Array times_{oid::k_timestamptz_array, oid::k_timestamptz};
  Array verifications_{oid::k_text_array, oid::k_text};
  Array purposes_{oid::k_text_array, oid::k_text};
  Array providers_{oid::k_text_array, oid::k_text};
  Array details_{oid::k_text_array, oid::k_text};
  Array applications_{oid::k_text_array, oid::k_text};
  Array exacts_{oid::k_bytea_array, oid::k_bytea};
};

// The columns that event_of() reads, in order.
inline constexpr const char* k_event_columns =
    "id, user_id, channel_hash, event_type, ip_address, country, created_at, verification_id, "
    "purpose, provider, detail, exact, application";
inline constexpr int k_event_column_count = 13;

// The event in the columns from `column` on. A row that does not decode makes a failure stick.
audit::Event event_of(Session& session, const Rows& rows, int row, int column = 0);

}  // namespace otpd::storage::postgres
