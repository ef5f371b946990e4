// HttpConnection: one kept-alive HTTP/1.1 connection, as cheap as a load generator needs it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace otpd::bench {

struct Answer {
  int status = 0;
  std::string body;
};

// The text of a request. `headers` is empty or lines that end with CRLF.
std::string make_request(std::string_view method, std::string_view target,
                         std::string_view headers = {}, std::string_view body = {});

// Splits off the first complete answer; 0 if it is not complete yet, else its bytes. Understands
// what otpd and sms-sim write: Content-Length, no chunks. Failure::corrupt for anything else.
Result<std::size_t> parse_answer(std::string_view bytes, Answer& answer, bool& closes);

// For one loop, one call at a time. Its owner ends a call that takes too long with close().
class HttpConnection {
 public:
  HttpConnection(Executor executor, std::uint16_t port);

  // Sends a request to 127.0.0.1 and waits for its answer; connects first if there is no
  // connection. After a failure the next call connects anew.
  Task<Result<Answer>> call(std::string_view request);

  void close();

 private:
  using Tcp = boost::asio::ip::tcp;
  Task<Result<void>> connect();
  Task<Result<Answer>> exchange(std::string_view request);

  boost::asio::basic_stream_socket<Tcp, Executor> socket_;
  Tcp::endpoint endpoint_;
  std::string received_;
};

}  // namespace otpd::bench
