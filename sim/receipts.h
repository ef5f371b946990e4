// Receipts: tells the senders what became of their messages.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "faults.h"
#include "inbox.h"
#include "net/http_message.h"

namespace otpd::sim {

enum class ReceiptState : std::uint8_t { sent, delivered, failed };

// The states to tell, in order, in that mode.
std::vector<ReceiptState> receipt_steps(ReceiptMode mode);

struct ReceiptPost {
  std::string url;
  net::Headers headers;
  std::string body;
};

// The request that tells one state.
using MakePost = std::function<ReceiptPost(ReceiptState)>;
// Tells one state and says whether somebody took it.
using TellState = std::function<Task<bool>(ReceiptState)>;

// Each receipt is told once; whoever does not take it (HTTP: with a 2xx within 10 s) has missed it.
class Receipts {
 public:
  static constexpr std::size_t k_max_pending = 50'000;  // messages; of more, no receipt is told

  // Works on `loop`; to be destroyed when that has stopped. `inbox` counts and must outlive it.
  Receipts(boost::asio::io_context& loop, Inbox& inbox);
  ~Receipts();

  // Starts telling as the fate's plan says; returns at once. Safe from any thread.
  void post(Face face, const Fate& fate, MakePost make);
  void tell(Face face, const Fate& fate, std::vector<ReceiptState> steps, TellState tell);

 private:
  struct State;
  boost::asio::io_context& loop_;
  std::shared_ptr<State> state_;
};

}  // namespace otpd::sim
