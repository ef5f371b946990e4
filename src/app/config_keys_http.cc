#include <algorithm>
#include <array>

#include "app/config_forms.h"
#include "app/config_keys.h"
#include "net/http_message.h"

namespace otpd::app {
namespace {

bool http_is_method(std::string_view text) {
  constexpr std::array<std::string_view, 4> k_methods = {"GET", "POST", "PUT", "PATCH"};
  return std::ranges::find(k_methods, text) != k_methods.end();
}
bool http_is_url(std::string_view text) {
  const auto url = parse_url(text);
  return text.size() <= 2'048 && url && (url->scheme == "http" || url->scheme == "https");
}
bool http_is_header_name(std::string_view text) {
  constexpr std::string_view k_separators = " \t:;,()<>@\\\"/[]?={}";
  return text.size() <= 64 && is_line(text) && text.find_first_of(k_separators) == text.npos;
}
bool http_is_header(std::string_view text) {
  const auto name = text.substr(0, text.find(':'));
  return text.size() <= 1'024 && is_line(text) && !name.empty() && name.size() < text.size() &&
         http_is_header_name(name) && !net::same_name(name, "Content-Type");
}
bool http_is_type(std::string_view text) {
  return text.size() <= 128 && is_line(text) && text.contains('/');
}
bool http_is_body(std::string_view text) {
  return text.size() <= 8'192 && is_lines(text);
}
bool http_is_credential(std::string_view text) {
  return text.size() <= 512 && is_line(text);
}
bool http_is_word(std::string_view text) {
  return text.size() <= 64 && is_line(text);
}

constexpr Key k_http_keys[] = {
    {.path = "providers.*.method",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::method>,
     .check = http_is_method,
     .form = "GET, POST, PUT or PATCH",
     .kind = "http",
     .doc = "The request's method."},
    {.path = "providers.*.url",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::url>,
     .check = http_is_url,
     .form = "an http:// or https:// URL with placeholders",
     .kind = "http",
     .doc = "Where the request goes. Placeholders, here, in headers and in the body: {to}, "
            "{to_digits}, {text}, {code}, {subject}, {channel}, {purpose}, {locale}, {country}, "
            "{callback_url}, {job_id}, {expires_in_s} and {secret}."},
    {.path = "providers.*.headers",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::headers>,
     .check = http_is_header,
     .form = "lines such as X-Key: {secret}",
     .masked = true,
     .kind = "http",
     .doc = "The request's other headers."},
    {.path = "providers.*.content_type",
     .binding = each<&Config::providers, &ProviderConfig::http,
                     &providers::HttpProviderConfig::content_type>,
     .check = http_is_type,
     .form = "a media type such as application/json",
     .kind = "http",
     .doc = "The body's type; it also says how values are written into the body: into JSON "
            "strings, form fields, XML or plain text."},
    {.path = "providers.*.body",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::body>,
     .check = http_is_body,
     .form = "a text of at most 8192 bytes",
     .may_be_empty = true,
     .kind = "http",
     .doc = "The request's body."},
    {.path = "providers.*.user",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::user>,
     .check = http_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "http",
     .doc = "The user to log in as (HTTP Basic); empty does not log in."},
    {.path = "providers.*.password",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::password>,
     .check = http_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "http",
     .doc = "That user's password; better in the environment than in the file."},
    {.path = "providers.*.secret",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::secret>,
     .check = http_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "http",
     .doc = "What {secret} stands for; better in the environment than in the file."},
    {.path = "providers.*.success",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::success>,
     .check = providers::is_http_status_rule,
     .form = "statuses (200) or classes of statuses (2xx)",
     .kind = "http",
     .doc = "The statuses of a yes."},
    {.path = "providers.*.success_rule",
     .binding = each<&Config::providers, &ProviderConfig::http,
                     &providers::HttpProviderConfig::success_rule>,
     .check = providers::is_http_rule,
     .form = "statuses (404), classes of statuses (4xx) or /pointer=value",
     .may_be_empty = true,
     .kind = "http",
     .doc = "What must hold, too, for a yes, such as /status=0."},
    {.path = "providers.*.id_pointer",
     .binding = each<&Config::providers, &ProviderConfig::http,
                     &providers::HttpProviderConfig::id_pointer>,
     .check = providers::is_json_pointer,
     .form = "a JSON pointer such as /messages/0/id",
     .may_be_empty = true,
     .kind = "http",
     .doc = "Where the answer names the message; empty names it by our job."},
    {.path = "providers.*.error_pointer",
     .binding = each<&Config::providers, &ProviderConfig::http,
                     &providers::HttpProviderConfig::error_pointer>,
     .check = providers::is_json_pointer,
     .form = "a JSON pointer such as /messages/0/id",
     .may_be_empty = true,
     .kind = "http",
     .doc = "Where the answer has the error code."},
    {.path = "providers.*.rejected",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::rejected>,
     .check = providers::is_http_rule,
     .form = "statuses (404), classes of statuses (4xx) or /pointer=value",
     .kind = "http",
     .doc = "What says that this recipient will never work. Rules with a pointer come before "
            "statuses."},
    {.path = "providers.*.misconfigured",
     .binding = each<&Config::providers, &ProviderConfig::http,
                     &providers::HttpProviderConfig::misconfigured>,
     .check = providers::is_http_rule,
     .form = "statuses (404), classes of statuses (4xx) or /pointer=value",
     .kind = "http",
     .doc = "What says that credentials or settings are wrong. Without any rule: 4xx, except 408 "
            "and 429."},
    {.path = "providers.*.throttled",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::throttled>,
     .check = providers::is_http_rule,
     .form = "statuses (404), classes of statuses (4xx) or /pointer=value",
     .kind = "http",
     .doc = "What says that we are too fast. Without any rule: 429."},
    {.path = "providers.*.transient",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::transient>,
     .check = providers::is_http_rule,
     .form = "statuses (404), classes of statuses (4xx) or /pointer=value",
     .kind = "http",
     .doc = "What may work later or elsewhere. Without any rule: everything else."},
    {.path = "providers.*.receipt_proof",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::proof>,
     .choices = {"none", "header", "hmac_sha256_hex", "hmac_sha256_base64"},
     .kind = "http",
     .doc = "How a receipt shows that it is the carrier's: by the secret in a header, or by a "
            "header with the HMAC of the body. Without one, no receipt is believed."},
    {.path = "providers.*.receipt_header",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::header>,
     .check = http_is_header_name,
     .form = "the name of a header",
     .may_be_empty = true,
     .kind = "http",
     .doc = "The header with the proof."},
    {.path = "providers.*.receipt_secret",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::secret>,
     .check = http_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "http",
     .doc = "The secret of the proof; better in the environment than in the file."},
    {.path = "providers.*.receipt_id_pointer",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::id_pointer>,
     .check = providers::is_json_pointer,
     .form = "a JSON pointer such as /messages/0/id",
     .may_be_empty = true,
     .kind = "http",
     .doc = "Where a receipt (JSON, or the fields of a form or a query) names the message."},
    {.path = "providers.*.receipt_state_pointer",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::state_pointer>,
     .check = providers::is_json_pointer,
     .form = "a JSON pointer such as /messages/0/id",
     .may_be_empty = true,
     .kind = "http",
     .doc = "Where a receipt has the state."},
    {.path = "providers.*.receipt_reason_pointer",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::reason_pointer>,
     .check = providers::is_json_pointer,
     .form = "a JSON pointer such as /messages/0/id",
     .may_be_empty = true,
     .kind = "http",
     .doc = "Where a receipt has the error code."},
    {.path = "providers.*.receipt_delivered",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::delivered>,
     .check = http_is_word,
     .form = "words of at most 64 bytes",
     .kind = "http",
     .doc = "The states that mean delivered."},
    {.path = "providers.*.receipt_failed",
     .binding =
         each<&Config::providers, &ProviderConfig::http, &providers::HttpProviderConfig::receipts,
              &providers::HttpReceiptConfig::failed>,
     .check = http_is_word,
     .form = "words of at most 64 bytes",
     .kind = "http",
     .doc = "The states that mean failed; every other one is on its way."},
};

}  // namespace

std::span<const Key> http_keys() {
  return k_http_keys;
}

}  // namespace otpd::app
