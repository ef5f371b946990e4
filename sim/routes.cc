#include "routes.h"

#include <algorithm>

#include "web_files.h"

namespace otpd::sim {
namespace {

const WebFile* find_web_file(std::string_view path) {
  const auto files = web_files();
  const auto it = std::find_if(files.begin(), files.end(),
                               [&](const WebFile& file) { return file.path == path; });
  return it == files.end() ? nullptr : &*it;
}

net::HttpResponse serve(const WebFile& file) {
  net::HttpResponse response;
  response.content_type = file.content_type;
  response.body = file.bytes;
  response.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
       "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-cache"}};
  return response;
}

net::HttpResponse page(const net::HttpRequest& request) {
  const WebFile* file = find_web_file(request.path);
  if (file == nullptr) return Control::refuse(404, "nothing here");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return reads ? serve(*file) : Control::refuse(405, "not with this method");
}

}  // namespace

Routes::Routes(const Accounts& accounts, Inbox& inbox, FaultBoard& faults, Receipts& receipts,
               const Clock& clock)
    : twilio_(accounts.twilio),
      twilio_voice_(accounts.twilio),
      vonage_(accounts.vonage),
      whatsapp_(accounts.whatsapp),
      generic_(accounts.generic),
      desk_(inbox, faults, receipts, clock),
      control_(inbox, faults, clock) {}

Task<net::HttpResponse> Routes::handle(net::HttpRequest request) {
  const auto face = std::find_if(faces_.begin(), faces_.end(),
                                 [&](const HttpFace* one) { return one->owns(request); });
  if (face != faces_.end()) co_return co_await desk_.serve(**face, request);
  if (Control::owns(request.path)) co_return control_.handle(request);
  co_return page(request);
}

net::HttpResponse Routes::error_page(int status, std::string_view reason, const net::RequestGist&) {
  return Control::refuse(status, reason);
}

}  // namespace otpd::sim
