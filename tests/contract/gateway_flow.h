// A gateway over the use-cases of one backend, asked without sockets.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gateway/gateway.h"
#include "house.h"
#include "otp/keys.h"
#include "otp/update.h"

namespace otpd::usecase {

using nlohmann::json;

inline const std::string k_admin = "otpa_0123456789abcdef0123456789abcdef";

struct Answer {
  int status = 0;
  json body;
  net::HttpResponse http;
  std::string error() const { return body.value("error", ""); }
  std::string_view header(std::string_view name) const {
    return net::find_header(http.headers, name);
  }
};

class GatewayFlow : public UseCase {
 protected:
  GatewayFlow() {
    gateway::AccessConfig access;
    access.admin_token = Secret(std::string(k_admin));
    access_ = gateway::AccessControl::make(std::move(access), key_book_).value();
    EXPECT_TRUE(storage::await(gateway::refresh(key_book_, api_keys_)).has_value());
    open();
  }

  // The routes over the house's use-cases, or over those of another application.
  gateway::Service service(gateway::Application application, std::size_t max_in_flight = 100,
                           VirtualClock* virtual_clock = nullptr) {
    return service(std::move(application), *access_, key_book_, max_in_flight, virtual_clock);
  }
  // The same for other callers.
  gateway::Service service(gateway::Application application, const gateway::AccessControl& access,
                           gateway::KeyBook& book, std::size_t max_in_flight = 100,
                           VirtualClock* virtual_clock = nullptr) {
    return {std::move(application),
            house_.store,
            house_.world.queue(),
            house_.world.audit(),
            house_.world.clock,
            house_.random,
            house_.world.metrics,
            house_.hashes,
            lane_board_,
            receipts_,
            readers_,
            "https://otp.example",
            delivery::Tally(house_.world.metrics),
            virtual_clock,
            access,
            api_keys_,
            book,
            {},
            true,
            max_in_flight,
            house_.keys.index_key()};
  }
  gateway::Application application() {
    return {house_.rules,    house_.issuer,  house_.verifier,  house_.verifications,
            house_.sessions, house_.factors, {"sms", "email"}, ""};
  }
  void open(std::size_t max_in_flight = 100, VirtualClock* virtual_clock = nullptr) {
    gateway_.emplace(service(application(), max_in_flight, virtual_clock));
  }
  static net::HttpRequest request(const std::string& method, const std::string& target,
                                  std::string body = {},
                                  const std::string& type = "application/json") {
    net::HttpRequest made;
    const auto query = target.find('?');
    made.method = method;
    made.path = target.substr(0, query);
    made.query = query == std::string::npos ? "" : target.substr(query + 1);
    made.headers = {{"Host", "127.0.0.1:8080"}};
    if (!body.empty()) made.headers.emplace_back("Content-Type", type);
    made.body = std::move(body);
    made.peer = "127.0.0.1";
    return made;
  }
  Answer ask(net::HttpRequest http) {
    auto response = storage::await(gateway_->handle(std::move(http)));
    json body = json::parse(response.body, nullptr, false);
    return {response.status, body.is_discarded() ? json::object() : std::move(body),
            std::move(response)};
  }
  Answer ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    return ask(request(method, target, body));
  }
  Answer ask_admin(const std::string& target) {
    net::HttpRequest http = request("GET", target);
    http.headers.emplace_back("Authorization", "Bearer " + k_admin);
    return ask(std::move(http));
  }
  Answer send(const std::string& body = R"({"phone":"+1 (415) 555-2671"})") {
    return ask("POST", "/otp/send", body);
  }
  Answer verify(std::string_view code) {
    return ask("POST", "/otp/verify", json{{"phone", "+14155552671"}, {"code", code}}.dump());
  }
  // The code of the one message that waits.
  std::string code() { return std::string(house_.take_all().at(0).code.reveal()); }

  boost::asio::io_context lane_loop_;
  const delivery::Lanes lanes_;
  delivery::LaneBoard lane_board_{lane_loop_, lanes_, house_.world.clock};
  delivery::ReceiptDesk receipts_{
      {house_.store, house_.world.clock, house_.random, house_.keys, house_.world.metrics},
      {.looks = 1}};
  std::map<std::string, const delivery::ReceiptReader*, std::less<>> readers_;
  otp::ApiKeys api_keys_{house_.services()};
  gateway::KeyBook key_book_{{.base = house_.rules.application}};
  std::optional<gateway::AccessControl> access_;
  std::optional<gateway::Gateway> gateway_;
};

}  // namespace otpd::usecase
