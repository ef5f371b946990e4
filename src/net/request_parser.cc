#include "net/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <optional>

namespace otpd::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

// Room for one chunk's header and extensions, or for the trailers of a body.
constexpr std::size_t k_chunk_header_bytes = 1024;
constexpr std::size_t k_last_chunk_bytes = 5;  // "0\r\n\r\n"
constexpr int k_empty_lines_before_request = 4;

bool is_visible(char c) {
  return c > ' ' && c < '\x7f';
}
bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

bool within(std::string_view text, const char* p) {
  return !std::less<>{}(p, text.data()) && std::less<>{}(p, text.data() + text.size());
}

// Whether the request line has three parts, the last "HTTP/" DIGIT "." DIGIT, whatever the digits.
bool names_http_version(std::string_view line) {
  line = line.substr(0, line.find('\r'));
  if (line.size() < 8 || std::count(line.begin(), line.end(), ' ') != 2) return false;
  const std::string_view v = line.substr(line.size() - 8);
  return v.starts_with("HTTP/") && is_decimal(v[5]) && v[6] == '.' && is_decimal(v[7]);
}

bool has_bare_newline(std::string_view bytes) {
  const std::size_t at = bytes.find('\n');
  return at != bytes.npos && (at == 0 || bytes[at - 1] != '\r');
}

RequestParser::Refusal explain(http::error error, std::string_view pending, bool in_fields) {
  switch (error) {
    case http::error::header_limit:
      if (in_fields || pending.contains('\n')) return {431, "the header section is too long"};
      return {414, "the request line is too long"};
    case http::error::body_limit:
      return {413, "the body is too long"};
    case http::error::bad_version:
      if (names_http_version(pending)) return {505, "this server speaks HTTP/1.1"};
      return {400, "malformed request line"};
    case http::error::bad_method:
    case http::error::bad_target:
      return {400, "malformed request line"};
    case http::error::bad_content_length:
      return {400, "bad or contradicting Content-Length"};
    case http::error::bad_transfer_encoding:
      return {400, "bad or contradicting Transfer-Encoding"};
    case http::error::bad_chunk:
    case http::error::bad_chunk_extension:
      return {400, "malformed chunk"};
    default:
      return {400, "malformed header section"};
  }
}

}  // namespace

