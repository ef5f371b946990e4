#include <algorithm>

#include "otp/recipient.h"

namespace otpd::otp {
namespace {

constexpr std::size_t k_max_email_bytes = 254;  // RFC 5321 section 4.5.3.1.3, less the brackets
constexpr std::size_t k_max_local_bytes = 64;   // RFC 5321 section 4.5.3.1.1
constexpr std::size_t k_max_label_bytes = 63;   // RFC 1035 section 2.3.4

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 5321 section 4.1.2: Dot-string = Atom *("." Atom).
bool is_dot_string(std::string_view local) {
  constexpr std::string_view k_atext = "!#$%&'*+-/=?^_`{|}~";
  if (local.empty() || local.size() > k_max_local_bytes) return false;
  if (local.front() == '.' || local.back() == '.' || local.contains("..")) return false;
  return std::ranges::all_of(
      local, [&](char c) { return is_alnum(c) || c == '.' || k_atext.contains(c); });
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= k_max_label_bytes && label.front() != '-' &&
         label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; });
}

// At least two labels, and a top level that is not a number.
bool is_domain(std::string_view domain) {
  std::size_t labels = 0;
  std::string_view label;
  for (std::string_view rest = domain;; ++labels) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return labels >= 1 && !std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// Gmail delivers every dotting and every +tag of a name to one mailbox.
std::string identity_of(std::string_view local, std::string_view domain) {
  std::string name = lower(local);
  if (domain == "gmail.com" || domain == "googlemail.com") {
    name = name.substr(0, name.find('+'));
    std::erase(name, '.');
    domain = "gmail.com";
  }
  return name + "@" + std::string(domain);
}

}  // namespace

Result<Recipient> parse_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (text.size() > k_max_email_bytes || at == std::string_view::npos) {
    return fail(Failure::invalid, "not an e-mail address like name@example.com");
  }
  const std::string_view local = text.substr(0, at);
  const std::string domain = lower(text.substr(at + 1));
  if (!is_dot_string(local) || !is_domain(domain)) {
    return fail(Failure::invalid, "not an e-mail address like name@example.com (ASCII only)");
  }
  Recipient recipient;
  recipient.kind = Recipient::Kind::email;
  recipient.address = Secret(std::string(local) + "@" + domain);
  recipient.identity = Secret(identity_of(local, domain));
  return recipient;
}

}  // namespace otpd::otp
