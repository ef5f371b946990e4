#include "app/key_request.h"

#include <algorithm>
#include <charconv>

namespace otpd::app {
namespace {

constexpr std::size_t k_max_duration_digits = 8;

std::optional<std::string> read_duration(const char* flag, const std::string& word,
                                         std::optional<Seconds>& to) {
  if (word.empty()) return std::nullopt;
  to = parse_duration(word);
  if (to) return std::nullopt;
  return std::string(flag) + " needs a number with its unit, such as 90d, 24h, 30m or 45s";
}

// Every part, the empty ones too; of an empty text none.
std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) out.emplace_back();
  }
  return out;
}

}  // namespace

std::optional<Seconds> parse_duration(std::string_view text) {
  if (text == "0") return Seconds(0);
  if (text.size() < 2 || text.size() > k_max_duration_digits + 1) return std::nullopt;
  std::uint32_t count = 0;
  const std::string_view digits = text.substr(0, text.size() - 1);
  const auto [stop, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (bad != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  switch (text.back()) {
    case 'd':
      return std::chrono::days(count);
    case 'h':
      return std::chrono::hours(count);
    case 'm':
      return std::chrono::minutes(count);
    case 's':
      return Seconds(count);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> read_words(KeyRequest& request) {
  const KeyRequest::Words& words = request.words;
  if (auto wrong = read_duration("--expires-in", words.expires_in, request.expires_in)) {
    return wrong;
  }
  if (auto wrong = read_duration("--overlap", words.overlap, request.overlap)) return wrong;
  request.scopes = split_at_commas(words.scopes);
  if (std::ranges::find(request.scopes, "") != request.scopes.end()) {
    return "--scopes has an empty part: name the scopes with one comma between two";
  }
  return std::nullopt;
}

}  // namespace otpd::app
