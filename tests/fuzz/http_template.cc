// Templates of described carriers: whatever a message says, it stays one value where it stands.
#include "providers/http_template.h"

#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "net/form.h"
#include "providers/http_provider.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otpd;
  using providers::Encoding;
  std::string_view rest = fuzz::text_of(data, size);
  const std::string_view text = fuzz::take_line(rest);
  (void)providers::is_http_rule(text);
  delivery::Message message;
  message.to = Secret("+14155552671");
  message.text = Secret(std::string(rest));
  if (const auto parsed = providers::HttpTemplate::parse(text)) {
    for (const auto encoding :
         {Encoding::plain, Encoding::json, Encoding::percent, Encoding::xml}) {
      (void)parsed->fill(message, "secret", encoding);
    }
  }
  const auto filled = [&](const char* whole, Encoding encoding) {
    const auto parsed = providers::HttpTemplate::parse(whole).value();
    return std::string(parsed.fill(message, "", encoding).reveal());
  };
  const auto json = nlohmann::json::parse(filled(R"({"a":"{text}","b":1})", Encoding::json));
  fuzz::require(json.size() == 2 && json["b"] == 1, "a JSON string stays one");
  const auto form = net::form_decode(filled("a={text}&b=1", Encoding::percent), 10).value();
  fuzz::require(form.size() == 2 && form[0].second == rest, "a form field stays one");
  const std::string xml = filled("{text}", Encoding::xml);
  fuzz::require(xml.find_first_of("<>\"'") == xml.npos, "an XML text stays one");
  return 0;
}
