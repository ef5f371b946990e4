// What a person reads of a mail: its subject and its plain text.
#pragma once

#include <string>
#include <string_view>

namespace otpd::sim {

struct MailText {
  std::string from;     // the From header, decoded
  std::string subject;  // decoded (RFC 2047)
  std::string text;  // the first text/plain part, decoded, with LF line ends; else the first part
};

// Reads RFC 5322 with MIME (multipart, quoted-printable, base64; UTF-8). Never fails: what it
// cannot read it takes as it stands.
MailText read_mail(std::string_view message);

}  // namespace otpd::sim
