#include "net/mail_pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "net/curl_handle.h"

namespace otpd::net {

using SteadyClock = std::chrono::steady_clock;

MailJob::MailJob(const MailCall& c)
    : call(c),
      password(std::string(c.password)),
      to(std::string(c.to)),
      message(std::string(c.message)),
      deadline(SteadyClock::now() + c.timeout) {
  call.password = call.to = call.message = {};
}

// The easy handle of one thread and the connection that it keeps.
class MailPool::Worker {
 public:
  explicit Worker(const ClientConfig& config) {
    curl_.set_config(config);
    ca_file_ = curl_.text_info(CURLINFO_CAINFO);
    ca_path_ = curl_.text_info(CURLINFO_CAPATH);
    curl_.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_.set(CURLOPT_UPLOAD, 1L);
    curl_.set(CURLOPT_READFUNCTION, &Worker::on_read);
    curl_.set(CURLOPT_READDATA, this);
    curl_.set(CURLOPT_HEADERFUNCTION, &Worker::on_reply);
    curl_.set(CURLOPT_HEADERDATA, this);
    curl_.set(CURLOPT_OPENSOCKETFUNCTION, &Worker::on_open);
    curl_.set(CURLOPT_OPENSOCKETDATA, this);
    curl_.set(CURLOPT_CLOSESOCKETFUNCTION, &Worker::on_close);
    curl_.set(CURLOPT_CLOSESOCKETDATA, this);
    curl_.set(CURLOPT_NOPROGRESS, 0L);
    curl_.set(CURLOPT_XFERINFOFUNCTION, &Worker::on_progress);
    curl_.set(CURLOPT_XFERINFODATA, this);
  }
  // Without a connection libcurl has nobody to say good-bye to and to wait for.
  ~Worker() { interrupt(); }

