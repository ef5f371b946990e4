// SmtpConversation: the server's side of RFC 5321, one line in, one reply out, no socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace otpd::sim {

struct Envelope {
  std::string from;
  std::vector<std::string> to;
  std::string data;  // without dot-stuffing, CRLF line ends
};

class SmtpConversation {
 public:
  static constexpr std::size_t k_max_line_bytes = 2'000;
  static constexpr std::size_t k_max_message_bytes = 256 * 1024;
  static constexpr std::size_t k_max_recipients = 100;

  // What to say to RCPT TO:<address>: a reply line, or nothing to accept it.
  using RecipientRule = std::function<std::string(const std::string& address)>;
  // Takes a whole mail and says the reply line.
  using Sink = std::function<std::string(Envelope envelope)>;

  SmtpConversation(RecipientRule recipient_rule, Sink sink)
      : recipient_rule_(std::move(recipient_rule)), sink_(std::move(sink)) {}

  static std::string greeting() { return "220 sms-sim ESMTP\r\n"; }
  // The reply to one line (without its line end); empty while a mail's data comes in.
  std::string take(std::string_view line);
  bool in_data() const { return in_data_; }
  bool finished() const { return finished_; }

 private:
  std::string command(std::string_view verb, std::string_view rest);
  std::string mail_from(std::string_view rest);
  std::string rcpt_to(std::string_view rest);
  std::string begin_data();
  std::string data_line(std::string_view line);
  void reset();

  RecipientRule recipient_rule_;
  Sink sink_;
  Envelope envelope_;
  bool greeted_ = false;
  bool has_sender_ = false;
  bool in_data_ = false;
  bool too_long_ = false;
  bool finished_ = false;
};

}  // namespace otpd::sim
