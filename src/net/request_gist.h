// RequestGist: what the answer to a request that cannot be served still has to know of it.
#pragma once

#include <string>
#include <string_view>

#include "net/http_message.h"

namespace otpd::net {

// Empty: not known.
struct RequestGist {
  std::string path;
  std::string origin;  // the value of Origin, if there was one such field
};

RequestGist gist_of(const HttpRequest& request);

// Of a request whose header section is incomplete, or too long: from the lines that are whole. What
// is no HTTP says nothing.
RequestGist gist_of_head(std::string_view head);

}  // namespace otpd::net
