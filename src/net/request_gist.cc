#include "net/request_gist.h"

namespace otpd::net {

RequestGist gist_of(const HttpRequest& request) {
  const bool once = count_headers(request.headers, "Origin") == 1;
  return {request.path, std::string(once ? find_header(request.headers, "Origin") : "")};
}

}  // namespace otpd::net
