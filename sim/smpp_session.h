// SmppSession: one connection to the simulated message centre. Used by smpp_face.cc only.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "net/connection_set.h"
#include "net/read_buffer.h"
#include "smpp_face.h"
#include "smpp_parts.h"
#include "smpp_pdu.h"

namespace otpd::sim {

class SmppSession;

// What the sessions share. On one loop.
struct SmppService {
  SmppAccount account;
  Inbox& inbox;
  Faults& faults;
  Receipts& receipts;
  const Clock& clock;
  std::set<SmppSession*> open;

  // A bound session that takes receipts, `first` if it does; null if there is none.
  std::shared_ptr<SmppSession> receiver(const std::weak_ptr<SmppSession>& first) const;
};

class SmppSession final : public net::Connection, public std::enable_shared_from_this<SmppSession> {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
  static constexpr Millis k_idle_limit{300'000};
  static constexpr Millis k_receipt_limit{10'000};
  static constexpr std::size_t k_max_in_flight = 5'000;       // submit_sm without their answer
  static constexpr std::size_t k_max_output_bytes = 1 << 22;  // not yet taken; then it ends

  SmppSession(Socket socket, std::shared_ptr<SmppService> service,
              std::shared_ptr<net::ConnectionSet> siblings);
  ~SmppSession() override;

  void start();
  bool receives() const { return receives_ && socket_.is_open(); }
  // Sends a deliver_sm; whether it was answered with success in time.
  Task<bool> deliver(std::string body);

  void expire() override { abort(); }
  void drain() override { abort(); }
  void abort() override;

 private:
  Task<void> run();
  bool take_all();
  bool take(smpp::Pdu pdu);
  void bind(const smpp::Pdu& pdu);
  void answered(const smpp::Pdu& pdu);
  Task<void> submit(smpp::Pdu pdu);
  void spoil(const smpp::Pdu& pdu, const Fate& fate);
  void settle(const smpp::Pdu& pdu, const Fate& fate);
  void send_receipts(const smpp::ShortMessage& message, const std::string& id, const Fate& fate);

  void answer(const smpp::Pdu& request, std::uint32_t status, std::string body = {});
  void send(std::string bytes);
  Task<void> write_all();
  void reset();

  Socket socket_;
  std::shared_ptr<SmppService> service_;
  std::shared_ptr<net::ConnectionSet> siblings_;
  net::ReadBuffer input_{smpp::k_max_pdu_bytes};
  std::string output_;
  bool writing_ = false;
  bool closing_ = false;  // once all is written
  bool bound_ = false;
  bool submits_ = false;
  bool receives_ = false;
  std::size_t in_flight_ = 0;
  std::uint32_t next_sequence_ = 1;
  std::map<std::uint32_t, Callback<Result<bool>>> deliveries_;  // by sequence number
  smpp::PartCollector parts_;
};

}  // namespace otpd::sim
