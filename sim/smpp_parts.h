// SmppParts: long messages put together again from the parts that submit_sm carries.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "smpp_pdu.h"

namespace otpd::sim::smpp {

// Which part of which message; {0, 1, 1} of one that is whole.
struct Part {
  std::uint32_t reference = 0;
  std::uint8_t total = 1;
  std::uint8_t number = 1;  // from 1
  std::string bytes;        // without the user data header
};

// The part that the message carries: by a user data header with concatenation (esm_class 0x40), by
// the sar_ options, or whole. Nothing if its header or numbers contradict themselves.
std::optional<Part> part_of(const ShortMessage& message);

// The text of whole message bytes: data_coding 0 is GSM 03.38, 1 ASCII, 3 Latin-1, 8 UCS-2.
// Nothing for any other.
std::optional<std::string> decode_text(std::uint8_t data_coding, const std::string& bytes);

// Collects parts, of the newest k_max_pending messages. For one thread.
class PartCollector {
 public:
  static constexpr std::size_t k_max_pending = 200;

  // The bytes of the whole message, when this was its last missing part.
  std::optional<std::string> add(const std::string& sender, const std::string& recipient,
                                 Part part);

 private:
  struct Pending {
    std::string key;
    std::vector<std::optional<std::string>> parts;
  };
  std::deque<Pending> pending_;
};

}  // namespace otpd::sim::smpp
