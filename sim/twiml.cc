// What a TwiML document says aloud.
#include <array>
#include <string>
#include <utility>

#include "twilio_face.h"

namespace otpd::sim {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> k_entities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

// The text of an element: entities decoded, the tags inside it left out, white space as one space.
std::string plain_text(std::string_view xml) {
  std::string out;
  while (!xml.empty()) {
    if (xml.front() == '<') {
      const std::size_t end = xml.find('>');
      xml.remove_prefix(end == xml.npos ? xml.size() : end + 1);
      continue;
    }
    char c = xml.front();
    std::size_t size = 1;
    for (const auto& [entity, character] : k_entities) {
      if (!xml.starts_with(entity)) continue;
      c = character;
      size = entity.size();
    }
    if (c == '\n' || c == '\t' || c == '\r') c = ' ';
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    xml.remove_prefix(size);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::string said_by(std::string_view twiml) {
  std::string out;
  std::size_t at = 0;
  while ((at = twiml.find("<Say", at)) != twiml.npos) {
    const std::size_t begin = twiml.find('>', at);
    if (begin == twiml.npos) break;
    at = begin;
    if (twiml[begin - 1] == '/') continue;
    const std::size_t end = twiml.find("</Say>", begin);
    if (end == twiml.npos) break;
    const std::string words = plain_text(twiml.substr(begin + 1, end - begin - 1));
    if (!words.empty()) out += (out.empty() ? "" : "\n") + words;
    at = end;
  }
  return out;
}

}  // namespace otpd::sim
