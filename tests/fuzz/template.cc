// Message templates: what parses can be filled, and no value adds a line.
#include <algorithm>

#include "delivery/templates.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  std::string_view rest = fuzz::text_of(data, size);
  const std::string payee(fuzz::take_line(rest));
  const std::string text(rest);
  delivery::TemplateConfig config;
  config.webotp_host = "example.org";
  config.overrides["transaction"]["sms"]["en"].text = text;
  const auto templates = delivery::Templates::make(config);
  if (!templates) return 0;
  const auto message = templates->render(
      "transaction", "sms", "en",
      {.code = "481623", .amount = "1", .currency = "EUR", .payee = payee, .valid_for = Millis(1)});
  if (!message) return 0;
  const std::string_view shown = message->text.reveal();
  fuzz::require(shown.ends_with("\n@example.org #481623"), "the last line is ours");
  fuzz::require(std::ranges::count(shown, '\n') <= std::ranges::count(text, '\n') + 2,
                "a value adds no line");
  return 0;
}
