// The HTML of an e-mail, made from its plain text.
#pragma once

#include <string_view>

#include "base/secret.h"

namespace otpd::providers {

// The whole text, escaped: its lines kept, empty lines between paragraphs. Where the code stands it
// is large, and one tap selects it; the URL that ends a line is a link. Nothing in it is loaded
// from elsewhere, and there is no script. `code` and `locale` (BCP 47) may be empty.
Secret make_mail_html(std::string_view text, std::string_view code, std::string_view locale);

}  // namespace otpd::providers
