#include "net/tls.h"

#include <openssl/ssl.h>

namespace otpd::net {
namespace {

namespace ssl = boost::asio::ssl;

// Of the protocols that a client offers we speak one.
int choose_http11(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                  unsigned in_size, void*) {
  static constexpr unsigned char k_http11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, k_http11, 9, in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<ssl::context> make_tls_context(const std::string& certificate_file,
                                      const std::string& key_file) {
  ssl::context context(ssl::context::tls_server);
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, choose_http11, nullptr);
  boost::system::error_code ec;
  context.use_certificate_chain_file(certificate_file, ec);
  if (ec) return fail(Failure::invalid, certificate_file + ": " + ec.message());
  context.use_private_key_file(key_file, ssl::context::pem, ec);
  if (ec) return fail(Failure::invalid, key_file + ": " + ec.message());
  if (SSL_CTX_check_private_key(native) != 1) {
    return fail(Failure::invalid, key_file + ": not the key of " + certificate_file);
  }
  return context;
}

}  // namespace otpd::net
