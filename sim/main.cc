#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <random>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "faults.h"
#include "inbox.h"
#include "net/event_loops.h"
#include "net/http_server.h"
#include "routes.h"
#include "smtp_face.h"

namespace otpd::sim {
namespace {

constexpr Millis k_hang_limit{600'000};
constexpr Millis k_drain_limit{500};

struct Options {
  std::string listen = "127.0.0.1:8090";
  std::string smtp = "127.0.0.1:8025";
  bool no_smtp = false;
  std::size_t threads = 1;
  TwilioAccount twilio;
};

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

// "ADDR:PORT", an IPv6 address in brackets.
std::optional<Address> parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  int port = -1;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ptr != end || port < 0 || port > 65535) return std::nullopt;
  return Address{std::move(host), static_cast<std::uint16_t>(port)};
}

std::string in_url(const Address& address, std::uint16_t port) {
  const bool is_v6 = address.host.contains(':');
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(port);
}

int complain(const std::string& message) {
  std::fprintf(stderr, "sms-sim: %s\n", message.c_str());
  return 1;
}

// SIGINT and SIGTERM, from its construction on.
class EndSignal {
 public:
  EndSignal() {
    signals_.async_wait([](boost::system::error_code, int) {});
  }
  void wait() { waiting_.run(); }

 private:
  boost::asio::io_context waiting_;
  boost::asio::signal_set signals_{waiting_, SIGINT, SIGTERM};
};

int run(const Options& options) {
  const auto http = parse_address(options.listen);
  const auto smtp = parse_address(options.smtp);
  if (!http) return complain("--listen wants ADDR:PORT");
  if (!smtp) return complain("--smtp wants ADDR:PORT");

  EndSignal end;
  const SystemClock clock;
  Inbox inbox(clock.now());
  Faults faults(std::random_device{}());
  Routes routes(options.twilio, inbox, faults, clock);
  net::EventLoops loops(options.threads, "sms-sim");

  net::HttpServerConfig config;
  config.address = http->host;
  config.port = http->port;
  config.max_body_bytes = 64 * 1024;
  config.request_timeout = k_hang_limit;
  auto server = net::HttpServer::listen(
      loops, config, [&](net::HttpRequest request) { return routes.handle(std::move(request)); },
      Routes::error_page);
  if (!server) return complain(server.error().message);
  std::unique_ptr<SmtpFace> mail;
  if (!options.no_smtp) {
    auto face = SmtpFace::listen(loops, smtp->host, smtp->port, inbox, faults, clock);
    if (!face) return complain(face.error().message);
    mail = std::move(*face);
  }
  std::printf("sms-sim listening on http://%s\n", in_url(*http, (*server)->port()).c_str());
  if (mail) std::printf("sms-sim takes mail on smtp://%s\n", in_url(*smtp, mail->port()).c_str());
  std::fflush(stdout);

  end.wait();
  (*server)->drain(k_drain_limit);
  mail.reset();
  loops.stop();
  return 0;
}

}  // namespace
}  // namespace otpd::sim

int main(int argc, char** argv) {
  otpd::sim::Options options;
  CLI::App app("sms-sim: simulated carriers with an inbox, for tests and demos");
  app.set_version_flag("--version", "sms-sim " OTPD_VERSION);
  app.add_option("--listen", options.listen, "ADDR:PORT of the HTTP face; port 0: any free port")
      ->capture_default_str();
  app.add_option("--smtp", options.smtp, "ADDR:PORT of the mail server; port 0: any free port")
      ->capture_default_str();
  app.add_flag("--no-smtp", options.no_smtp, "No mail server");
  app.add_option("--account-sid", options.twilio.sid, "Twilio account that may send")
      ->capture_default_str();
  app.add_option("--auth-token", options.twilio.auth_token, "Its token")->capture_default_str();
  app.add_option("--threads", options.threads, "Event loops")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return otpd::sim::run(options);
}
