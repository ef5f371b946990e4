// HttpProvider: a carrier with an HTTP API of its own, described by configuration alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"
#include "net/client.h"

namespace otpd::providers {

// How the carrier shows that a receipt is its own.
enum class ReceiptProof : std::uint8_t {
  none,                // it cannot: no receipt is believed
  header,              // the secret itself stands in a header
  hmac_sha256_hex,     // a header holds the HMAC-SHA-256 of the body, also after "sha256="
  hmac_sha256_base64,  // the same in base64
};

// A pointer is an RFC 6901 JSON pointer into a JSON body, such as /messages/0/id; in a receipt
// that is a form or a query, /name is its field.
struct HttpReceiptConfig {
  ReceiptProof proof = ReceiptProof::none;
  std::string header;  // that holds the proof
  Secret secret;
  std::string id_pointer;
  std::string state_pointer;
  std::string reason_pointer;          // may be empty
  std::vector<std::string> delivered;  // words of the state
  std::vector<std::string> failed;     // every other word: on its way
};

// A rule is a status (404), a class of statuses (4xx), or what stands at a pointer of the answer
// (/error/code=21211).
struct HttpProviderConfig {
  std::string method = "POST";
  std::string url;                                // template, values percent-encoded
  std::vector<std::string> headers;               // "Name: template", values plain
  std::string content_type = "application/json";  // of the body; decides how values are encoded
  std::string body;                               // template; empty: none
  std::string user;                               // HTTP Basic, with `password`; empty: none
  Secret password;
  Secret secret;                               // what {secret} stands for
  std::vector<std::string> success = {"2xx"};  // an answer is a yes if its status is one of these,
  std::string success_rule;                    // and this rule holds, if there is one
  std::string id_pointer;     // of the carrier's id; empty: our job's id is its name
  std::string error_pointer;  // of the error code; may be empty
  // What no yes means, by the first rule that holds; rules with a pointer come first. Without one:
  // 429 throttled, other 4xx misconfigured, the rest transient.
  std::vector<std::string> rejected;
  std::vector<std::string> misconfigured;
  std::vector<std::string> throttled;
  std::vector<std::string> transient;
  HttpReceiptConfig receipts;
};

// Failure::invalid naming the setting that is missing or cannot be. `client` and `clock` must
// outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_http_provider(HttpProviderConfig config,
                                                               net::Client& client,
                                                               const Clock& clock);

// Whether it could be made; Failure::invalid as above.
Result<void> check_http_provider(const HttpProviderConfig& config);

// Null without proof. Failure::invalid as above.
Result<std::unique_ptr<delivery::ReceiptReader>> make_http_receipts(HttpReceiptConfig config);
Result<void> check_http_receipts(const HttpReceiptConfig& config);

// For checks of the configuration.
bool is_json_pointer(std::string_view text);
bool is_http_rule(std::string_view text);
bool is_http_status_rule(std::string_view text);

}  // namespace otpd::providers
