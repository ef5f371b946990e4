#include "storage/sqlite/checkpointer.h"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"

namespace otpd::storage::sqlite {
namespace {

constexpr std::uint64_t k_page_bytes = 4096;
constexpr std::uint64_t k_copy_above = (8 << 20) / k_page_bytes;
constexpr std::uint64_t k_finish_above = (64 << 20) / k_page_bytes;
constexpr Millis k_look_every{50};
constexpr Millis k_idle_after{1000};

struct Progress {
  int code;
  int frames;
  int copied;
};

Progress checkpoint(Connection& connection, int mode) {
  Progress p{0, 0, 0};
  p.code = sqlite3_wal_checkpoint_v2(connection.raw(), nullptr, mode, &p.frames, &p.copied);
  if (p.code != SQLITE_OK && p.code != SQLITE_BUSY) {
    log::error("a checkpoint failed", {{"error", sqlite3_errmsg(connection.raw())}});
  }
  return p;
}

}  // namespace

Checkpointer::Checkpointer(Connection& connection, Connection& watched, Writer& writer)
    : connection_(connection), watched_(watched), writer_(writer) {}

void Checkpointer::start() {
  sqlite3_wal_hook(watched_.raw(), &Checkpointer::on_commit, this);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "store-wal");
    run();
  });
}

void Checkpointer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::uint64_t Checkpointer::wal_bytes() const {
  const std::lock_guard lock(mutex_);
  return frames_ * k_page_bytes;
}

int Checkpointer::on_commit(void* self, sqlite3*, const char*, int frames) {
  auto& me = *static_cast<Checkpointer*>(self);
  const std::lock_guard lock(me.mutex_);
  const bool was_empty = me.frames_ == 0;
  const auto now_in_wal = static_cast<std::uint64_t>(frames);
  if (now_in_wal < me.frames_) me.copied_ = 0;  // it started anew
  me.frames_ = now_in_wal;
  me.last_commit_ = std::chrono::steady_clock::now();
  if (was_empty) me.changed_.notify_one();
  return SQLITE_OK;
}

void Checkpointer::run() {
  while (true) {
    Work work = Work::none;
    {
      std::unique_lock lock(mutex_);
      if (frames_ == 0) {
        changed_.wait(lock, [this] { return stopping_ || frames_ > 0; });
      } else {
        changed_.wait_for(lock, k_look_every, [this] { return stopping_; });
      }
      if (stopping_) return;
      work = choose();
    }
    if (work == Work::none) continue;
    copy();
    if (work != Work::copy) finish_on_writer(work);
  }
}

// Under the lock.
Checkpointer::Work Checkpointer::choose() {
  if (asked_) return Work::none;
  if (std::chrono::steady_clock::now() - last_commit_ >= k_idle_after) return Work::truncate;
  if (frames_ >= k_finish_above) return Work::finish;
  return frames_ - std::min(frames_, copied_) >= k_copy_above ? Work::copy : Work::none;
}

void Checkpointer::copy() {
  const Progress progress = checkpoint(connection_, SQLITE_CHECKPOINT_PASSIVE);
  if (progress.code != SQLITE_OK) return;
  const std::lock_guard lock(mutex_);
  copied_ = static_cast<std::uint64_t>(std::max(progress.copied, 0));
}

void Checkpointer::finish_on_writer(Work work) {
  // What was committed during the first copy, so that the writer has but a few pages to copy.
  copy();
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  const bool taken = writer_.interlude([this, work](Tables& tables) {
    const int mode =
        work == Work::truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART;
    // Without waiting for a reader of an older snapshot: commits wait for this.
    const BusyTimeout no_wait(tables.connection(), Millis(0));
    const Progress progress = checkpoint(tables.connection(), mode);
    const std::lock_guard lock(mutex_);
    if (progress.code == SQLITE_OK) frames_ = copied_ = 0;
    asked_ = false;
  });
  const std::lock_guard lock(mutex_);
  asked_ = asked_ && taken;
}

}  // namespace otpd::storage::sqlite
