// Gateway: from an HTTP request to its route, and back with an answer that is always well-formed.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "gateway/service.h"
#include "net/request_gist.h"

namespace otpd::gateway {

// Safe from several loops at once.
class Gateway {
 public:
  explicit Gateway(Service service);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // The answer to one request: found its route, its caller checked, counted, logged. For
  // net::HttpServer.
  Task<net::HttpResponse> handle(net::HttpRequest request);

  // The answer where the server itself must refuse; a page that may call can read that.
  net::HttpResponse error_page(int status, std::string_view reason,
                               const net::RequestGist& request);

  // Requests being worked on, those included whose client was told that it takes too long.
  std::size_t in_flight() const { return in_flight_.load(); }

 private:
  struct Route;
  struct Meters;
  struct InFlight;
  struct Way;
  Task<net::HttpResponse> dispatch(const net::HttpRequest& request, Way& way);
  // Whether pages of other origins may be let call the path: what may be open to everybody.
  bool is_for_browsers(std::string_view path) const;
  std::string request_id(const net::HttpRequest& request);

  Service service_;
  std::vector<Route> routes_;
  std::unique_ptr<Meters> meters_;
  std::atomic<std::size_t> in_flight_{0};
};

}  // namespace otpd::gateway
