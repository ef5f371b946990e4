// Values: what goes into a statement and what comes out of it, in PostgreSQL's binary formats.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

struct pg_result;

namespace otpd::storage::postgres {

// The object ids of the types that we use, fixed in PostgreSQL's pg_type.dat.
namespace oid {
inline constexpr std::uint32_t k_bytea = 17;
inline constexpr std::uint32_t k_int8 = 20;
inline constexpr std::uint32_t k_text = 25;
inline constexpr std::uint32_t k_inet = 869;
inline constexpr std::uint32_t k_bytea_array = 1001;
inline constexpr std::uint32_t k_text_array = 1009;
inline constexpr std::uint32_t k_int8_array = 1016;
inline constexpr std::uint32_t k_inet_array = 1041;
inline constexpr std::uint32_t k_timestamptz = 1184;
inline constexpr std::uint32_t k_timestamptz_array = 1185;
inline constexpr std::uint32_t k_uuid = 2950;
inline constexpr std::uint32_t k_uuid_array = 2951;
}  // namespace oid

// One parameter of a statement. Without bytes it is NULL.
struct Argument {
  std::uint32_t type = 0;
  std::optional<std::string> bytes;
};

// `value` must be UTF-8 without a NUL: see stored_text().
Argument text(std::string value);
Argument bytea(std::string value);
Argument number(std::int64_t value);
Argument number(std::uint64_t value);
Argument milliseconds(TimePoint time);  // as an int8 of Unix milliseconds
Argument timestamp(TimePoint time);     // as a timestamptz; see storable_time()
Argument uuid(std::string sixteen_bytes);

// Builds an array parameter, element by element.
class Array {
 public:
  // Of an oid::k_…_array, whose elements are of `element_type`.
  Array(std::uint32_t array_type, std::uint32_t element_type)
      : array_type_(array_type), element_type_(element_type) {}

  // An element in its binary format.
  void add(std::string_view bytes);
  void add_number(std::int64_t value);
  void add_timestamp(TimePoint time);
  void add_null();
  Argument take();

 private:
  const std::uint32_t array_type_;
  const std::uint32_t element_type_;
  std::uint32_t size_ = 0;
  bool has_nulls_ = false;
  std::string elements_;
};

// What a statement yielded; after a failure nothing. Columns are read by the type that the
// statement gives them.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* result) : result_(result) {}

  int size() const;
  // How many rows an INSERT, UPDATE or DELETE changed.
  std::uint64_t changed() const;
  bool is_null(int row, int column) const;
  std::string bytes(int row, int column) const;       // text, bytea, uuid; NULL: empty
  std::int64_t number(int row, int column) const;     // int8, int4, bool; NULL: 0
  std::uint64_t count(int row, int column) const;     // an int8 that is never negative
  TimePoint milliseconds(int row, int column) const;  // an int8 of Unix milliseconds
  TimePoint timestamp(int row, int column) const;     // a timestamptz

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// The nearest time of the years 1970 to 9999: what is bound as a timestamptz.
TimePoint storable_time(TimePoint time);

// A text column cannot hold every string (no NUL, nothing but UTF-8). What it cannot hold is
// stored as \x and its bytes in hex, and so is what begins like that.
std::string stored_text(std::string_view plain);
std::string plain_text(std::string stored);

// The binary form of an inet, or nothing unless `text` is an address exactly as inet_ntop(3) writes
// it, so that inet_text() gives the same bytes back.
std::optional<std::string> inet_of(std::string_view text);
std::string inet_text(std::string_view binary);

// The 16 bytes of a lower-case UUID in the 8-4-4-4-12 form, or nothing.
std::optional<std::string> uuid_bytes(std::string_view text);
std::string uuid_text(std::string_view sixteen_bytes);

}  // namespace otpd::storage::postgres
