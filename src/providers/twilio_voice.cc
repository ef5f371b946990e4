#include "providers/twilio_voice.h"

#include <algorithm>
#include <string>

#include "providers/xml_text.h"

namespace otpd::providers {
namespace {

struct Speech {
  std::string_view language;  // BCP 47's first part
  std::string_view voice;     // as Twilio names the language
  std::string_view ask;
};

constexpr Speech k_speeches[] = {
    {"en", "en-US", "To hear your code, press 1."},
    {"de", "de-DE", "Um Ihren Code zu hören, drücken Sie die 1."},
    {"fr", "fr-FR", "Pour entendre votre code, appuyez sur le 1."},
    {"es", "es-ES", "Para escuchar tu código, pulsa el 1."},
    {"pt", "pt-BR", "Para ouvir seu código, pressione 1."},
    {"it", "it-IT", "Per ascoltare il codice, premi 1."},
};
// Regional voices of these languages.
constexpr std::string_view k_voices[] = {"en-GB", "en-AU", "en-CA", "en-IN",
                                         "fr-CA", "es-MX", "pt-PT"};

const Speech& speech_for(std::string_view locale) {
  const auto found =
      std::ranges::find(k_speeches, locale.substr(0, locale.find('-')), &Speech::language);
  return found == std::end(k_speeches) ? k_speeches[0] : *found;
}

std::string_view voice_for(std::string_view locale) {
  const bool regional = std::ranges::find(k_voices, locale) != std::end(k_voices);
  return regional ? locale : speech_for(locale).voice;
}

}  // namespace

Secret make_twiml(std::string_view locale, std::string_view text) {
  const std::string say = "<Say language=\"" + std::string(voice_for(locale)) + "\">";
  const std::string open = "<Response><Gather numDigits=\"1\" finishOnKey=\"1\" timeout=\"" +
                           std::to_string(k_call_limit.count()) + "\">" + say +
                           std::string(speech_for(locale).ask) + "</Say></Gather>" + say;
  constexpr std::string_view k_close = "</Say><Hangup/></Response>";
  std::string out;
  out.reserve(open.size() + xml_escaped_bound(text) + k_close.size());  // so nothing is left behind
  out += open;
  append_xml_escaped(out, text);
  out += k_close;
  return Secret(std::move(out));
}

}  // namespace otpd::providers
