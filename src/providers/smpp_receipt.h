// The receipts of an SMSC: what a deliver_sm says about a message that it took.
//
// Sources: SMPP 3.4, sections 5.2.12 (esm_class), 5.3.2.35 (message_state) and appendix B (the
// text, of which the specification itself says that it is the vendor's).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "delivery/receipt.h"
#include "net/smpp_pdu.h"

namespace otpd::providers {

struct SmppReceipt {
  delivery::Receipt::State state = delivery::Receipt::State::on_its_way;
  std::string message_id;    // as the SMSC spells it
  bool id_from_tlv = false;  // from receipted_message_id, else from the text
  std::string reason;        // of a failure: the state's name and the error code
};

// What `message` says, if it is a receipt: TLVs count more than the text. Nothing if it is another
// message, or names no message or no state. Pure.
std::optional<SmppReceipt> read_smpp_receipt(const net::SmppMessage& message);

}  // namespace otpd::providers
