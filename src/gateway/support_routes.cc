// What operators may do for a user of any application: see the factors, remove one, open what wrong
// codes have closed.
#include "gateway/application_query.h"

namespace otpd::gateway {
namespace {

// Answers as if a caller of that application had asked.
Task<net::HttpResponse> answer_there(const Service& service, const Call& call,
                                     RouteHandler handler) {
  const auto app = read_application(service, call);
  if (!app) co_return to_response(app.error());
  const Call there{call.request, call.client_ip, call.caller, call.params, **app};
  co_return co_await handler(service, there);
}

}  // namespace

Task<net::HttpResponse> support_list_factors(const Service& service, const Call& call) {
  return answer_there(service, call, list_factors);
}

Task<net::HttpResponse> support_remove_factor(const Service& service, const Call& call) {
  return answer_there(service, call, remove_factor);
}

Task<net::HttpResponse> support_unlock_factors(const Service& service, const Call& call) {
  return answer_there(service, call, unlock_factors);
}

}  // namespace otpd::gateway
