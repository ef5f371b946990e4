#include "net/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "net/curl_loop.h"
#include "net/mail_pool.h"

namespace otpd::net {
namespace {

constexpr std::size_t k_max_answer_headers_bytes = 64 * 1024;
constexpr std::size_t k_max_idle_transfers = 256;
// The pool itself keeps the time; this only guards against a pool that fails to.
constexpr Millis k_mail_slack{2'000};

// libcurl wants a pointer even to nothing.
const char* data_of(std::string_view text) {
  return text.empty() ? "" : text.data();
}

bool has_scheme(std::string_view url, std::string_view plain, std::string_view secure) {
  return !has_control(url) && (url.starts_with(plain) || url.starts_with(secure));
}

class HttpTransfer final : public Transfer {
 public:
  HttpTransfer(CurlLoop& loop, const ClientConfig& config) : Transfer(loop) {
    set_config(config);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_USERAGENT, "otpd/" OTPD_VERSION);
    set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_PREREQFUNCTION, &HttpTransfer::on_request);
    set(CURLOPT_PREREQDATA, this);
  }

  // False if the call cannot be expressed.
  bool prepare(const HttpCall& call) {
    answer_ = {};
    too_long_ = false;
    max_bytes_ = call.max_answer_bytes;
    header_bytes_ = 0;
    set_public_only(call.public_only);
    set(CURLOPT_URL, call.url.c_str());
    set_timeouts(call.connect_timeout, call.timeout);
    set_login(call.user, call.password);
    set_signing(call);
    set_method(call);
    return set_headers(call);
  }

  Result<HttpAnswer> result(CURLcode code) {
    headers_.clear();
    if (too_long_) return fail(Failure::invalid, "the answer is too long");
    if (code != CURLE_OK && refused_address()) {
      return fail(Failure::invalid, "the address is not public");
    }
    if (code != CURLE_OK) return std::unexpected(to_error(code));
    answer_.status = static_cast<int>(response_code());
    return std::move(answer_);
  }

 private:
  void set_signing(const HttpCall& call) {
    const bool signs = !call.sigv4.empty();
    set(CURLOPT_AWS_SIGV4, signs ? call.sigv4.c_str() : nullptr);
    set(CURLOPT_HTTPAUTH, static_cast<long>(signs ? CURLAUTH_AWS_SIGV4 : CURLAUTH_BASIC));
  }

  void set_method(const HttpCall& call) {
    const bool sends_body = !call.body.empty() || call.method == "POST" || call.method == "PUT";
    set(CURLOPT_HTTPGET, 1L);
    if (call.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (sends_body) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDS, data_of(call.body));
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    }
    const bool implied = call.method == (sends_body ? "POST" : "GET") || call.method == "HEAD";
    set(CURLOPT_CUSTOMREQUEST, implied ? nullptr : call.method.c_str());
  }

  bool set_headers(const HttpCall& call) {
    headers_.clear();
    // libcurl would wait for 100 Continue before a large body. When it signs it would sign the
    // empty field, too; signed bodies are far below the size at which it asks.
    if (call.sigv4.empty()) headers_.add("Expect:");
    if (count_headers(call.headers, "Content-Type") == 0) headers_.add("Content-Type:");
    for (const auto& [name, value] : call.headers) {
      if (name.empty() || has_control(name) || name.contains(':') || has_control(value)) {
        return false;
      }
      headers_.add(value.empty() ? name + ";" : name + ": " + value);
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
    return true;
  }

  // Before the request goes out, over a new or a kept connection.
  static int on_request(void* self_, char* address, char*, int, int) {
    auto* self = static_cast<HttpTransfer*>(self_);
    return self->may_go_to(address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }

  static std::size_t on_body(const char* bytes, std::size_t, std::size_t size, void* self_) {
    auto* self = static_cast<HttpTransfer*>(self_);
    if (self->answer_.body.size() + size > self->max_bytes_) {
      self->too_long_ = true;
      return 0;  // ends the transfer
    }
    self->answer_.body.append(bytes, size);
    return size;
  }

  static std::size_t on_header(const char* bytes, std::size_t, std::size_t size, void* self_) {
    auto* self = static_cast<HttpTransfer*>(self_);
    std::string_view line(bytes, size);
    self->header_bytes_ += size;
    if (self->header_bytes_ > k_max_answer_headers_bytes) {
      self->too_long_ = true;
      return 0;
    }
    if (line.starts_with("HTTP/")) self->answer_.headers.clear();  // one before was 1xx
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return size;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    self->answer_.headers.emplace_back(line.substr(0, colon), value);
    return size;
  }

  CurlList headers_;
  HttpAnswer answer_;
  std::size_t max_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  bool too_long_ = false;
};

}  // namespace

struct Client::State {
  State(boost::asio::io_context& io, ClientConfig c)
      : config(std::move(c)),
        loop(std::make_shared<CurlLoop>(io.get_executor(), config.max_connections)) {}

  std::unique_ptr<HttpTransfer> take() {
    if (idle.empty()) return std::make_unique<HttpTransfer>(*loop, config);
    std::unique_ptr<HttpTransfer> transfer = std::move(idle.back());
    idle.pop_back();
    return transfer;
  }
  void give_back(std::unique_ptr<HttpTransfer> transfer) {
    if (idle.size() < k_max_idle_transfers) idle.push_back(std::move(transfer));
  }

  ClientConfig config;
  std::shared_ptr<CurlLoop> loop;
  std::vector<std::unique_ptr<HttpTransfer>> idle;
  std::optional<MailPool> mail;
};

Client::Client(boost::asio::io_context& loop, ClientConfig config)
    : state_(std::make_shared<State>(loop, std::move(config))) {}

Client::~Client() {
  state_->loop->close();
  state_->mail.reset();
}

Task<Result<HttpAnswer>> Client::http(const HttpCall& call) {
  if (!has_scheme(call.url, "http://", "https://")) {
    co_return fail(Failure::invalid, "not an http or https URL");
  }
  const std::shared_ptr<State> state = state_;  // may outlive the client while it waits
  std::unique_ptr<HttpTransfer> transfer = state->take();
  if (!transfer->prepare(call)) co_return fail(Failure::invalid, "unusable header");
  const CURLcode code = co_await state->loop->perform(*transfer);
  Result<HttpAnswer> answer = transfer->result(code);
  state->give_back(std::move(transfer));
  co_return answer;
}

Task<Result<MailAnswer>> Client::mail(const MailCall& call) {
  if (!has_scheme(call.url, "smtp://", "smtps://")) {
    co_return fail(Failure::invalid, "not an smtp or smtps URL");
  }
  if (has_control(call.from) || has_control(call.to) || call.to.empty()) {
    co_return fail(Failure::invalid, "unusable envelope address");
  }
  if (!state_->mail) state_->mail.emplace(state_->config);
  MailPool& pool = *state_->mail;
  co_return co_await await_callback<MailAnswer>(call.timeout + k_mail_slack,
                                                [&pool, &call](Callback<Result<MailAnswer>> done) {
                                                  pool.send(MailJob(call), std::move(done));
                                                });
}

}  // namespace otpd::net
