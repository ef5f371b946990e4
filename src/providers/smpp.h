// Smpp: text messages through an SMSC (SMPP 3.4).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "delivery/provider.h"
#include "net/smpp_session.h"
#include "providers/smpp_ids.h"

namespace otpd::providers {

struct SmppConfig {
  net::SmppSessionConfig session;
  std::string from;  // a number with or without '+', a short code, or a name of at most 11 bytes
  std::optional<std::uint8_t> source_ton;  // nothing: what smpp_sender() makes of `from`
  std::optional<std::uint8_t> source_npi;
  SmppHexIds hex_ids = SmppHexIds::automatic;
  std::size_t max_parts = 6;  // messages of one text
};

// The sender as the SMSC wants it: a name is alphanumeric (TON 5, NPI 0); up to 6 digits are a
// short code (network specific, TON 3, NPI 0); other digits, without their '+', are international
// (TON 1, NPI 1). Pure.
net::SmppAddress smpp_sender(const std::string& from, std::optional<std::uint8_t> ton,
                             std::optional<std::uint8_t> npi);

// `valid_for` as a relative validity_period (section 7.1.1.1): whole seconds, at least one, at most
// 99 days. Pure.
std::string smpp_validity(Millis valid_for);

// What an answer means. Pure.
delivery::Outcome classify_smpp(const net::SmppAnswer& answer);

// Failure::invalid naming the setting that is missing or cannot be. The provider connects at once
// and runs on `loop`; it is to be destroyed on, or after the end of, the loop,
// when nothing is being sent. `random` must
// outlive it. `sink` gets the receipts, on the loop; they name messages by Outcome::message_id
// (see SmppIds) and may come before the Outcome.
//
// A text of several messages is accepted when every one of them is; its id is the first's. See
// SmppParts for its receipts.
Result<std::unique_ptr<delivery::Provider>> make_smpp(SmppConfig config,
                                                      boost::asio::io_context& loop, Random& random,
                                                      delivery::ReceiptSink sink);

}  // namespace otpd::providers
