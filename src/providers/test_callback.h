// CallbackCase: a carrier's callback as a test wants it, and what a reader makes of it in one line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "delivery/receipt.h"

namespace otpd::providers {

struct CallbackCase {
  std::string method = "POST";
  std::string url = "https://otp.example.com/callbacks/x?m=1";
  std::string query = "m=1";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  // "state id reason" of each receipt, joined by ", "; or "invalid".
  std::string read_by(const delivery::ReceiptReader& reader, TimePoint now) const {
    const auto receipts = reader.read({method, url, query, body, headers}, now);
    if (!receipts) {
      return receipts.error().kind == Failure::invalid ? "invalid" : "another failure";
    }
    constexpr const char* k_states[] = {"on_its_way", "delivered", "failed"};
    std::string out;
    for (const auto& receipt : *receipts) {
      if (!out.empty()) out += ", ";
      out += k_states[static_cast<std::size_t>(receipt.state)];
      out += " " + receipt.message_id;
      if (!receipt.reason.empty()) out += " " + receipt.reason;
    }
    return out;
  }
};

}  // namespace otpd::providers
