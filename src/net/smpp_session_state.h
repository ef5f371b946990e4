// The inside of SmppSession. Included by smpp_session*.cc only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>

#include "net/connection_set.h"
#include "net/smpp_session.h"

namespace otpd::net {

inline constexpr std::size_t k_smpp_read_bytes = 4'096;

// One connection: from the bind until it ends.
struct SmppWire {
  explicit SmppWire(std::shared_ptr<Link> l) : link(std::move(l)) {}
  SmppWire(const SmppWire&) = delete;
  SmppWire& operator=(const SmppWire&) = delete;
  ~SmppWire() {
    wipe(in);
    wipe(out);
  }

  std::shared_ptr<Link> link;
  std::string in = std::string(k_smpp_read_bytes, '\0');  // where the socket's bytes arrive
  SmppReader reader;
  std::string out;       // what waits to be written
  bool writing = false;  // a coroutine writes
  Steady::time_point begun = Steady::now();
  Steady::time_point heard = begun;               // when the last PDU came
  std::optional<Steady::time_point> asked;        // when enquire_link went out without an answer
  std::optional<Steady::time_point> bound_since;  // nothing before the SMSC's yes
  std::uint32_t bind_sequence = 0;
  std::string why;  // why we close it, if we do
};

// Lives as long as one of its coroutines runs. Everything happens on the loop.
class SmppSession::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor loop, SmppSessionConfig config, Secret bind_body, Random& random,
        OnDeliver on_deliver);

  void start();
  void end();
  bool is_bound() const { return wire_ && wire_->bound_since; }
  Task<Result<SmppAnswer>> submit(Secret body, Millis timeout);

 private:
  struct Submit {
    std::uint64_t ticket;
    Secret body;
    Callback<Result<SmppAnswer>> done;
  };

  // The connection (smpp_session.cc).
  Task<void> run();
  Task<std::string> connect_and_serve();
  Task<std::string> read_all(std::shared_ptr<SmppWire> wire);
  Task<void> watch(std::shared_ptr<SmppWire> wire);
  Task<void> write_all(std::shared_ptr<SmppWire> wire);
  Task<void> pause();
  bool look(SmppWire& wire);
  Steady::time_point next_look(const SmppWire& wire) const;
  void leave(const std::string& why);
  void send(SmppHeader header, std::string_view body);
  void say_last(SmppHeader header);
  void close(std::string why);

  // What is said (smpp_session_talk.cc).
  void on_pdu(const SmppPdu& pdu);
  void on_bind_answer(const SmppPdu& pdu);
  void on_submit_answer(const SmppPdu& pdu);
  void on_deliver(const SmppPdu& pdu);
  void on_other(const SmppPdu& pdu);
  void pump();
  void forget(std::uint64_t ticket);
  void fail_in_flight(const std::string& why);
  void answer_waiting(const Result<SmppAnswer>& answer);
  std::uint32_t next_sequence();

  const Executor loop_;
  const SmppSessionConfig config_;
  const Secret bind_body_;
  Random& random_;
  OnDeliver on_deliver_;

  std::shared_ptr<SmppWire> wire_;  // null while there is no connection
  bool over_ = false;
  std::uint32_t failures_ = 0;  // connections in a row that did not last
  Steady::time_point down_since_ = Steady::now();
  std::optional<std::uint32_t> bind_refusal_;  // the status of the last bind, if it was a no
  Millis last_pause_{0};
  Timer pause_timer_;
  Timer watch_timer_;

  std::uint64_t last_ticket_ = 0;
  std::uint32_t last_sequence_ = 0;
  std::map<std::uint64_t, Submit> waiting_;    // by ticket: first come, first served
  std::map<std::uint32_t, Submit> in_flight_;  // by sequence number
};

}  // namespace otpd::net
