#include <sys/resource.h>

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
#include "receipts.h"
#include "routes.h"
#include "smpp_face.h"
#include "smtp_face.h"

namespace otpd::sim {
namespace {

// Longer than the longest latency and hanging together.
constexpr Millis k_request_limit{700'000};
constexpr std::size_t k_max_connections = 100'000;
constexpr Millis k_drain_limit{500};

struct Options {
  std::string listen = "127.0.0.1:8090";
  std::string smtp = "127.0.0.1:8025";
  bool no_smtp = false;
  std::string smpp = "127.0.0.1:2775";
  bool no_smpp = false;
  std::size_t threads = 1;
  std::optional<std::uint64_t> seed;
  Accounts accounts;
  SmppAccount smpp_account;
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

// A carrier that hangs holds a connection for everybody who has given up waiting.
void allow_many_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Everything that listens.
struct Servers {
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<SmtpFace> mail;
  std::unique_ptr<SmppFace> smpp;
};

struct Addresses {
  Address http;
  Address smtp;
  Address smpp;
};

void announce(const Servers& servers, const Addresses& at) {
  std::printf("sms-sim listening on http://%s\n", in_url(at.http, servers.http->port()).c_str());
  if (servers.mail) {
    std::printf("sms-sim takes mail on smtp://%s\n", in_url(at.smtp, servers.mail->port()).c_str());
  }
  if (servers.smpp) {
    std::printf("sms-sim speaks SMPP on smpp://%s\n",
                in_url(at.smpp, servers.smpp->port()).c_str());
  }
  std::fflush(stdout);
}

net::HttpServerConfig http_config(const Address& at) {
  net::HttpServerConfig config;
  config.address = at.host;
  config.port = at.port;
  config.max_body_bytes = 64 * 1024;
  config.request_timeout = k_request_limit;
  config.max_connections = k_max_connections;
  return config;
}

int run(const Options& options, const Addresses& at) {
  allow_many_connections();
  EndSignal end;
  const SystemClock clock;
  Inbox inbox(clock.now());
  FaultBoard faults(options.seed.value_or(std::random_device{}()));
  net::EventLoops loops(options.threads, "sms-sim");
  Receipts receipts(loops[0], inbox);
  Routes routes(options.accounts, inbox, faults, receipts, clock);
  Servers servers;
  auto http = net::HttpServer::listen(
      loops, http_config(at.http),
      [&](net::HttpRequest request) { return routes.handle(std::move(request)); },
      Routes::error_page);
  if (!http) return complain(http.error().message);
  servers.http = std::move(*http);
  if (!options.no_smtp) {
    auto face = SmtpFace::listen(loops, at.smtp.host, at.smtp.port, inbox, faults, clock);
    if (!face) return complain(face.error().message);
    servers.mail = std::move(*face);
  }
  if (!options.no_smpp) {
    auto face = SmppFace::listen(loops, at.smpp.host, at.smpp.port, options.smpp_account, inbox,
                                 faults, receipts, clock);
    if (!face) return complain(face.error().message);
    servers.smpp = std::move(*face);
  }
  announce(servers, at);
  end.wait();
  servers.http->drain(k_drain_limit);
  loops.stop();
  return 0;
}

int run(const Options& options) {
  const auto http = parse_address(options.listen);
  const auto smtp = parse_address(options.smtp);
  const auto smpp = parse_address(options.smpp);
  if (!http) return complain("--listen wants ADDR:PORT");
  if (!smtp) return complain("--smtp wants ADDR:PORT");
  if (!smpp) return complain("--smpp wants ADDR:PORT");
  return run(options, {*http, *smtp, *smpp});
}

void add_listeners(CLI::App& app, Options& options) {
  app.add_option("--listen", options.listen, "ADDR:PORT of the HTTP faces; port 0: any free port")
      ->capture_default_str();
  app.add_option("--smtp", options.smtp, "ADDR:PORT of the mail server; port 0: any free port")
      ->capture_default_str();
  app.add_flag("--no-smtp", options.no_smtp, "No mail server");
  app.add_option("--smpp", options.smpp, "ADDR:PORT of the SMPP server; port 0: any free port")
      ->capture_default_str();
  app.add_flag("--no-smpp", options.no_smpp, "No SMPP server");
}

void add_account(CLI::App& app, const std::string& flags, std::string& value,
                 const std::string& what) {
  app.add_option(flags, value, what)->capture_default_str()->group("Accounts");
}

void add_accounts(CLI::App& app, Options& options) {
  Accounts& a = options.accounts;
  add_account(app, "--account-sid,--twilio-sid", a.twilio.sid, "Twilio account that may send");
  add_account(app, "--auth-token,--twilio-token", a.twilio.auth_token,
              "Its token, which signs the receipts too");
  add_account(app, "--vonage-key", a.vonage.key, "Vonage account that may send");
  add_account(app, "--vonage-secret", a.vonage.secret, "Its secret");
  add_account(app, "--vonage-signature-secret", a.vonage.signature_secret,
              "Signs its receipts; empty: they are not signed");
  add_account(app, "--whatsapp-token", a.whatsapp.token, "Bearer token of WhatsApp's face");
  add_account(app, "--whatsapp-app-secret", a.whatsapp.app_secret, "Signs its receipts");
  add_account(app, "--whatsapp-callback", a.whatsapp.callback_url,
              "URL of its receipts; empty: there are none");
  add_account(app, "--generic-token", a.generic.token,
              "Bearer token of the generic face; empty: anybody may send");
  add_account(app, "--generic-secret", a.generic.secret, "Signs its receipts");
  add_account(app, "--smpp-system-id", options.smpp_account.system_id, "Who may bind");
  add_account(app, "--smpp-password", options.smpp_account.password, "With what");
}

}  // namespace
}  // namespace otpd::sim

int main(int argc, char** argv) {
  otpd::sim::Options options;
  CLI::App app("sms-sim: simulated carriers with an inbox, for tests and demos");
  app.set_version_flag("--version", "sms-sim " OTPD_VERSION);
  otpd::sim::add_listeners(app, options);
  app.add_option("--threads", options.threads, "Event loops")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of what is random in the faults");
  otpd::sim::add_accounts(app, options);
  CLI11_PARSE(app, argc, argv);
  return otpd::sim::run(options);
}
