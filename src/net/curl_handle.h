// CurlHandle: one libcurl easy handle, and what all our uses of it share.
#pragma once

#include <curl/curl.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace otpd::net {

struct ClientConfig;

// For one thread at a time.
class CurlHandle {
 public:
  CurlHandle();
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  CURL* get() const { return handle_; }

  // Sets an option. Only a bug or a lack of memory can make that fail: then it aborts.
  template <class Value>
  void set(CURLoption option, Value value) {
    check(curl_easy_setopt(handle_, option, value));
  }
  // Trusted authorities, proxy; certificates are always verified.
  void set_config(const ClientConfig& config);
  void set_login(const std::string& user, std::string_view password);
  void set_timeouts(Millis connect, Millis whole);

  void forget_error() { error_[0] = '\0'; }
  long response_code() const;
  // The text that libcurl knows under that name, or empty.
  std::string text_info(CURLINFO name) const;
  // The failure that `code` stands for, in libcurl's words.
  Error to_error(CURLcode code) const;

 private:
  static void check(CURLcode code);

  CURL* handle_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

// A list for libcurl whose strings we own, so that they can be wiped.
class CurlList {
 public:
  ~CurlList() { clear(); }
  void add(std::string line) { lines_.push_back(std::move(line)); }
  // Valid until the list changes; null if it is empty.
  curl_slist* get();
  void clear();

 private:
  std::vector<std::string> lines_;
  std::vector<curl_slist> nodes_;
};

}  // namespace otpd::net
