// The bytes of an HTTP/1.1 answer.
#pragma once

#include <string>
#include <string_view>

#include "net/http_message.h"

namespace otpd::net {

struct ResponseFrame {
  bool close = false;       // say "Connection: close"
  bool keep_alive = false;  // say "Connection: keep-alive", for HTTP/1.0 clients
  bool head_only = false;   // the answer to HEAD: the body's length without the body
};

// Appends the status line, the headers and, unless the status or `frame` forbids one, the body.
// A header whose name or value cannot stand in a header line (empty name, control bytes) is left
// out: nothing that a handler echoes can split an answer.
void append_response(std::string& out, const HttpResponse& response, ResponseFrame frame);

// The reason phrase of a status, or an empty one.
std::string_view reason_phrase(int status);

}  // namespace otpd::net
