// CurlLoop: libcurl's multi interface driven by one event loop.
#pragma once

#include <curl/curl.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/task.h"

namespace otpd::net {

class CurlLoop;

// One reusable easy handle. What never changes is set once by the constructor and by the owner.
class Transfer {
 public:
  explicit Transfer(CurlLoop& loop);
  virtual ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Sets an option. Only a bug or a lack of memory can make that fail: then it terminates.
  template <class Value>
  void set(CURLoption option, Value value) {
    check(curl_easy_setopt(handle_, option, value));
  }
  long response_code() const;
  // libcurl's words for what went wrong.
  std::string explain(CURLcode code) const;
  // Makes the peer's next silence an end: libcurl says QUIT to a mail server and then would block
  // the loop until the server answers that.
  void stop_listening() const;

 private:
  friend class CurlLoop;
  static void check(CURLcode code);

  CURL* handle_;
  int socket_ = -1;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::move_only_function<void(CURLcode)> done_;
};

// Lives as a shared_ptr: waits that the event loop still holds share it. For one loop.
class CurlLoop : public std::enable_shared_from_this<CurlLoop> {
 public:
  CurlLoop(Executor executor, long max_connections);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // Performs the transfer to its end. CURLE_ABORTED_BY_CALLBACK if `close` came first.
  Task<CURLcode> perform(Transfer& transfer);

  // Ends everything in flight and closes all connections.
  void close();

 private:
  friend class Transfer;
  struct Watch;
  using Done = std::move_only_function<void(CURLcode)>;

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* watch);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t fd);

  void start(Transfer& transfer, Done done);
  std::shared_ptr<Watch> watch(curl_socket_t fd, bool ours);
  void arm(const std::shared_ptr<Watch>& watch);
  void set_timer(long timeout_ms);
  void arm_timer();
  void act(curl_socket_t fd, int events);
  void collect();
  void finish(Transfer& transfer, CURLcode code);

  Executor executor_;
  CURLM* multi_;
  Timer timer_;
  std::chrono::steady_clock::time_point due_ = k_never;        // when libcurl wants to be called
  std::chrono::steady_clock::time_point armed_for_ = k_never;  // when the timer will fire
  bool acting_ = false;
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::unordered_set<Transfer*> in_flight_;

  static constexpr auto k_never = std::chrono::steady_clock::time_point::max();
};

}  // namespace otpd::net
