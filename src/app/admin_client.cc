#include "app/admin_client.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <fstream>

namespace otpd::app {
namespace {

using nlohmann::json;

constexpr std::size_t k_max_answer_bytes = 32 << 20;
constexpr Millis k_answer_timeout{30'000};  // a long search reads much of a disk

// Where it can be reached from here.
std::string local_url(const ServerConfig& server) {
  std::string host = server.listen.address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.contains(':')) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", server.tls_certificate.empty() ? "http" : "https", host,
                     server.listen.port);
}

Result<Secret> read_admin_token(const std::string& file) {
  std::string token;
  std::ifstream in(file);
  if (!std::getline(in, token) || token.empty()) {
    return fail(Failure::unavailable, "cannot read the admin token in " + file);
  }
  return Secret(std::move(token));
}

}  // namespace

Result<std::unique_ptr<AdminClient>> AdminClient::make(const Config& config) {
  auto token = read_admin_token(config.auth.admin_token_file);
  if (!token) return std::unexpected(token.error());
  return std::unique_ptr<AdminClient>(new AdminClient(config, std::move(*token)));
}

AdminClient::AdminClient(const Config& config, Secret token)
    : url_(local_url(config.server)), token_(std::move(token)) {}

Result<json> AdminClient::ask(const std::string& method, const std::string& target,
                              const std::optional<json>& body) {
  net::HttpCall call;
  call.method = method;
  call.url = url_ + target;
  call.headers = {{"Authorization", "Bearer " + std::string(token_.reveal())}};
  const std::string text = body ? body->dump() : std::string();
  call.body = text;
  if (body) call.headers.emplace_back("Content-Type", "application/json");
  call.timeout = k_answer_timeout;
  call.max_answer_bytes = k_max_answer_bytes;
  Result<net::HttpAnswer> answer = fail(Failure::internal, "not asked");
  auto run = [&]() -> Task<void> { answer = co_await client_.http(call); };
  loop_.restart();
  boost::asio::co_spawn(loop_, run(), [&](const std::exception_ptr&) { loop_.stop(); });
  loop_.run();
  if (!answer) {
    return fail(answer.error().kind, "no otpd answers at " + url_ + ": " + answer.error().message);
  }
  json told = json::parse(answer->body, nullptr, false);
  if ((answer->status == 200 || answer->status == 201) && told.is_object()) return told;
  const bool says = told.is_object() && told.contains("detail") && told["detail"].is_string();
  return fail(Failure::invalid, says ? told["detail"].get<std::string>() : "an unusable answer");
}

}  // namespace otpd::app
