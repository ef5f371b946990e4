#include "net/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <list>
#include <vector>

#include "net/curl_loop.h"

namespace otpd::net {
namespace {

constexpr std::size_t k_max_answer_headers_bytes = 64 * 1024;

// libcurl wants a pointer even to nothing.
const char* data_of(std::string_view text) {
  return text.empty() ? "" : text.data();
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

bool has_scheme(std::string_view url, std::string_view plain, std::string_view secure) {
  return !has_control(url) && (url.starts_with(plain) || url.starts_with(secure));
}

long to_curl(Millis duration) {
  return std::max<long>(1, static_cast<long>(duration.count()));
}

// A list for libcurl whose strings we own, so that they can be wiped.
class LineList {
 public:
  ~LineList() { clear(); }
  void add(std::string line) { lines_.push_back(std::move(line)); }
  // Valid until the list changes.
  curl_slist* get() {
    nodes_.resize(lines_.size());
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      nodes_[i] = {lines_[i].data(), i + 1 < lines_.size() ? &nodes_[i + 1] : nullptr};
    }
    return nodes_.empty() ? nullptr : nodes_.data();
  }
  void clear() {
    for (std::string& line : lines_) wipe(line);
    lines_.clear();
  }

 private:
  std::vector<std::string> lines_;
  std::vector<curl_slist> nodes_;
};

void set_common(Transfer& transfer, const ClientConfig& config) {
  transfer.set(CURLOPT_PROXY, config.proxy.c_str());
  transfer.set(CURLOPT_SSL_VERIFYPEER, 1L);
  transfer.set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!config.ca_file.empty()) transfer.set(CURLOPT_CAINFO, config.ca_file.c_str());
}

void set_login(Transfer& transfer, const std::string& user, std::string_view password) {
  if (user.empty()) {
    transfer.set(CURLOPT_USERNAME, nullptr);
    transfer.set(CURLOPT_PASSWORD, nullptr);
    return;
  }
  std::string terminated(password);
  transfer.set(CURLOPT_USERNAME, user.c_str());
  transfer.set(CURLOPT_PASSWORD, terminated.c_str());
  wipe(terminated);
}

Error to_error(const Transfer& transfer, CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Failure::timeout, transfer.explain(code)};
    case CURLE_URL_MALFORMAT:
      return {Failure::invalid, transfer.explain(code)};
    case CURLE_ABORTED_BY_CALLBACK:
      return {Failure::unavailable, "the client was closed"};
    default:
      return {Failure::unavailable, transfer.explain(code)};
  }
}

class HttpTransfer final : public Transfer {
 public:
  HttpTransfer(CurlLoop& loop, const ClientConfig& config) : Transfer(loop) {
    set_common(*this, config);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERAGENT, "otpd/" OTPD_VERSION);
    set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
    set(CURLOPT_HEADERDATA, this);
  }

  // False if the call cannot be expressed.
  bool prepare(const HttpCall& call) {
    answer_ = {};
    too_long_ = false;
    max_bytes_ = call.max_answer_bytes;
    header_bytes_ = 0;
    set(CURLOPT_URL, call.url.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS, to_curl(call.connect_timeout));
    set(CURLOPT_TIMEOUT_MS, to_curl(call.timeout));
    set_login(*this, call.user, call.password);
    set_method(call);
    return set_headers(call);
  }

  Result<HttpAnswer> result(CURLcode code) {
    headers_.clear();
    if (too_long_) return fail(Failure::invalid, "the answer is too long");
    if (code != CURLE_OK) return std::unexpected(to_error(*this, code));
    answer_.status = static_cast<int>(response_code());
    return std::move(answer_);
  }

 private:
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
    headers_.add("Expect:");  // libcurl would wait for 100 Continue before a large body
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

  LineList headers_;
  HttpAnswer answer_;
  std::size_t max_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  bool too_long_ = false;
};