// Beast's parser, writing straight into our request, with the rules that it leaves to its user.
class RequestParser::Machine final : public http::basic_parser<true> {
 public:
  explicit Machine(RequestLimits limits) : limits_(limits) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(limits.body_bytes);
  }

  std::size_t feed(std::string_view bytes) {
    // Beast 1.74 asserts that it never looks twice at less than the shortest last chunk.
    if (is_header_done() && chunked() && bytes.size() < k_last_chunk_bytes) return 0;
    pending_ = bytes;
    ErrorCode ec;
    const std::size_t used = put({bytes.data(), bytes.size()}, ec);
    if (ec && ec != http::error::need_more && !refusal) {
      refusal = explain(static_cast<http::error>(ec.value()), bytes.substr(0, limits_.header_bytes),
                        got_request_line_);
    }
    // Beast would wait for the end of a header section that uses bare line feeds.
    if (!is_header_done() && !refusal && !got_request_line_ && has_bare_newline(bytes)) {
      refusal = Refusal{400, "malformed request line"};
    }
    if (!refusal && used == 0 && bytes.size() >= limits_.header_bytes + k_chunk_header_bytes) {
      refusal = Refusal{400, "malformed chunk"};
    }
    return used;
  }

  HttpRequest request;
  std::optional<Refusal> refusal;
  bool expects_continue = false;
  bool http10 = false;
  int empty_lines = 0;

 private:
  void refuse(int status, std::string_view reason, ErrorCode& ec) {
    refusal = Refusal{status, reason};
    ec = http::error::bad_value;
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       ErrorCode& ec) override {
    got_request_line_ = true;
    http10 = version == 10;
    header_size_ = method.size() + target.size() + 12;
    request.method.assign(method.data(), method.size());
    std::string_view rest(target.data(), target.size());
    if (!std::all_of(rest.begin(), rest.end(), is_visible)) {
      return refuse(400, "malformed request target", ec);
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (!rest.starts_with(scheme)) continue;
      const std::size_t path = rest.find_first_of("/?", scheme.size());
      rest = path == rest.npos ? "/" : rest.substr(path);
    }
    if (!rest.starts_with('/') && rest != "*") return refuse(400, "malformed request target", ec);
    const std::size_t mark = rest.find('?');
    request.path = rest.substr(0, mark);
    if (mark != rest.npos) request.query = rest.substr(mark + 1);
  }

  void on_field_impl(http::field field, string_view name, string_view value,
                     ErrorCode& ec) override {
    if (in_body_) return;  // trailers carry nothing that we may believe
    header_size_ += name.size() + value.size() + 4;
    if (header_size_ > limits_.header_bytes) {
      return refuse(431, "the header section is too long", ec);
    }
    if (!value.empty() && !within(pending_, value.data())) {
      return refuse(400, "folded header line", ec);  // Beast unfolded it into a buffer of its own
    }
    const std::string_view text(value.data(), value.size());
    check_field(field, text, ec);
    if (!ec) request.headers.emplace_back(std::string(name.data(), name.size()), text);
  }

  void check_field(http::field field, std::string_view value, ErrorCode& ec) {
    switch (field) {
      case http::field::host:
        if (++hosts_ > 1) refuse(400, "more than one Host", ec);
        if (!std::all_of(value.begin(), value.end(), is_visible)) refuse(400, "bad Host", ec);
        break;
      case http::field::content_length:
        if (++lengths_ > 1 || !std::all_of(value.begin(), value.end(), is_decimal)) {
          refuse(400, "bad or contradicting Content-Length", ec);
        }
        break;
      case http::field::transfer_encoding:
        if (http10) refuse(400, "Transfer-Encoding in HTTP/1.0", ec);
        if (!same_name(value, "chunked")) refuse(501, "unknown transfer coding", ec);
        break;
      case http::field::expect:
        if (!same_name(value, "100-continue")) refuse(417, "unknown expectation", ec);
        expects_continue = !http10;
        break;
      default:
        break;
    }
  }

  void on_header_impl(ErrorCode& ec) override {
    in_body_ = true;
    if (hosts_ == 0 && !http10) refuse(400, "Host is missing", ec);
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    if (length) request.body.reserve(*length);
  }
  std::size_t on_body_impl(string_view bytes, ErrorCode&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, ErrorCode&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(ErrorCode&) override {}
  void on_response_impl(int, string_view, int, ErrorCode&) override {}

  RequestLimits limits_;
  std::string_view pending_;
  std::size_t header_size_ = 0;
  int hosts_ = 0;
  int lengths_ = 0;
  bool got_request_line_ = false;
  bool in_body_ = false;
};

RequestParser::RequestParser(RequestLimits limits) : limits_(limits) {
  start();
}
RequestParser::~RequestParser() = default;

void RequestParser::start() {
  machine_ = std::make_unique<Machine>(limits_);
}

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t skipped = 0;
  while (!machine_->got_some() && bytes.starts_with("\r\n") &&
         machine_->empty_lines < k_empty_lines_before_request) {
    ++machine_->empty_lines;
    bytes.remove_prefix(2);
    skipped += 2;
  }
  // A lone \r before a request may be half of an empty line; inside one it is Beast's.
  if (bytes.empty() || (bytes == "\r" && !machine_->got_some())) return skipped;
  return skipped + machine_->feed(bytes);
}

std::size_t RequestParser::max_pending() const {
  return limits_.header_bytes + k_chunk_header_bytes;
}

RequestParser::State RequestParser::state() const {
  if (machine_->refusal) return State::refused;
  if (machine_->is_done()) return State::done;
  return machine_->is_header_done() ? State::body : State::header;
}

const RequestParser::Refusal& RequestParser::refusal() const {
  return *machine_->refusal;
}
bool RequestParser::expects_continue() const {
  return machine_->expects_continue;
}
bool RequestParser::keep_alive() const {
  return machine_->keep_alive();
}
bool RequestParser::is_http10() const {
  return machine_->http10;
}
const HttpRequest& RequestParser::request() const {
  return machine_->request;
}
HttpRequest RequestParser::take() {
  return std::move(machine_->request);
}

}  // namespace otpd::net
