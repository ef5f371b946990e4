// Link: one outgoing TCP connection, with TLS or without, for protocols of our own.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace otpd::net {

struct LinkTarget {
  std::string host;  // a name, or an IP address without brackets
  std::uint16_t port = 0;
  bool tls = false;     // TLS 1.2 or 1.3; the certificate must be `host`'s
  std::string ca_file;  // PEM of the authorities to trust; empty: the system's
};

// For one loop. One read and one write may be under way at once.
class Link {
 public:
  virtual ~Link() = default;
  // At least one byte into `room`. Failure::unavailable: the connection ended. Waits as long as it
  // takes: who wants a deadline closes the link.
  virtual Task<Result<std::size_t>> read_some(boost::asio::mutable_buffer room) = 0;
  // All of `bytes`, which must live until then. As read_some().
  virtual Task<Result<void>> write(std::string_view bytes) = 0;
  // As much of `bytes` as the socket takes at once; for a last word. Not during a write().
  virtual void write_now(std::string_view bytes) = 0;
  // Ends it; what waits fails. May be called again.
  virtual void close() = 0;
};

// Resolves, connects and shakes hands on the calling loop. Failure::timeout after `timeout`;
// Failure::unavailable with the system's words; Failure::invalid: `ca_file` cannot be used.
Task<Result<std::shared_ptr<Link>>> connect_link(LinkTarget target, Millis timeout);

}  // namespace otpd::net