  Result<MailAnswer> send(const MailJob& job, Millis time_left) {
    const MailCall& call = job.call;
    answer_ = {};
    rest_ = job.message.reveal();
    CurlList recipients;
    recipients.add(std::string(job.to.reveal()));
    curl_.forget_error();
    curl_.set(CURLOPT_URL, call.url.c_str());
    curl_.set_timeouts(std::min(call.connect_timeout, time_left), time_left);
    curl_.set(CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max<long>(1, time_left / Seconds(1)));
    curl_.set(CURLOPT_USE_SSL,
              static_cast<long>(call.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    trust(call.ca_file);
    curl_.set_login(call.user, job.password.reveal());
    curl_.set(CURLOPT_MAIL_FROM, call.from.c_str());
    curl_.set(CURLOPT_MAIL_RCPT, recipients.get());
    curl_.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(rest_.size()));
    const CURLcode code = curl_easy_perform(curl_.get());
    curl_.set(CURLOPT_MAIL_RCPT, nullptr);
    if (stopping_) return std::unexpected(curl_.to_error(CURLE_ABORTED_BY_CALLBACK));
    const bool refused = answer_.status >= 400 && code != CURLE_OPERATION_TIMEDOUT;
    if (code != CURLE_OK && !refused) return std::unexpected(curl_.to_error(code));
    return std::move(answer_);
  }

  // Ends the connection and what is under way. Safe from any thread.
  void interrupt() {
    stopping_ = true;
    shut(SHUT_RDWR);
  }

 private:
  void trust(const std::string& ca_file) {
    const auto or_null = [](const std::string& text) {
      return text.empty() ? nullptr : text.c_str();
    };
    curl_.set(CURLOPT_CAINFO, or_null(ca_file.empty() ? ca_file_ : ca_file));
    curl_.set(CURLOPT_CAPATH, ca_file.empty() ? or_null(ca_path_) : nullptr);
  }

  void shut(int how) {
    const std::lock_guard lock(socket_mutex_);
    if (socket_ >= 0) ::shutdown(socket_, how);
  }

  static std::size_t on_read(char* out, std::size_t, std::size_t size, void* self_) {
    auto* self = static_cast<Worker*>(self_);
    const std::size_t count = std::min(size, self->rest_.size());
    self->rest_.copy(out, count);
    self->rest_.remove_prefix(count);
    return count;
  }

  static std::size_t on_reply(const char* bytes, std::size_t, std::size_t size, void* self_) {
    auto* self = static_cast<Worker*>(self_);
    std::string_view line(bytes, size);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return size;
    if (line.starts_with("221")) return size;  // good-bye: what was said before counts
    const int before = self->answer_.status;
    self->answer_.status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    self->answer_.reply = line;
    const bool is_last_line = line.size() == 3 || line[3] == ' ';
    // libcurl would say QUIT now, and wait for the answer: it finds the end instead.
    if (is_last_line && ends_the_mail(self->answer_.status, before)) self->shut(SHUT_RD);
    return size;
  }

  // Whether libcurl gives up after this reply. A refused EHLO (which comes after 220) or AUTH does
  // not end the mail: it tries HELO, or another mechanism.
  static bool ends_the_mail(int status, int before) {
    const bool about_command_or_login =
        (status >= 500 && status <= 504) || (status >= 530 && status <= 539);
    return status >= 400 && !about_command_or_login && before != 220 && before != 334;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Worker*>(self)->stopping_ ? 1 : 0;
  }

  static curl_socket_t on_open(void* self_, curlsocktype, curl_sockaddr* address) {
    auto* self = static_cast<Worker*>(self_);
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    const std::lock_guard lock(self->socket_mutex_);
    self->socket_ = fd;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
  }

  static int on_close(void* self_, curl_socket_t fd) {
    auto* self = static_cast<Worker*>(self_);
    const std::lock_guard lock(self->socket_mutex_);
    if (self->socket_ == fd) self->socket_ = -1;
    return ::close(fd);
  }

  std::mutex socket_mutex_;
  int socket_ = -1;
  std::atomic<bool> stopping_{false};
  MailAnswer answer_;
  std::string_view rest_;
  std::string ca_file_;  // the client's authorities
  std::string ca_path_;
  CurlHandle curl_;  // last: its end still calls on_close
};

MailPool::MailPool(const ClientConfig& config) : config_(config) {}

MailPool::~MailPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& worker : workers_) worker->interrupt();
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  for (const auto& waiting : waiting_) {
    waiting->done(fail(Failure::unavailable, "the client was closed"));
  }
}

void MailPool::send(MailJob job, Callback<Result<MailAnswer>> done) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= k_max_waiting) {
    return done(fail(Failure::overloaded, "too many mails wait"));
  }
  waiting_.push_back(std::make_unique<Waiting>(std::move(job), std::move(done)));
  if (idle_ < waiting_.size() && workers_.size() < std::max<std::size_t>(1, config_.mail_threads)) {
    workers_.push_back(std::make_unique<Worker>(config_));
    ++idle_;
    threads_.emplace_back([this, worker = workers_.back().get()] { work(*worker); });
  }
  wake_.notify_one();
}

// The next mail; null when the pool ends.
std::unique_ptr<MailPool::Waiting> MailPool::next() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return nullptr;
  --idle_;
  std::unique_ptr<Waiting> waiting = std::move(waiting_.front());
  waiting_.pop_front();
  return waiting;
}

void MailPool::work(Worker& worker) {
  while (const std::unique_ptr<Waiting> waiting = next()) {
    const auto left =
        std::chrono::duration_cast<Millis>(waiting->job.deadline - SteadyClock::now());
    Result<MailAnswer> answer = left > Millis(0)
                                    ? worker.send(waiting->job, left)
                                    : fail(Failure::timeout, "no thread was free to send the mail");
    {
      const std::lock_guard lock(mutex_);
      ++idle_;  // before `done`: who then sends the next mail finds this thread
    }
    waiting->done(std::move(answer));
  }
}

}  // namespace otpd::net
