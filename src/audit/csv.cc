#include "audit/csv.h"

#include "audit/json.h"
#include "base/rfc3339.h"

namespace otpd::audit {
namespace {

void append_csv_field(std::string& row, std::string_view bytes) {
  std::string text = as_utf8(bytes);
  if (!text.empty() && std::string_view("=+-@\t\r\n").contains(text.front())) {
    text.insert(text.begin(), '\'');
  }
  if (!row.empty()) row += ',';
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    row += text;
    return;
  }
  row += '"';
  for (const char c : text) {
    if (c == '"') row += '"';
    row += c;
  }
  row += '"';
}

}  // namespace

std::string_view csv_header() {
  return "created_at,event_type,id,verification_id,user_id,channel_hash,ip_address,country,purpose,"
         "provider,detail,application\r\n";
}

std::string csv_row(const Event& event) {
  std::string row = rfc3339(event.created_at);
  for (const std::string* field :
       {&event.event_type, &event.id, &event.verification_id, &event.user_id, &event.channel_hash,
        &event.ip_address, &event.country, &event.purpose, &event.provider, &event.detail,
        &event.application}) {
    append_csv_field(row, *field);
  }
  row += "\r\n";
  return row;
}

}  // namespace otpd::audit
