// Forwarding fields: the answer is always an address, and an untrusted peer is always itself.
#include "gateway/client_ip.h"

#include "fuzz.h"
#include "otp/limit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  static const auto proxies =
      gateway::Networks::parse({"10.0.0.0/8", "127.0.0.1", "2001:db8::/32"}).value();
  std::string_view rest = fuzz::text_of(data, size);
  net::HttpRequest request;
  while (!rest.empty()) {
    const std::string_view line = fuzz::take_line(rest);
    const bool standard = line.starts_with('F');
    request.headers.emplace_back(standard ? "Forwarded" : "X-Forwarded-For",
                                 std::string(line.substr(standard ? 1 : 0)));
  }
  request.peer = "10.0.0.1";
  const std::string client = gateway::client_ip(request, proxies);
  fuzz::require(!otp::ip_bucket(client).empty(), "the client's address is an address");
  request.peer = "203.0.113.9";
  fuzz::require(gateway::client_ip(request, proxies) == request.peer, "strangers are themselves");
  const std::string text(fuzz::text_of(data, size));
  if (const auto networks = gateway::Networks::parse({text})) (void)networks->contains(text);
  (void)gateway::is_loopback(text);
  if (const auto told = gateway::parse_client_ip(text)) {
    fuzz::require(gateway::parse_client_ip(*told) == told, "an address has one spelling");
    fuzz::require(otp::ip_bucket(*told) == otp::ip_bucket(text), "and is limited the same");
  }
  return 0;
}
