// HttpTemplate: a text with placeholders that a message fills, each value encoded for its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"

namespace otpd::providers {

// How a value is written so that it stays one value.
enum class Encoding : std::uint8_t {
  plain,    // as it is
  json,     // inside a JSON string
  percent,  // inside a URL or a form
  xml,      // inside an element or a quoted attribute
};

// That of a body of this Content-Type; plain for what is none of JSON, form and XML.
Encoding encoding_of(std::string_view content_type);

class HttpTemplate {
 public:
  // Placeholders are {to} (E.164 or an address), {to_digits} (without the plus), {text}, {code},
  // {subject}, {channel}, {purpose}, {locale}, {country}, {callback_url}, {job_id},
  // {expires_in_s} and {secret}. Other names of a to z, 0 to 9 and _ in braces are
  // Failure::invalid; any other brace stands for itself, as JSON has many.
  static Result<HttpTemplate> parse(std::string_view text);

  // The text, filled. `secret` is what {secret} stands for.
  Secret fill(const delivery::Message& message, std::string_view secret, Encoding encoding) const;

  // Whether the placeholder of that name is in it.
  bool uses(std::string_view name) const;

 private:
  struct Piece {
    bool placeholder;
    std::string text;  // or the placeholder's name
  };
  std::vector<Piece> pieces_;
};

}  // namespace otpd::providers
