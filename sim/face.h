// Face: the name of one simulated carrier's interface.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace otpd::sim {

enum class Face : std::uint8_t {
  twilio,
  twilio_voice,
  vonage,
  sns,
  whatsapp,
  generic,
  smpp,
  smtp,
};

inline constexpr std::size_t k_faces = 8;

// In the order of the enumerators; the words of /faults.json, /stats.json and /inbox.json.
inline constexpr std::array<std::string_view, k_faces> k_face_names = {
    "twilio", "twilio-voice", "vonage", "sns", "whatsapp", "generic", "smpp", "smtp"};

constexpr std::size_t index_of(Face face) {
  return static_cast<std::size_t>(face);
}
constexpr std::string_view name_of(Face face) {
  return k_face_names[index_of(face)];
}
constexpr std::optional<Face> face_named(std::string_view name) {
  const auto* at = std::find(k_face_names.begin(), k_face_names.end(), name);
  if (at == k_face_names.end()) return std::nullopt;
  return static_cast<Face>(at - k_face_names.begin());
}

}  // namespace otpd::sim
