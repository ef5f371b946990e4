// RedisConnection: one pipelined connection to one node, made again whenever it is lost.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "net/connection_set.h"
#include "net/redis_command.h"
#include "net/redis_link.h"

namespace otpd::net {

// What a connection counts.
struct RedisConnectionMetrics {
  Counter reconnects;    // otpd_redis_reconnects_total
  Counter unreplicated;  // otpd_redis_unreplicated_total
};

// What came of an ask.
struct RedisHeard {
  Result<RedisAnswer> answer;  // failures: unavailable, timeout, overloaded
  bool maybe_done = false;     // of a failure: the node may have done it
};

struct RedisAsk {
  const RedisCall* call;  // until it is answered
  RedisForm form = RedisForm::digest;
  bool asking = false;  // with ASKING before it
  Steady::time_point deadline;
};

// For one loop; make it as a shared_ptr. Nothing happens before the first ask(). What is asked in
// one turn of the loop is written at once. Answers are handed over on the loop, out of the reading.
//
// States: *fresh* (never connected, or a connection that worked has ended: calls wait for the
// attempt under way), *up*, and *down* (the last attempt failed, or a call waited in vain: calls
// fail at once, and the next attempts come with backoff and jitter). A connection that has nothing
// to do asks every call_timeout whether the node is still there (PING).
class RedisConnection : public std::enable_shared_from_this<RedisConnection> {
 public:
  // With `replicating`, WAIT 1 follows the calls of each write, the answers to those that are
  // `replicated` come when it is answered, and the next write comes then. So calls that need not
  // wait belong on another connection. While no replica answers, the WAITs are a tenth as long.
  RedisConnection(Executor loop, std::shared_ptr<const RedisConfig> config, RedisNode node,
                  bool replicating, RedisConnectionMetrics metrics);

  // The answer, or why there is none, no later than the deadline (to some milliseconds). A call
  // that waited for half of the call_timeout in vain ends the connection.
  Task<RedisHeard> ask(RedisAsk ask);
  // Begins to connect, if nothing has begun.
  void start();

  const RedisNode& node() const { return node_; }
  bool is_down() const { return state_ == State::down; }
  bool is_up() const { return state_ == State::up; }
  bool is_idle() const { return entries_.empty() && held_.empty(); }
  // For good; what waits fails.
  void close();

 private:
  using Done = std::move_only_function<void(RedisHeard)>;
  enum class State : std::uint8_t { fresh, up, down };
  enum class Kind : std::uint8_t { call, asking, wait };

  // Something written, or to be written, that has one answer.
  struct Entry {
    Kind kind = Kind::call;
    bool replicated = false;
    Steady::time_point asked;
    Steady::time_point deadline;
    Done done;  // null: nobody waits any more
  };
  struct Held {
    Entry entry;
    RedisAnswer answer;
  };

  // The connection (redis_connection.cc).
  Task<void> run();
  Task<std::string> serve();
  Task<std::string> read_all(std::shared_ptr<Link> link);
  Task<void> beat(std::shared_ptr<Link> link);
  Task<void> pause();
  void leave(const std::string& why);
  void end_link(std::string why);

  // What is asked and answered (redis_pipeline.cc).
  std::optional<Error> refuses() const;
  void enqueue(const RedisAsk& ask, Done done);
  void flush_soon();
  void flush();
  void append_wait();
  Task<void> write_all(std::shared_ptr<Link> link);
  bool on_answer(RedisAnswer answer);
  void on_waited(const RedisAnswer& answer);
  void fail_all(const std::string& why);
  void watch_deadline(Steady::time_point deadline);
  void expire();
  void expire(Entry& entry, Steady::time_point now);

  const Executor loop_;
  const std::shared_ptr<const RedisConfig> config_;
  const RedisNode node_;
  const bool replicating_;
  const RedisConnectionMetrics metrics_;
  SeededRandom random_;

  State state_ = State::fresh;
  bool running_ = false;
  bool over_ = false;
  std::shared_ptr<Link> link_;  // while up
  std::string why_;             // why we end it, if we do
  bool suspected_ = false;      // a call waited in vain
  std::uint32_t failures_ = 0;  // attempts in a row without a lasting connection
  bool was_up_ = false;
  Timer pause_timer_;
  Timer beat_timer_;
  RedisCall ping_;

  std::string out_;            // what waits to be written
  std::string writing_bytes_;  // what is being written
  bool writing_ = false;
  bool flush_posted_ = false;
  bool waiting_ = false;          // for the answer to a WAIT
  bool degraded_ = false;         // the last WAIT found no replica
  std::size_t to_replicate_ = 0;  // calls in out_
  std::deque<Entry> entries_;     // in the order of their answers
  std::size_t sent_ = 0;          // so many of them may have reached the node
  std::vector<Held> held_;
  std::size_t waiters_ = 0;  // entries and held with a caller
  Timer deadline_timer_;
  Steady::time_point watched_ = Steady::time_point::max();  // when the timer looks
};

}  // namespace otpd::net
