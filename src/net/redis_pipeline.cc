#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "net/redis_connection.h"

namespace otpd::net {
namespace {

constexpr std::size_t k_redis_max_out_bytes = 64 * 1024 * 1024;
// A WAIT ends so long before the first deadline of those that wait for it.
constexpr Millis k_redis_wait_margin{20};

RedisHeard redis_not_heard(Failure kind, std::string why, bool maybe_done) {
  return {fail(kind, std::move(why)), maybe_done};
}

}  // namespace

Task<RedisHeard> RedisConnection::ask(RedisAsk ask) {
  const auto self = shared_from_this();
  start();
  if (auto refused = refuses()) {
    co_return redis_not_heard(refused->kind, std::move(refused->message), false);
  }
  auto initiate = [this, &ask](auto handler) { enqueue(ask, std::move(handler)); };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                 void(RedisHeard)>(std::move(initiate), use_task);
}

std::optional<Error> RedisConnection::refuses() const {
  if (over_) return Error{Failure::unavailable, "the Redis client was closed"};
  if (state_ == State::down) return Error{Failure::unavailable, "Redis cannot be reached"};
  if (waiters_ >= config_->max_waiting || out_.size() > k_redis_max_out_bytes) {
    return Error{Failure::overloaded, "too many calls wait for Redis"};
  }
  return std::nullopt;
}

void RedisConnection::enqueue(const RedisAsk& ask, Done done) {
  const auto now = Steady::now();
  if (ask.asking) {
    append_redis_words(out_, {"ASKING"});
    entries_.push_back({.kind = Kind::asking, .asked = now, .deadline = ask.deadline});
  }
  append_redis_call(out_, *ask.call, ask.form);
  const bool replicated = replicating_ && ask.call->replicated;
  entries_.push_back({Kind::call, replicated, now, ask.deadline, std::move(done)});
  if (replicated) ++to_replicate_;
  ++waiters_;
  watch_deadline(ask.deadline);
  flush_soon();
}

// Behind everything else that this turn of the loop does.
void RedisConnection::flush_soon() {
  if (flush_posted_ || writing_ || waiting_ || state_ != State::up || out_.empty()) return;
  flush_posted_ = true;
  boost::asio::post(loop_, [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void RedisConnection::flush() {
  if (writing_ || waiting_ || state_ != State::up || out_.empty() || !why_.empty()) return;
  if (to_replicate_ > 0) append_wait();
  sent_ = entries_.size();
  writing_ = true;
  writing_bytes_.swap(out_);
  boost::asio::co_spawn(
      loop_, [self = shared_from_this(), link = link_] { return self->write_all(link); },
      boost::asio::detached);
}

void RedisConnection::append_wait() {
  Millis patience = config_->replica_timeout;
  if (degraded_) patience /= 10;
  const auto now = Steady::now();
  for (std::size_t i = sent_; i < entries_.size(); ++i) {
    if (!entries_[i].replicated || !entries_[i].done) continue;
    const auto left = std::chrono::duration_cast<Millis>(entries_[i].deadline - now);
    patience = std::min(patience, left - k_redis_wait_margin);
  }
  patience = std::max(patience, Millis(1));  // none would be for ever
  append_redis_words(out_, {"WAIT", "1", std::to_string(patience.count())});
  entries_.push_back({.kind = Kind::wait, .asked = now});
  to_replicate_ = 0;
  waiting_ = true;
}

Task<void> RedisConnection::write_all(std::shared_ptr<Link> link) {
  const auto written = co_await link->write(writing_bytes_);
  writing_bytes_.clear();
  writing_ = false;
  if (!written && link == link_) end_link(written.error().message);  // the reader sees it
  flush();
}

// False if nothing was asked.
bool RedisConnection::on_answer(RedisAnswer answer) {
  if (sent_ == 0) return false;
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  --sent_;
  if (entry.kind == Kind::wait) on_waited(answer);
  if (!entry.done) return true;
  if (entry.replicated && !answer.is_error) {
    held_.push_back({std::move(entry), std::move(answer)});
    return true;
  }
  --waiters_;
  entry.done({std::move(answer)});
  return true;
}

void RedisConnection::on_waited(const RedisAnswer& answer) {
  waiting_ = false;
  degraded_ = answer.is_error || answer.reply.number < 1;
  flush_soon();
  auto held = std::exchange(held_, {});
  std::erase_if(held, [](const Held& one) { return !one.entry.done; });
  waiters_ -= held.size();
  if (degraded_) metrics_.unreplicated.add(static_cast<double>(held.size()));
  for (Held& one : held) one.entry.done({std::move(one.answer)});
}

// By the loop, and not from here: who waits may do anything with us.
void RedisConnection::fail_all(const std::string& why) {
  const auto fail_one = [&](Entry& entry, bool sent) {
    if (!entry.done) return;
    boost::asio::post(loop_, [done = std::move(entry.done), why, sent]() mutable {
      done(redis_not_heard(Failure::unavailable, "Redis: " + why, sent));
    });
  };
  for (Held& one : held_) fail_one(one.entry, true);
  for (std::size_t i = 0; i < entries_.size(); ++i) fail_one(entries_[i], i < sent_);
  held_.clear();
  entries_.clear();
  sent_ = waiters_ = to_replicate_ = 0;
  waiting_ = degraded_ = false;
  out_.clear();
}

// One timer for all: it looks when the first that ever waited is due, and then finds out anew.
void RedisConnection::watch_deadline(Steady::time_point deadline) {
  if (deadline >= watched_) return;
  watched_ = deadline;
  deadline_timer_.expires_at(deadline);
  deadline_timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self) self->expire();
  });
}

void RedisConnection::expire() {
  const auto now = Steady::now();
  watched_ = Steady::time_point::max();
  for (Held& one : held_) expire(one.entry, now);
  for (Entry& entry : entries_) expire(entry, now);
  auto next = watched_;
  for (const Held& one : held_) {
    if (one.entry.done) next = std::min(next, one.entry.deadline);
  }
  for (const Entry& entry : entries_) {
    if (entry.done) next = std::min(next, entry.deadline);
  }
  watch_deadline(next);
  if (suspected_) {
    state_ = State::down;
    end_link("a call was not answered in time");
  }
}

void RedisConnection::expire(Entry& entry, Steady::time_point now) {
  if (!entry.done || entry.deadline > now) return;
  if (state_ == State::up && now - entry.asked >= config_->call_timeout / 2) suspected_ = true;
  --waiters_;
  boost::asio::post(loop_, [done = std::move(entry.done)]() mutable {
    done(redis_not_heard(Failure::timeout, "Redis did not answer in time", true));
  });
  entry.done = nullptr;
}

}  // namespace otpd::net
