#include "providers/smtp.h"

#include <algorithm>

#include "providers/mail_html.h"
#include "providers/mail_message.h"
#include "providers/outcomes.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

// Replies about the mailbox (RFC 5321 section 4.2.2; 521 and 556: RFC 7504).
constexpr int k_mailbox_replies[] = {521, 550, 551, 552, 553, 556};
// Replies about our commands and credentials (RFC 5321; 53x: RFC 4954).
constexpr int k_settings_replies[] = {500, 501, 502, 503, 504, 530, 534, 535, 538, 555};

// Whether the enhanced status (RFC 3463) behind the reply code speaks of policy or security, for
// example the sender's reputation: not the recipient's fault, and another way may do.
bool is_policy(std::string_view reply) {
  return reply.size() > 8 && (reply.substr(4, 4) == "5.7." || reply.substr(4, 4) == "5.3.");
}

Kind kind_of_reply(int status, std::string_view reply) {
  if (status >= 200 && status < 300) return Kind::accepted;
  if (std::ranges::find(k_settings_replies, status) != std::end(k_settings_replies)) {
    return Kind::misconfigured;
  }
  const bool mailbox = std::ranges::find(k_mailbox_replies, status) != std::end(k_mailbox_replies);
  return mailbox && !is_policy(reply) ? Kind::rejected : Kind::transient;
}

// The name that a server gave the message ("250 2.0.0 Ok: queued as 4XyZ"), or empty.
std::string queue_id(std::string_view reply) {
  constexpr std::string_view k_marker = "queued as ";
  const std::size_t at = reply.find(k_marker);
  if (at == reply.npos) return {};
  const std::string_view rest = reply.substr(at + k_marker.size());
  const auto end = std::ranges::find_if_not(rest, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
  return std::string(rest.substr(0, std::min<std::size_t>(64, end - rest.begin())));
}

class Smtp final : public delivery::Provider {
 public:
  Smtp(SmtpConfig config, net::Client& client, const Clock& clock)
      : config_(std::move(config)), client_(client), clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    if (message.channel != "email") {
      co_return refused(Kind::misconfigured, "channel");
    }
    if (!is_plain_address(message.to.reveal())) {
      co_return refused(Kind::rejected, "address");
    }
    const Secret html =
        make_mail_html(message.text.reveal(), message.code.reveal(), message.locale);
    const auto mail = make_mail({.from_name = config_.from_name,
                                 .from_address = config_.from_address,
                                 .to_address = message.to.reveal(),
                                 .subject = message.subject,
                                 .text = message.text.reveal(),
                                 .html = html.reveal(),
                                 .id = message.job_id,
                                 .date = clock_.now()});
    if (!mail) co_return refused(Kind::misconfigured, "unusable header");
    net::MailCall call;
    call.url = config_.url;
    call.require_tls = config_.require_tls;
    call.ca_file = config_.ca_file;
    call.user = config_.user;
    call.password = config_.password.reveal();
    call.from = config_.from_address;
    call.to = message.to.reveal();
    call.message = mail->reveal();
    call.connect_timeout = std::min(call.connect_timeout, timeout);
    call.timeout = timeout;
    const auto answer = co_await client_.mail(call);
    if (!answer) co_return no_answer(answer.error());
    Outcome out = classify_smtp(answer->status, answer->reply);
    // Without a name from the server, the Message-ID's is what a server's log knows it by.
    if (out.kind == Kind::accepted && out.message_id.empty()) out.message_id = message.job_id;
    co_return out;
  }

 private:
  const SmtpConfig config_;
  net::Client& client_;
  const Clock& clock_;
};

}  // namespace

Outcome classify_smtp(int status, std::string_view reply) {
  const Kind kind = kind_of_reply(status, reply);
  if (kind == Kind::accepted) return accepted(queue_id(reply));
  return refused(kind, "smtp " + std::to_string(status));
}

Result<std::unique_ptr<delivery::Provider>> make_smtp(SmtpConfig config, net::Client& client,
                                                      const Clock& clock) {
  if (!config.url.starts_with("smtp://") && !config.url.starts_with("smtps://")) {
    return fail(Failure::invalid, "smtp: url: not an smtp or smtps URL");
  }
  if (config.user.empty() != config.password.empty()) {
    return fail(Failure::invalid, "smtp: give both of user and password, or neither");
  }
  const auto trial = make_mail({.from_name = config.from_name,
                                .from_address = config.from_address,
                                .to_address = "someone@example.com",
                                .subject = {},
                                .text = {},
                                .html = {},
                                .id = "trial",
                                .date = {}});
  if (!trial) return fail(Failure::invalid, "smtp: " + trial.error().message);
  return std::make_unique<Smtp>(std::move(config), client, clock);
}

}  // namespace otpd::providers
