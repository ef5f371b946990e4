// TLS settings of our servers.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <string>

#include "base/result.h"

namespace otpd::net {

// A server context for TLS 1.2 and 1.3 with OpenSSL's default ciphers and without renegotiation.
// Fails with the file's name and OpenSSL's words if a file cannot be used or the key does not fit
// the certificate.
Result<boost::asio::ssl::context> make_tls_context(const std::string& certificate_file,
                                                   const std::string& key_file);

}  // namespace otpd::net