class MailTransfer final : public Transfer {
 public:
  MailTransfer(CurlLoop& loop, const ClientConfig& config) : Transfer(loop) {
    set_common(*this, config);
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &MailTransfer::on_read);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_HEADERFUNCTION, &MailTransfer::on_reply);
    set(CURLOPT_HEADERDATA, this);
  }

  bool prepare(const MailCall& call) {
    if (has_control(call.from) || has_control(call.to) || call.to.empty()) return false;
    answer_ = {};
    rest_ = call.message;
    recipients_.clear();
    recipients_.add(std::string(call.to));
    set(CURLOPT_URL, call.url.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS, to_curl(call.connect_timeout));
    set(CURLOPT_TIMEOUT_MS, to_curl(call.timeout));
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max(1L, to_curl(call.timeout) / 1000));
    set(CURLOPT_USE_SSL, static_cast<long>(call.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    set_login(*this, call.user, call.password);
    set(CURLOPT_MAIL_FROM, call.from.c_str());
    set(CURLOPT_MAIL_RCPT, recipients_.get());
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(call.message.size()));
    return true;
  }

  Result<MailAnswer> result(CURLcode code) {
    recipients_.clear();
    const bool refused = answer_.status >= 400 && code != CURLE_OPERATION_TIMEDOUT &&
                         code != CURLE_ABORTED_BY_CALLBACK;
    if (code != CURLE_OK && !refused) return std::unexpected(to_error(*this, code));
    return std::move(answer_);
  }

 private:
  static std::size_t on_read(char* out, std::size_t, std::size_t size, void* self_) {
    auto* self = static_cast<MailTransfer*>(self_);
    const std::size_t count = std::min(size, self->rest_.size());
    self->rest_.copy(out, count);
    self->rest_.remove_prefix(count);
    return count;
  }

  static std::size_t on_reply(const char* bytes, std::size_t, std::size_t size, void* self_) {
    auto* self = static_cast<MailTransfer*>(self_);
    std::string_view line(bytes, size);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < 3 ||
        !std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; })) {
      return size;
    }
    if (line.starts_with("221")) return size;  // good-bye: what was said before counts
    const int before = self->answer_.status;
    self->answer_.status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    self->answer_.reply = line;
    const bool is_last_line = line.size() == 3 || line[3] == ' ';
    if (is_last_line && ends_the_mail(self->answer_.status, before)) self->stop_listening();
    return size;
  }

  // Whether libcurl gives up after this reply. A refused EHLO (which comes after 220) or AUTH does
  // not end the mail: it tries HELO, or another mechanism.
  static bool ends_the_mail(int status, int before) {
    const bool about_command_or_login =
        (status >= 500 && status <= 504) || (status >= 530 && status <= 539);
    return status >= 400 && !about_command_or_login && before != 220 && before != 334;
  }

  LineList recipients_;
  MailAnswer answer_;
  std::string_view rest_;
};

// Idle transfers of one kind.
template <class Kind>
class Pool {
 public:
  std::unique_ptr<Kind> take(CurlLoop& loop, const ClientConfig& config) {
    if (idle_.empty()) return std::make_unique<Kind>(loop, config);
    std::unique_ptr<Kind> transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }
  void give_back(std::unique_ptr<Kind> transfer) {
    if (idle_.size() < k_max_idle) idle_.push_back(std::move(transfer));
  }

 private:
  static constexpr std::size_t k_max_idle = 256;
  std::vector<std::unique_ptr<Kind>> idle_;
};

}  // namespace

struct Client::State {
  State(boost::asio::io_context& io, ClientConfig c)
      : config(std::move(c)),
        loop(std::make_shared<CurlLoop>(io.get_executor(), config.max_connections)) {}

  ClientConfig config;
  std::shared_ptr<CurlLoop> loop;
  Pool<HttpTransfer> http;
  Pool<MailTransfer> mail;
};

Client::Client(boost::asio::io_context& loop, ClientConfig config)
    : state_(std::make_shared<State>(loop, std::move(config))) {}

Client::~Client() {
  state_->loop->close();
}

Task<Result<HttpAnswer>> Client::http(const HttpCall& call) {
  if (!has_scheme(call.url, "http://", "https://")) {
    co_return fail(Failure::invalid, "not an http or https URL");
  }
  const std::shared_ptr<State> state = state_;  // may outlive the client while it waits
  std::unique_ptr<HttpTransfer> transfer = state->http.take(*state->loop, state->config);
  if (!transfer->prepare(call)) co_return fail(Failure::invalid, "unusable header");
  const CURLcode code = co_await state->loop->perform(*transfer);
  Result<HttpAnswer> answer = transfer->result(code);
  state->http.give_back(std::move(transfer));
  co_return answer;
}

Task<Result<MailAnswer>> Client::mail(const MailCall& call) {
  if (!has_scheme(call.url, "smtp://", "smtps://")) {
    co_return fail(Failure::invalid, "not an smtp or smtps URL");
  }
  const std::shared_ptr<State> state = state_;
  std::unique_ptr<MailTransfer> transfer = state->mail.take(*state->loop, state->config);
  if (!transfer->prepare(call)) co_return fail(Failure::invalid, "unusable envelope address");
  const CURLcode code = co_await state->loop->perform(*transfer);
  Result<MailAnswer> answer = transfer->result(code);
  state->mail.give_back(std::move(transfer));
  co_return answer;
}

}  // namespace otpd::net
