// SmppIds: one spelling of a message id, however the SMSC writes it.
//
// SMSCs name a message in hexadecimal when they accept it and in decimal in its receipt, pad it
// with zeros, or change its case. What is compared and kept is the canonical spelling: a number is
// decimal without leading zeros, other hexadecimal text is in lower case, the rest stays.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace otpd::providers {

enum class SmppHexIds : std::uint8_t {
  automatic,  // an id with a letter is hexadecimal; one of digits alone is so as soon as a receipt
              // has named one of the last messages in decimal
  on,         // the ids of acceptances are hexadecimal, those of receipts' texts decimal
  off,        // ids are never converted
};

// For one thread.
class SmppIds {
 public:
  explicit SmppIds(SmppHexIds mode) : mode_(mode) {}

  // The canonical spelling of the id in submit_sm_resp, or in receipted_message_id, which repeats
  // it. Empty for an id that is longer than 64 bytes or not of visible ASCII.
  std::string of_answer(std::string_view id);
  // The same of the id in a receipt's text.
  std::string of_receipt(std::string_view id);

 private:
  const SmppHexIds mode_;
  bool learned_hex_ = false;
  std::array<std::string, 64> recent_;  // canonical ids that were hexadecimal in the answer
  std::size_t next_recent_ = 0;
};

}  // namespace otpd::providers
