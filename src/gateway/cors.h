// Cors: which pages of other origins may call from a browser, and read what they are answered
// (the Fetch standard's CORS protocol). Never with credentials.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"

namespace otpd::gateway {

class Cors {
 public:
  // Origins as browsers send them, "https://shop.example"; "*" for every one.
  explicit Cors(const std::vector<std::string>& origins = {})
      : origins_(origins.begin(), origins.end()) {}

  // Whether any is allowed; without one, neither of the next two is to be asked.
  bool is_on() const { return !origins_.empty(); }

  // The answer to a browser that asks whether a page may call a path with these methods
  // ("POST" or "GET, POST"). An origin that may not gets none of the fields it asks for.
  net::HttpResponse preflight(const net::HttpRequest& request, std::string_view methods) const;

  // Lets a page of an allowed origin read the answer, whatever it says.
  void open(const net::HttpRequest& request, net::HttpResponse& response) const;

 private:
  bool allows(std::string_view origin) const;

  std::set<std::string, std::less<>> origins_;
};

}  // namespace otpd::gateway
