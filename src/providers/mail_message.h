// An e-mail as it goes over the wire: RFC 5322, with MIME.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace otpd::providers {

struct MailParts {
  std::string_view from_name;  // UTF-8; may be empty
  std::string_view from_address;
  std::string_view to_address;
  std::string_view subject;  // UTF-8
  std::string_view text;     // UTF-8, lines end in \n
  std::string_view html;     // the same in HTML; empty: the mail is plain text
  std::string_view id;       // letters, digits, -, _ and .: the left side of the Message-ID
  TimePoint date;
};

// Whether `text` is local@domain in ASCII without anything that could end a header, an address or
// an SMTP command (control characters, blanks, quotes, brackets, commas); at most 254 bytes.
bool is_plain_address(std::string_view text);

// The message: text/plain in UTF-8, quoted-printable (RFC 2045), with HTML beside it as
// multipart/alternative (RFC 2046); other headers than ASCII as encoded words (RFC 2047). Lines end
// in CRLF and are at most 78 bytes long, except one address that is longer by itself.
// Failure::invalid naming the part that could smuggle in a header: control characters in any of
// them, or no plain address.
Result<Secret> make_mail(const MailParts& parts);

}  // namespace otpd::providers
