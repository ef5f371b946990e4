// HTTP requests: how the bytes were cut must not matter, and no limit is passed.
#include <algorithm>
#include <optional>

#include "fuzz.h"
#include "net/request_parser.h"

namespace {

using namespace otpd;

constexpr net::RequestLimits k_limits{512, 256};

struct Parsed {
  net::RequestParser::State state;
  int refused_with = 0;
  std::optional<net::HttpRequest> request;
  std::size_t consumed = 0;
};

Parsed parse(std::string_view bytes, std::size_t piece) {
  net::RequestParser parser(k_limits);
  parser.start();
  std::size_t consumed = 0;
  std::size_t offered = 0;
  using State = net::RequestParser::State;
  const auto running = [&] {
    return parser.state() == State::header || parser.state() == State::body;
  };
  while (running() && offered < bytes.size()) {
    offered = std::min(bytes.size(), std::max(offered, consumed) + piece);
    for (std::size_t took = 1; took > 0 && running();) {
      took = parser.feed(bytes.substr(consumed, offered - consumed));
      fuzz::require(took <= offered - consumed, "no more is consumed than offered");
      consumed += took;
    }
  }
  Parsed out{parser.state(), 0, std::nullopt, consumed};
  if (out.state == State::refused) out.refused_with = parser.refusal().status;
  if (out.state == State::done) out.request = parser.take();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 17 + 1;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  const Parsed whole = parse(bytes, bytes.size() + 1);
  const Parsed pieces = parse(bytes, piece);
  // A header section within a line end of its limit may be taken or not, as its bytes come.
  if (whole.refused_with == 431 || pieces.refused_with == 431) return 0;
  fuzz::require((whole.state == net::RequestParser::State::done) ==
                    (pieces.state == net::RequestParser::State::done),
                "the cut does not decide whether a request is complete");
  if (!whole.request || !pieces.request) return 0;
  fuzz::require(whole.consumed == pieces.consumed, "the cut does not move the end");
  fuzz::require(whole.request->method == pieces.request->method &&
                    whole.request->path == pieces.request->path &&
                    whole.request->query == pieces.request->query &&
                    whole.request->headers == pieces.request->headers &&
                    whole.request->body == pieces.request->body,
                "the cut does not change the request");
  fuzz::require(whole.request->body.size() <= k_limits.body_bytes, "bodies are bounded");
  for (const auto& [name, value] : whole.request->headers) {
    fuzz::require(
        !name.empty() && !value.contains('\r') && !value.contains('\n') && !value.contains('\0'),
        "no header breaks out of its line");
  }
  return 0;
}
