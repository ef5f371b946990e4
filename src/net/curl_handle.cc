#include "net/curl_handle.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <mutex>

#include "base/log.h"
#include "base/secret.h"
#include "net/client.h"

namespace otpd::net {
namespace {

CURL* make_handle() {
  static std::once_flag once;
  std::call_once(once, [] {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    // OpenSSL inside libcurl writes without MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
  });
  return curl_easy_init();
}

long to_curl(Millis duration) {
  return std::max<long>(1, static_cast<long>(duration.count()));
}

}  // namespace

CurlHandle::CurlHandle() : handle_(make_handle()) {
  if (handle_ == nullptr) std::abort();
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_NOSIGNAL, 1L);
}

CurlHandle::~CurlHandle() {
  curl_easy_cleanup(handle_);
}

void CurlHandle::check(CURLcode code) {
  if (code == CURLE_OK) return;
  log::error("libcurl refuses an option", {{"reason", curl_easy_strerror(code)}});
  std::abort();
}

void CurlHandle::set_config(const ClientConfig& config) {
  set(CURLOPT_PROXY, config.proxy.c_str());
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!config.ca_file.empty()) set(CURLOPT_CAINFO, config.ca_file.c_str());
}

void CurlHandle::set_login(const std::string& user, std::string_view password) {
  if (user.empty()) {
    set(CURLOPT_USERNAME, nullptr);
    set(CURLOPT_PASSWORD, nullptr);
    return;
  }
  std::string terminated(password);
  set(CURLOPT_USERNAME, user.c_str());
  set(CURLOPT_PASSWORD, terminated.c_str());
  wipe(terminated);
}

void CurlHandle::set_timeouts(Millis connect, Millis whole) {
  set(CURLOPT_CONNECTTIMEOUT_MS, to_curl(connect));
  set(CURLOPT_TIMEOUT_MS, to_curl(whole));
}

long CurlHandle::response_code() const {
  long code = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

std::string CurlHandle::text_info(CURLINFO name) const {
  const char* text = nullptr;
  curl_easy_getinfo(handle_, name, &text);
  return text != nullptr ? text : "";
}

Error CurlHandle::to_error(CURLcode code) const {
  const std::string words = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Failure::timeout, words};
    case CURLE_URL_MALFORMAT:
      return {Failure::invalid, words};
    case CURLE_ABORTED_BY_CALLBACK:
      return {Failure::unavailable, "the client was closed"};
    default:
      return {Failure::unavailable, words};
  }
}

curl_slist* CurlList::get() {
  nodes_.resize(lines_.size());
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    nodes_[i] = {lines_[i].data(), i + 1 < lines_.size() ? &nodes_[i + 1] : nullptr};
  }
  return nodes_.empty() ? nullptr : nodes_.data();
}

void CurlList::clear() {
  for (std::string& line : lines_) wipe(line);
  lines_.clear();
}

}  // namespace otpd::net
