// The blocks of numbers that are closed because hardly anybody there answers, and their reset.
#include <algorithm>

#include "gateway/application_query.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_prefix_digits = 15;

// "+4470090", however the plus is spelled in a path.
std::optional<std::string> block_prefix(std::string_view text) {
  for (const std::string_view plus : {"+", "%2B", "%2b"}) {
    if (text.starts_with(plus)) {
      text.remove_prefix(plus.size());
      break;
    }
  }
  const bool digits = !text.empty() && text.size() <= k_max_prefix_digits &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::optional("+" + std::string(text)) : std::nullopt;
}

nlohmann::ordered_json shown_block(const otp::ClosedBlock& block) {
  return {{"prefix", block.prefix},
          {"reason", "conversion"},
          {"since", rfc3339(block.since)},
          {"until", rfc3339(block.until)},
          {"closings", block.closings},
          {"sends", block.closed_for.sends},
          {"verified", block.closed_for.verified}};
}

}  // namespace

Task<net::HttpResponse> list_blocks(const Service& service, const Call& call) {
  const auto app = read_application(service, call);
  if (!app) co_return to_response(app.error());
  const auto list = co_await (*app)->issuer.blocks().list();
  if (!list) co_return to_response(problem_of(list.error()));
  auto blocks = nlohmann::ordered_json::array();
  for (const otp::ClosedBlock& block : list->blocks) blocks.push_back(shown_block(block));
  co_return json_response({{"blocks", std::move(blocks)}});
}

Task<net::HttpResponse> reset_block(const Service& service, const Call& call) {
  if (auto body = refuse_body(call.request)) co_return to_response(*body);
  const auto app = read_application(service, call);
  if (!app) co_return to_response(app.error());
  const auto prefix = block_prefix(call.params[0]);
  if (prefix) {
    const auto reset = co_await (*app)->issuer.blocks().reset(*prefix, call.client_ip);
    if (!reset) co_return to_response(problem_of(reset.error()));
    if (*reset) co_return json_response({{"prefix", *prefix}, {"reset", true}});
  }
  co_return to_response(
      {.name = ProblemName::not_found, .detail = "No such block of numbers is closed."});
}

}  // namespace otpd::gateway
