// Request bodies: what is taken is one object, and means the same when written out.
#include "fuzz.h"
#include "gateway/json_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  const std::string_view text = fuzz::text_of(data, size);
  const auto parsed = gateway::parse_object(text);
  if (!parsed) {
    (void)gateway::to_response(parsed.error());
    return 0;
  }
  fuzz::require(parsed->is_object(), "only objects are taken");
  fuzz::require(!text.contains('\0'), "no NUL is taken");
  const auto again = gateway::parse_object(parsed->dump());
  fuzz::require(again && *again == *parsed, "an object survives being written out");
  gateway::Members members(*parsed);
  (void)members.text("phone", 64);
  (void)members.integer("limit", 1, 1'000);
  (void)members.object("context");
  if (const auto problem = members.finish()) (void)gateway::to_response(*problem);
  return 0;
}
