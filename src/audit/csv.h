// The CSV form of audit events (RFC 4180), for spreadsheets and other programs.
#pragma once

#include <string>
#include <string_view>

#include "audit/event.h"

namespace otpd::audit {

// The names of the columns, one row, with its line end.
std::string_view csv_header();

// One row. Text that a spreadsheet would take for a formula (it begins with one of = + - @, a tab
// or a line end) gets an apostrophe before it; text is UTF-8.
std::string csv_row(const Event& event);

}  // namespace otpd::audit
