#include "net/curl_loop.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdlib>

#include "net/public_address.h"

namespace otpd::net {
namespace {

using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;

}  // namespace

// A socket of libcurl's, registered with the event loop for as long as it is open: most calls go
// over a kept connection and then register nothing.
struct CurlLoop::Watch {
  Watch(Executor executor, curl_socket_t socket, bool is_ours)
      : descriptor(executor, socket), fd(socket), ours(is_ours) {}

  Descriptor descriptor;
  curl_socket_t fd;
  bool ours;  // opened by on_open and closed by on_close; others are libcurl's own
  bool open = true;
  int interest = CURL_POLL_NONE;
  bool reading = false;  // a wait is outstanding
  bool writing = false;
};

Transfer::Transfer(CurlLoop& loop) : loop_(loop) {
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlLoop::on_open);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, &CurlLoop::on_close);
  set(CURLOPT_CLOSESOCKETDATA, &loop);
}

bool Transfer::may_go_to(const char* address) {
  const bool may = !public_only_ || is_public_address(address);
  refused_address_ = refused_address_ || !may;
  return may;
}

bool Transfer::may_go_to(const curl_sockaddr& address) {
  if (!public_only_) return true;
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.addr);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
  } else if (address.family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.addr);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  }
  return may_go_to(text);
}

CurlLoop::CurlLoop(Executor executor, long max_connections)
    : executor_(executor), multi_(curl_multi_init()), timer_(executor) {
  if (multi_ == nullptr) std::abort();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, max_connections);
}

CurlLoop::~CurlLoop() {
  close();
}

void CurlLoop::close() {
  if (multi_ == nullptr) return;
  while (!in_flight_.empty()) finish(**in_flight_.begin(), CURLE_ABORTED_BY_CALLBACK);
  curl_multi_cleanup(std::exchange(multi_, nullptr));
  timer_.cancel();
}

Task<CURLcode> CurlLoop::perform(Transfer& transfer) {
  auto initiate = [](auto handler, CurlLoop* self, Transfer* what) {
    const Executor executor = boost::asio::get_associated_executor(handler);
    self->start(*what, [executor, h = std::move(handler)](CURLcode code) mutable {
      boost::asio::post(executor, [h = std::move(h), code]() mutable { h(code); });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                 void(CURLcode)>(initiate, use_task, this,
                                                                 &transfer);
}

void CurlLoop::start(Transfer& transfer, Done done) {
  transfer.done_ = std::move(done);
  transfer.forget_error();
  in_flight_.insert(&transfer);
  if (multi_ == nullptr) return finish(transfer, CURLE_ABORTED_BY_CALLBACK);
  acting_ = true;  // the immediate time-out that adding asks for is served here and now
  const CURLMcode added = curl_multi_add_handle(multi_, transfer.get());
  acting_ = false;
  if (added != CURLM_OK) return finish(transfer, CURLE_FAILED_INIT);
  act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlLoop::finish(Transfer& transfer, CURLcode code) {
  if (multi_ != nullptr) curl_multi_remove_handle(multi_, transfer.get());
  in_flight_.erase(&transfer);
  Done done = std::exchange(transfer.done_, nullptr);
  done(code);
}

void CurlLoop::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  collect();
}

void CurlLoop::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(*reinterpret_cast<Transfer*>(transfer), message->data.result);
  }
}

curl_socket_t CurlLoop::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(self);
  if (!transfer->may_go_to(*address)) return CURL_SOCKET_BAD;
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  transfer->loop_.watch(fd, true);
  return fd;
}

int CurlLoop::on_close(void* self, curl_socket_t fd) {
  auto& watches = static_cast<CurlLoop*>(self)->watches_;
  const auto it = watches.find(fd);
  if (it == watches.end()) return ::close(fd);
  const std::shared_ptr<Watch> watch = it->second;
  watches.erase(it);
  watch->open = false;
  boost::system::error_code ignored;
  watch->descriptor.close(ignored);
  return 0;
}

int CurlLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self_, void*) {
  auto* self = static_cast<CurlLoop*>(self_);
  const auto it = self->watches_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (it == self->watches_.end()) return 0;
    const std::shared_ptr<Watch> watch = it->second;
    watch->interest = CURL_POLL_NONE;
    if (!watch->ours) {
      watch->open = false;
      watch->descriptor.release();
      self->watches_.erase(it);
    }
    return 0;
  }
  const std::shared_ptr<Watch> watch =
      it == self->watches_.end() ? self->watch(fd, false) : it->second;
  watch->interest = what;
  self->arm(watch);
  return 0;
}

std::shared_ptr<CurlLoop::Watch> CurlLoop::watch(curl_socket_t fd, bool ours) {
  auto watch = std::make_shared<Watch>(executor_, fd, ours);
  watches_[fd] = watch;
  return watch;
}

void CurlLoop::arm(const std::shared_ptr<Watch>& watch) {
  if (!watch->open) return;
  if ((watch->interest & CURL_POLL_IN) != 0 && !watch->reading) {
    watch->reading = true;
    watch->descriptor.async_wait(Descriptor::wait_read,
                                 [self = shared_from_this(), watch](boost::system::error_code ec) {
                                   watch->reading = false;
                                   if (ec || !watch->open || (watch->interest & CURL_POLL_IN) == 0)
                                     return;
                                   self->act(watch->fd, CURL_CSELECT_IN);
                                   self->arm(watch);
                                 });
  }
  if ((watch->interest & CURL_POLL_OUT) != 0 && !watch->writing) {
    watch->writing = true;
    watch->descriptor.async_wait(Descriptor::wait_write,
                                 [self = shared_from_this(), watch](boost::system::error_code ec) {
                                   watch->writing = false;
                                   if (ec || !watch->open || (watch->interest & CURL_POLL_OUT) == 0)
                                     return;
                                   self->act(watch->fd, CURL_CSELECT_OUT);
                                   self->arm(watch);
                                 });
  }
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) {
  static_cast<CurlLoop*>(self)->set_timer(timeout_ms);
  return 0;
}

void CurlLoop::set_timer(long timeout_ms) {
  if (timeout_ms < 0) {
    due_ = k_never;  // a timer that is armed finds nothing to do
    return;
  }
  if (timeout_ms == 0 && acting_) return;
  due_ = std::chrono::steady_clock::now() + Millis(timeout_ms);
  if (due_ < armed_for_) arm_timer();
}

// libcurl moves its time-out with every call; the timer is only moved when it must fire earlier.
void CurlLoop::arm_timer() {
  armed_for_ = due_;
  timer_.expires_at(due_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (cancelled || self->multi_ == nullptr) return;
    self->armed_for_ = k_never;
    if (self->due_ == k_never) return;
    if (std::chrono::steady_clock::now() < self->due_) return self->arm_timer();
    self->due_ = k_never;
    self->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

}  // namespace otpd::net
