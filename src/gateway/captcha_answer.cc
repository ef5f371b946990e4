#include "gateway/captcha_answer.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_hex = 128;
constexpr std::size_t k_max_salt_v1 = 256;
constexpr std::int64_t k_max_u32 = std::numeric_limits<std::uint32_t>::max();

// Reads members all of which must be there, and text of known alphabets, so that it can be put
// back into the JSON that was signed.
class Payload {
 public:
  Payload(const nlohmann::json& object, bool& good) : members_(object), good_(good) {}
  ~Payload() { good_ = good_ && !members_.finish(); }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;

  std::string hex(std::string_view name) {
    return text(name, k_max_hex, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  }
  std::string algorithm() {
    return text("algorithm", 32, [](char c) { return is_letter(c) || c == '/' || c == '-'; });
  }
  std::string salt_v1() {
    return text("salt", k_max_salt_v1,
                [](char c) { return is_letter(c) || c == '?' || c == '=' || c == '&'; });
  }
  std::int64_t integer(std::string_view name, std::int64_t max) {
    const auto number = members_.integer(name, 0, max);
    good_ = good_ && number;
    return number.value_or(0);
  }
  std::uint32_t u32(std::string_view name) {
    return static_cast<std::uint32_t>(integer(name, k_max_u32));
  }
  const nlohmann::json& object(std::string_view name) {
    static const nlohmann::json none = nlohmann::json::object();
    const nlohmann::json* found = members_.object(name);
    good_ = good_ && found != nullptr;
    return found != nullptr ? *found : none;
  }
  // What solvers tell of their trouble; may be missing.
  void skip_number(std::string_view name) { members_.number(name); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  template <class Allowed>
  std::string text(std::string_view name, std::size_t max_bytes, Allowed allowed) {
    auto found = members_.text(name, max_bytes);
    good_ = good_ && found && std::ranges::all_of(*found, allowed);
    return std::move(found).value_or("");
  }

  Members members_;
  bool& good_;
};

otp::CaptchaParameters read_parameters(const nlohmann::json& object, bool& good) {
  Payload reader(object, good);
  otp::CaptchaParameters read;
  read.algorithm = reader.algorithm();
  read.cost = reader.u32("cost");
  read.expires_at = reader.integer("expiresAt", k_max_u32);
  read.key_length = reader.u32("keyLength");
  read.key_prefix = reader.hex("keyPrefix");
  read.key_signature = reader.hex("keySignature");
  read.nonce = reader.hex("nonce");
  read.salt = reader.hex("salt");
  Payload data(reader.object("data"), good);
  read.binding = data.hex("binding");
  read.level = data.u32("level");
  return read;
}

otp::CaptchaAnswer read_v2(const nlohmann::json& object, bool& good) {
  Payload reader(object, good);
  otp::CaptchaSolution read;
  Payload challenge(reader.object("challenge"), good);
  read.challenge.parameters = read_parameters(challenge.object("parameters"), good);
  read.challenge.signature = challenge.hex("signature");
  Payload solution(reader.object("solution"), good);
  (void)solution.u32("counter");  // the key proves that it was found
  read.derived_key = solution.hex("derivedKey");
  solution.skip_number("time");
  return read;
}

otp::CaptchaAnswer read_v1(const nlohmann::json& object, bool& good) {
  Payload reader(object, good);
  otp::CaptchaSolutionV1 read;
  good = good && reader.algorithm() == "SHA-256";
  read.challenge = reader.hex("challenge");
  read.number = reader.u32("number");
  read.salt = reader.salt_v1();
  read.signature = reader.hex("signature");
  reader.skip_number("took");
  return read;
}

std::optional<otp::CaptchaAnswer> read_payload(std::string_view text) {
  const auto decoded = base64_decode(text);
  const auto object = decoded ? parse_object(*decoded) : std::unexpected(Problem{});
  if (!object) return std::nullopt;
  bool good = true;
  const bool v2 = object->contains("solution");
  auto answer = v2 ? read_v2(*object, good) : read_v1(*object, good);
  if (!good) return std::nullopt;
  return answer;
}

// Vendors promise no alphabet; all that is sent on is visible ASCII.
bool is_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string_view reason_words(std::string_view reason) {
  if (reason == "missing") return "Solve the captcha and send its payload with the request.";
  if (reason == "expired") return "That captcha has expired; solve the new one.";
  if (reason == "used") return "That captcha was used before; solve the new one.";
  if (reason == "easy") return "More was asked for meanwhile; solve the new captcha.";
  if (reason == "other") return "That captcha was for another request; solve the new one.";
  if (reason == "away") return "The captcha's own service does not answer; solve this one instead.";
  if (reason == "host") return "That captcha was solved on another site; solve a new one.";
  if (reason == "score") return "That captcha took you for a program; solve a new one.";
  return "That is no solution of a captcha of ours; solve the new one.";
}

}  // namespace

void read_captcha(Members& members, const otp::HostedCaptcha& hosted, otp::SendRequest& request) {
  auto text = members.text("captcha", k_max_captcha_bytes);
  if (!text) return;
  const bool ours = hosted.kind == otp::CaptchaKind::altcha;
  if (ours || hosted.altcha_when_away) request.captcha = read_payload(*text);
  if (request.captcha) return;
  if (!ours && is_token(*text)) {
    request.captcha_token = std::move(*text);
    return;
  }
  members.refuse(ProblemName::invalid_request, "captcha",
                 ours ? "\"captcha\" is not the payload of an ALTCHA captcha."
                      : "\"captcha\" is not the token of a captcha.");
}

Problem problem_of(const otp::CaptchaRequired& required) {
  return {.name = ProblemName::captcha_required,
          .detail = std::string(reason_words(required.reason)),
          .captcha = std::visit([](const auto& one) { return one.json(); }, required.challenge)};
}

}  // namespace otpd::gateway
