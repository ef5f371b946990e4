// Service: what the routes work with. All of it outlives the gateway.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "audit/log.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/lane_board.h"
#include "delivery/queue.h"
#include "delivery/receipt_desk.h"
#include "delivery/webhook_endpoint.h"
#include "gateway/access.h"
#include "gateway/client_ip.h"
#include "gateway/cors.h"
#include "otp/factors.h"
#include "otp/sessions.h"
#include "otp/verifications.h"
#include "otp/verifier.h"

namespace otpd::gateway {

// What the routes of one application work with. Nothing of it reaches another application's.
struct Application {
  const otp::Rules& rules;  // with its name
  otp::Issuer& issuer;
  otp::Verifier& verifier;
  otp::Verifications& verifications;
  otp::Sessions& sessions;
  otp::Factors& factors;
  std::set<std::string, std::less<>> channels;  // those that have a route
  std::string default_region;
  delivery::WebhookEndpoint* webhook = nullptr;  // where its events go; null: nowhere
};

struct Service {
  Application base;  // of callers whose key names no other
  otp::Store& store;
  delivery::Queue& queue;
  audit::AuditLog& audit;
  const Clock& clock;
  Random& random;
  Metrics& metrics;
  const crypto::HashPool& hashes;
  delivery::LaneBoard& lanes;
  delivery::ReceiptDesk& receipts;
  // By provider, those whose carriers post receipts.
  std::map<std::string, const delivery::ReceiptReader*, std::less<>> receipt_readers;
  std::string public_url;  // as carriers were given it
  delivery::Tally tally;
  VirtualClock* virtual_clock = nullptr;  // null without [testing] virtual_clock
  const AccessControl& access;
  otp::ApiKeys& api_keys;
  KeyBook& key_book;
  Networks trusted_proxies;
  bool demo = false;
  std::size_t max_in_flight = 1'024;
  // Under which recipients are known, and from which the audit log is signed.
  std::string_view index_key = {};
  bool serves_applications = true;  // false: health, readiness and metrics only
  // What /readyz asks: the store, under this name, and the other parts.
  std::string store_name = "store";
  struct Part {
    std::string name;
    bool required;  // whether the service is not ready without it
    std::function<Task<Result<void>>()> ask;
  };
  std::vector<Part> parts = {};
  Cors cors{};
  std::map<std::string, Application, std::less<>> others = {};  // by name; without the base one

  // The application of that name, the base one if it is empty; null if there is none.
  const Application* find_application(std::string_view name) const {
    if (name.empty() || name == base.rules.application) return &base;
    const auto found = others.find(name);
    return found == others.end() ? nullptr : &found->second;
  }
};

// One request on its way through a route.
struct Call {
  const net::HttpRequest& request;
  std::string client_ip;
  Caller caller;
  std::vector<std::string> params;  // what stood for each {…} of the route's path
  const Application& app;           // the caller's
};

// A route's work. Never throws for anything that a client can send.
using RouteHandler = Task<net::HttpResponse> (*)(const Service&, const Call&);

// --- the routes, by file -----------------------------------------------------------------------
Task<net::HttpResponse> send_code(const Service& service, const Call& call);
Task<net::HttpResponse> verify_code(const Service& service, const Call& call);
Task<net::HttpResponse> get_verification(const Service& service, const Call& call);
Task<net::HttpResponse> cancel_verification(const Service& service, const Call& call);

Task<net::HttpResponse> fresh_captcha(const Service& service, const Call& call);

Task<net::HttpResponse> introspect_session(const Service& service, const Call& call);
Task<net::HttpResponse> revoke_session(const Service& service, const Call& call);
Task<net::HttpResponse> rotate_session(const Service& service, const Call& call);
Task<net::HttpResponse> log_out_everywhere(const Service& service, const Call& call);
Task<net::HttpResponse> list_sessions(const Service& service, const Call& call);
Task<net::HttpResponse> end_session(const Service& service, const Call& call);

Task<net::HttpResponse> enrol_factor(const Service& service, const Call& call);
Task<net::HttpResponse> list_factors(const Service& service, const Call& call);
Task<net::HttpResponse> confirm_factor(const Service& service, const Call& call);
Task<net::HttpResponse> verify_factor(const Service& service, const Call& call);
Task<net::HttpResponse> remove_factor(const Service& service, const Call& call);
Task<net::HttpResponse> make_recovery_codes(const Service& service, const Call& call);
Task<net::HttpResponse> verify_recovery_code(const Service& service, const Call& call);
Task<net::HttpResponse> unlock_factors(const Service& service, const Call& call);

// The same for operators, who name the application.
Task<net::HttpResponse> support_list_factors(const Service& service, const Call& call);
Task<net::HttpResponse> support_remove_factor(const Service& service, const Call& call);
Task<net::HttpResponse> support_unlock_factors(const Service& service, const Call& call);

Task<net::HttpResponse> health(const Service& service, const Call& call);
Task<net::HttpResponse> readiness(const Service& service, const Call& call);
Task<net::HttpResponse> metrics_page(const Service& service, const Call& call);
Task<net::HttpResponse> static_page(const Service& service, const Call& call);

Task<net::HttpResponse> take_receipt(const Service& service, const Call& call);

Task<net::HttpResponse> list_applications(const Service& service, const Call& call);
Task<net::HttpResponse> show_application(const Service& service, const Call& call);
Task<net::HttpResponse> list_providers(const Service& service, const Call& call);
Task<net::HttpResponse> disable_provider(const Service& service, const Call& call);
Task<net::HttpResponse> enable_provider(const Service& service, const Call& call);
Task<net::HttpResponse> show_queue(const Service& service, const Call& call);
Task<net::HttpResponse> requeue_dead_letter(const Service& service, const Call& call);
Task<net::HttpResponse> show_webhook(const Service& service, const Call& call);
Task<net::HttpResponse> enable_webhook(const Service& service, const Call& call);
Task<net::HttpResponse> list_blocks(const Service& service, const Call& call);
Task<net::HttpResponse> reset_block(const Service& service, const Call& call);
Task<net::HttpResponse> list_api_keys(const Service& service, const Call& call);
Task<net::HttpResponse> create_api_key(const Service& service, const Call& call);
Task<net::HttpResponse> rotate_api_key(const Service& service, const Call& call);
Task<net::HttpResponse> revoke_api_key(const Service& service, const Call& call);
Task<net::HttpResponse> show_timeline(const Service& service, const Call& call);
Task<net::HttpResponse> list_dead_letters(const Service& service, const Call& call);
Task<net::HttpResponse> search_events(const Service& service, const Call& call);
Task<net::HttpResponse> list_chains(const Service& service, const Call& call);
Task<net::HttpResponse> list_chain_lines(const Service& service, const Call& call);
Task<net::HttpResponse> list_checkpoints(const Service& service, const Call& call);
Task<net::HttpResponse> read_test_clock(const Service& service, const Call& call);
Task<net::HttpResponse> set_test_clock(const Service& service, const Call& call);
Task<net::HttpResponse> advance_test_clock(const Service& service, const Call& call);

}  // namespace otpd::gateway
