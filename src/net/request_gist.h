// RequestGist: what the answer to a request that cannot be served still has to know of it.
#pragma once

#include <string>

#include "net/http_message.h"

namespace otpd::net {

// Empty: not known.
struct RequestGist {
  std::string path;
  std::string origin;  // the value of Origin, if there was one such field
};

// Of a request as far as it has arrived.
RequestGist gist_of(const HttpRequest& request);

}  // namespace otpd::net
