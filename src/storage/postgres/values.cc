#include "storage/postgres/values.h"

#include <arpa/inet.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "base/uuid.h"

namespace otpd::storage::postgres {
namespace {

// PostgreSQL counts microseconds from the year 2000.
constexpr TimePoint k_postgres_epoch{Millis(946'684'800'000)};

constexpr std::string_view k_hex_mark = "\\x";

void append_big_end(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    to += static_cast<char>(value >> shift & 0xff);
  }
}

std::string int8_bytes(std::int64_t value) {
  std::string bytes;
  append_big_end(bytes, static_cast<std::uint64_t>(value), 8);
  return bytes;
}

std::int64_t microseconds_of(TimePoint time) {
  return (storable_time(time) - k_postgres_epoch).count() * 1000;
}

// How many bytes the UTF-8 sequence at the front of `text` has (RFC 3629); 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool surrogate = first == 0xed && at(1) > 0x9f;
  const bool beyond = first == 0xf4 && at(1) > 0x8f;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_storable_text(std::string_view text) {
  if (text.starts_with(k_hex_mark)) return false;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || text[0] == '\0') return false;
    text.remove_prefix(length);
  }
  return true;
}

// The header of a binary inet: PostgreSQL's own family number, prefix length, no CIDR, length.
constexpr char k_inet4 = 2;
constexpr char k_inet6 = 3;

}  // namespace

Argument text(std::string value) {
  return {oid::k_text, std::move(value)};
}
Argument bytea(std::string value) {
  return {oid::k_bytea, std::move(value)};
}
Argument number(std::int64_t value) {
  return {oid::k_int8, int8_bytes(value)};
}
Argument number(std::uint64_t value) {
  return number(static_cast<std::int64_t>(value));
}
Argument milliseconds(TimePoint time) {
  return number(static_cast<std::int64_t>(time.time_since_epoch().count()));
}
Argument timestamp(TimePoint time) {
  return {oid::k_timestamptz, int8_bytes(microseconds_of(time))};
}
Argument uuid(std::string sixteen_bytes) {
  return {oid::k_uuid, std::move(sixteen_bytes)};
}

void Array::add(std::string_view bytes) {
  append_big_end(elements_, bytes.size(), 4);
  elements_ += bytes;
  ++size_;
}

void Array::add_number(std::int64_t value) {
  add(int8_bytes(value));
}

void Array::add_timestamp(TimePoint time) {
  add_number(microseconds_of(time));
}

void Array::add_null() {
  append_big_end(elements_, 0xffff'ffff, 4);
  has_nulls_ = true;
  ++size_;
}

Argument Array::take() {
  std::string bytes;
  bytes.reserve(20 + elements_.size());
  append_big_end(bytes, size_ == 0 ? 0 : 1, 4);  // dimensions
  append_big_end(bytes, has_nulls_ ? 1 : 0, 4);
  append_big_end(bytes, element_type_, 4);
  if (size_ > 0) {
    append_big_end(bytes, size_, 4);
    append_big_end(bytes, 1, 4);  // the first index
    bytes += elements_;
  }
  return {array_type_, std::move(bytes)};
}

void Rows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

int Rows::size() const {
  return result_ ? PQntuples(result_.get()) : 0;
}

std::uint64_t Rows::changed() const {
  const std::string_view text = result_ ? PQcmdTuples(result_.get()) : "";
  std::uint64_t rows = 0;
  std::from_chars(text.data(), text.data() + text.size(), rows);
  return rows;
}

bool Rows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string Rows::bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::number(int row, int column) const {
  const std::string big_end = bytes(row, column);
  // An int4 keeps its sign.
  const bool negative = !big_end.empty() && (big_end[0] & 0x80) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (const char byte : big_end) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

std::uint64_t Rows::count(int row, int column) const {
  return static_cast<std::uint64_t>(number(row, column));
}

TimePoint Rows::milliseconds(int row, int column) const {
  return TimePoint(Millis(number(row, column)));
}

TimePoint Rows::timestamp(int row, int column) const {
  return k_postgres_epoch +
         std::chrono::floor<Millis>(std::chrono::microseconds(number(row, column)));
}

TimePoint storable_time(TimePoint time) {
  constexpr TimePoint k_first{Millis(0)};
  constexpr TimePoint k_last{Millis(253'402'300'799'999)};  // the end of the year 9999
  return std::clamp(time, k_first, k_last);
}

std::string stored_text(std::string_view plain) {
  if (is_storable_text(plain)) return std::string(plain);
  return std::string(k_hex_mark) + hex_encode(plain);
}

std::string plain_text(std::string stored) {
  if (!stored.starts_with(k_hex_mark)) return stored;
  return hex_decode(std::string_view(stored).substr(k_hex_mark.size())).value_or(stored);
}

std::optional<std::string> inet_of(std::string_view text) {
  const std::string address(text);
  std::array<char, 16> bytes;
  const bool six = text.find(':') != std::string_view::npos;
  if (inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) != 1) return std::nullopt;
  std::string binary = six ? std::string{k_inet6, '\x80', 0, 16} : std::string{k_inet4, 32, 0, 4};
  binary.append(bytes.data(), six ? 16 : 4);
  if (inet_text(binary) != text) return std::nullopt;
  return binary;
}

std::string inet_text(std::string_view binary) {
  if (binary.size() != 8 && binary.size() != 20) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(binary[0] == k_inet6 ? AF_INET6 : AF_INET, binary.data() + 4, text.data(), text.size());
  return text.data();
}

std::optional<std::string> uuid_bytes(std::string_view text) {
  if (parse_uuid(text) != text) return std::nullopt;
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits += c;
  }
  return hex_decode(digits);
}

std::string uuid_text(std::string_view sixteen_bytes) {
  std::string text = hex_encode(sixteen_bytes);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace otpd::storage::postgres
