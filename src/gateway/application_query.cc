#include "gateway/application_query.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_application_name = 64;

}  // namespace

Checked<const Application*> read_application(const Service& service, const Call& call) {
  const auto query = read_query(call.request, {});
  if (!query) return std::unexpected(query.error());
  Members members(*query);
  const auto name = members.text("application", k_max_application_name);
  const Application* app = service.find_application(name.value_or(""));
  if (app == nullptr) {
    members.refuse(ProblemName::invalid_request, "application", "There is no such application.");
  }
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  return app;
}

}  // namespace otpd::gateway
