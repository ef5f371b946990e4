// Cors: which pages of other origins may call from a browser, and read what they are answered
// (the Fetch standard's CORS protocol), and whose pages they are. Never with credentials.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"

namespace otpd::gateway {

class Cors {
 public:
  // Those of the base application, as browsers send them, "https://shop.example"; "*" for every one
  // that no other application has.
  explicit Cors(const std::vector<std::string>& origins) { add({}, origins); }
  Cors() = default;  // none

  // Those of another application. An origin is of one application only; "*" is the base one's.
  void add(const std::string& application, const std::vector<std::string>& origins);

  // Whether any is allowed; without one, neither of the last two is to be asked.
  bool is_on() const { return any_ || !owners_.empty(); }

  // The application whose page this is; empty for the base one, and for everything else. It proves
  // nothing: all but browsers may say what they like.
  std::string_view application_of(const net::HttpRequest& request) const;

  // The answer to a browser that asks whether a page may call a path with these methods
  // ("POST" or "GET, POST"). An origin that may not gets none of the fields it asks for.
  net::HttpResponse preflight(const net::HttpRequest& request, std::string_view methods) const;

  // Lets a page of an allowed origin read the answer, whatever it says. An answer to a caller of an
  // application (the base one's name is empty) is for that application's pages only.
  void open(const net::HttpRequest& request, net::HttpResponse& response,
            std::optional<std::string_view> application) const;

 private:
  bool allows(std::string_view origin, std::optional<std::string_view> application) const;

  std::map<std::string, std::string, std::less<>> owners_;  // by origin
  bool any_ = false;
};

}  // namespace otpd::gateway
