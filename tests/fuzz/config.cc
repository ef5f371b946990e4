// Configuration files: any text is taken or refused with a reason.
#include "app/config_source.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  const app::Source source = app::parse_toml(fuzz::text_of(data, size), "fuzz.toml");
  for (const app::Problem& problem : source.problems) {
    fuzz::require(!problem.text.empty(), "a problem says what is wrong");
  }
  return 0;
}
