#include "desk.h"

#include <array>
#include <string>
#include <utility>

namespace otpd::sim {
namespace {

// What a broken middle box, a cut line and a wrong server say, all of it with status 200.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> k_garbage = {{
    {"text/html",
     "<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!"
     "</h1></body></html>"},
    {"application/json", "{\"sid\":\"SM12345678\",\"status\":\"que"},
    {"application/json", ""},
    {"application/octet-stream", "\x1f\x8b\x08\x01\xff\xfe\x80 no text at all \xc3\x28"},
    {"application/json", "[[[[[\"what?\"]]]]]"},
}};

net::HttpResponse garbage(std::uint64_t dice) {
  const auto& [type, body] = k_garbage[dice % k_garbage.size()];
  net::HttpResponse response;
  response.content_type = type;
  response.body = body;
  return response;
}

net::HttpResponse cut_off(int status) {
  net::HttpResponse response;
  response.status = status;
  return response;
}

}  // namespace

Task<net::HttpResponse> Desk::serve(const HttpFace& face, const net::HttpRequest& request) {
  Faults& faults = faults_.of(face.face());
  const Fate fate = faults.decide(clock_.now());
  if (fate.kind == Fate::Kind::reset) co_return spoil(face, fate);
  const bool awaited = co_await faults.delay(fate);
  if (!awaited) {
    inbox_.count(face.face(), &InboxStats::rejected);
    co_return cut_off(0);
  }
  if (fate.kind != Fate::Kind::normal) co_return spoil(face, fate);
  co_return settle(face, fate, face.take(request, *fate.plan, clock_.now()));
}

// The answer to a request that a fault strikes.
net::HttpResponse Desk::spoil(const HttpFace& face, const Fate& fate) {
  inbox_.count(face.face(), &InboxStats::rejected);
  if (fate.kind == Fate::Kind::reset) return cut_off(net::HttpResponse::k_reset);
  if (fate.kind == Fate::Kind::garbage) return garbage(fate.dice);
  const bool throttled = fate.kind == Fate::Kind::throttle;
  net::HttpResponse response = throttled ? face.throttled(*fate.plan) : face.error(*fate.plan);
  if (fate.plan->retry_after > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(fate.plan->retry_after));
  }
  return response;
}

net::HttpResponse Desk::settle(const HttpFace& face, const Fate& fate, Reply reply) {
  if (!reply.message) {
    inbox_.count(face.face(), &InboxStats::rejected);
    return std::move(reply.response);
  }
  if (fate.lose) {
    inbox_.count(face.face(), &InboxStats::lost);
  } else {
    inbox_.add(std::move(*reply.message));
    if (reply.receipt) receipts_.post(face.face(), fate, std::move(reply.receipt));
  }
  return fate.drop ? cut_off(0) : std::move(reply.response);
}

}  // namespace otpd::sim
