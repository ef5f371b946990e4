#include "smtp_conversation.h"

#include <optional>

#include "net/http_message.h"

namespace otpd::sim {
namespace {

// The address in "FROM:<address> parameters"; nothing if it is not written like that.
std::optional<std::string> path_after(std::string_view keyword, std::string_view text) {
  if (text.size() < keyword.size() || !net::same_name(text.substr(0, keyword.size()), keyword)) {
    return std::nullopt;
  }
  text.remove_prefix(keyword.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  const std::size_t end = text.find('>');
  if (!text.starts_with('<') || end == text.npos || end > 255) return std::nullopt;
  return std::string(text.substr(1, end - 1));
}

}  // namespace

std::string SmtpConversation::take(std::string_view line) {
  if (in_data_) return data_line(line);
  const std::size_t space = line.find(' ');
  const std::string_view verb = line.substr(0, space);
  return command(verb, space == line.npos ? std::string_view() : line.substr(space + 1));
}

std::string SmtpConversation::command(std::string_view verb, std::string_view rest) {
  const auto is = [&](std::string_view name) { return net::same_name(verb, name); };
  if (is("EHLO") || is("HELO")) {
    if (rest.empty()) return "501 who are you?\r\n";
    reset();
    greeted_ = true;
    if (is("HELO")) return "250 sms-sim\r\n";
    return "250-sms-sim\r\n250-SIZE " + std::to_string(k_max_message_bytes) +
           "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n";
  }
  if (is("NOOP")) return "250 2.0.0 OK\r\n";
  if (is("QUIT")) {
    finished_ = true;
    return "221 2.0.0 bye\r\n";
  }
  if (is("RSET")) {
    reset();
    return "250 2.0.0 OK\r\n";
  }
  if (is("VRFY")) return "252 2.1.5 send and see\r\n";
  if (!greeted_) return "503 5.5.1 say EHLO first\r\n";
  if (is("MAIL")) return mail_from(rest);
  if (is("RCPT")) return rcpt_to(rest);
  if (is("DATA")) return begin_data();
  return "500 5.5.2 unknown command\r\n";
}

std::string SmtpConversation::mail_from(std::string_view rest) {
  if (has_sender_) return "503 5.5.1 one mail at a time\r\n";
  const auto address = path_after("FROM:", rest);
  if (!address) return "501 5.5.4 MAIL FROM:<address>\r\n";
  envelope_.from = *address;
  has_sender_ = true;
  return "250 2.1.0 OK\r\n";
}

std::string SmtpConversation::rcpt_to(std::string_view rest) {
  if (!has_sender_) return "503 5.5.1 MAIL first\r\n";
  const auto address = path_after("TO:", rest);
  if (!address || address->empty()) return "501 5.5.4 RCPT TO:<address>\r\n";
  if (envelope_.to.size() == k_max_recipients) return "452 4.5.3 too many recipients\r\n";
  if (std::string refusal = recipient_rule_(*address); !refusal.empty()) return refusal;
  envelope_.to.push_back(*address);
  return "250 2.1.5 OK\r\n";
}

std::string SmtpConversation::begin_data() {
  if (envelope_.to.empty()) return "503 5.5.1 RCPT first\r\n";
  in_data_ = true;
  return "354 end with a dot\r\n";
}

std::string SmtpConversation::data_line(std::string_view line) {
  if (line == ".") {
    const bool too_long = too_long_;
    Envelope envelope = std::move(envelope_);
    reset();
    if (too_long) return "552 5.3.4 the mail is too long\r\n";
    return sink_(std::move(envelope));
  }
  if (line.starts_with('.')) line.remove_prefix(1);
  too_long_ = too_long_ || envelope_.data.size() + line.size() + 2 > k_max_message_bytes;
  if (!too_long_) envelope_.data.append(line).append("\r\n");
  return {};
}

void SmtpConversation::reset() {
  envelope_ = {};
  has_sender_ = in_data_ = too_long_ = false;
}

}  // namespace otpd::sim
