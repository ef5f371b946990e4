// ReadBuffer: what was received and not yet understood.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstring>
#include <string>
#include <string_view>

namespace otpd::net {

// A contiguous queue of bytes with a maximum. For one thread.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  std::string_view view() const { return std::string_view(bytes_).substr(begin_, end_ - begin_); }
  bool empty() const { return begin_ == end_; }

  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room for more behind what is there; empty when the maximum is reached. Invalidates views.
  boost::asio::mutable_buffer prepare() {
    if (begin_ > 0) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == bytes_.size()) bytes_.resize(std::min(max_bytes_, bytes_.size() + k_step_bytes));
    return boost::asio::buffer(bytes_.data() + end_, bytes_.size() - end_);
  }
  // Says that `count` bytes of the room were filled.
  void commit(std::size_t count) { end_ += count; }

 private:
  static constexpr std::size_t k_step_bytes = 4096;
  std::size_t max_bytes_;
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace otpd::net
