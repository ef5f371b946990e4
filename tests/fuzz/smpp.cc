// What an SMSC sends: any bytes, in any cut, are PDUs or end the stream; what is read is written
// back alike, and what is told of a receipt is short. The rest of the input is a text to be sent.
#include <vector>

#include "fuzz.h"
#include "net/gsm0338.h"
#include "net/smpp_pdu.h"
#include "providers/smpp_ids.h"
#include "providers/smpp_receipt.h"

namespace {

using namespace otpd;

void check_message(std::string_view body) {
  const auto message = net::read_smpp_message(body);
  if (!message) return;
  const auto written = net::write_smpp_message(*message);
  fuzz::require(written && written->reveal() == body, "a message both ways");
  const auto receipt = providers::read_smpp_receipt(*message);
  if (!receipt) return;
  fuzz::require(!receipt->message_id.empty(), "a receipt names its message");
  fuzz::require(receipt->reason.size() <= 32, "a reason is short");
  providers::SmppIds ids(providers::SmppHexIds::automatic);
  const std::string id = ids.of_receipt(receipt->message_id);
  fuzz::require(id.size() <= 64, "an id is short");
  fuzz::require(ids.of_receipt(id) == id || id.empty(), "a canonical id stays");
}

void check_stream(std::string_view bytes, std::size_t step) {
  net::SmppReader reader;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    reader.feed(bytes.substr(0, step));
    for (auto pdu = reader.next(); pdu && *pdu; pdu = reader.next()) {
      const std::string_view body = (*pdu)->body.reveal();
      check_message(body);
      if (const auto bind = net::read_smpp_bind(body)) {
        fuzz::require(net::write_smpp_bind(*bind)->reveal() == body, "a bind both ways");
      }
      if (const auto id = net::read_smpp_message_id(body)) {
        fuzz::require(id->size() <= 64, "a message id is short");
      }
    }
  }
}

void check_text(std::string_view utf8) {
  const auto text = net::encode_sms(utf8, 1, 255);
  if (!text) return;
  const bool gsm = text->alphabet == net::SmsAlphabet::gsm7;
  std::string said;
  for (const Secret& secret : text->parts) {
    std::string_view part = secret.reveal();
    fuzz::require(part.size() <= (gsm ? 160 : 140), "a part fits into a message");
    if (text->has_header()) part.remove_prefix(6);
    const auto decoded = gsm ? net::decode_gsm7(part) : net::decode_ucs2(part);
    fuzz::require(decoded.has_value(), "no character is split");
    said += *decoded;
  }
  fuzz::require(said == utf8, "the parts say the text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  if (bytes.empty()) return 0;
  check_stream(bytes.substr(1), 1 + static_cast<unsigned char>(bytes[0]));
  check_message(bytes.substr(1));
  check_text(bytes);
  (void)net::decode_gsm7(bytes);
  (void)net::decode_ucs2(bytes);
  return 0;
}
