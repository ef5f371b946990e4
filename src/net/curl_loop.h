// CurlLoop: libcurl's multi interface driven by one event loop.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/task.h"
#include "net/curl_handle.h"

namespace otpd::net {

class CurlLoop;

// An easy handle that a CurlLoop can perform; reusable.
class Transfer : public CurlHandle {
 public:
  explicit Transfer(CurlLoop& loop);

 protected:
  // For the next performance: whether it may go to public addresses only.
  void set_public_only(bool only) {
    public_only_ = only;
    refused_address_ = false;
  }
  // Whether it may go to `address`, in text or as libcurl has it; a no is remembered.
  bool may_go_to(const char* address);
  bool may_go_to(const curl_sockaddr& address);
  bool refused_address() const { return refused_address_; }

 private:
  friend class CurlLoop;
  CurlLoop& loop_;
  bool public_only_ = false;
  bool refused_address_ = false;
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
