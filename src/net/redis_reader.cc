#include "net/redis_reader.h"

#include <hiredis/read.h>

#include <stdexcept>

namespace otpd::net {
namespace {

// Once the buffer is empty, room beyond this is given back.
constexpr std::size_t k_redis_spare_bytes = 256 * 1024;

}  // namespace

struct RedisReader::State {
  using Task = const redisReadTask;

  State() : reader(redisReaderCreateWithFunctions(&functions)) {
    if (reader == nullptr) throw std::bad_alloc();
    reader->maxbuf = k_redis_spare_bytes;
    reader->privdata = this;
  }
  ~State() { redisReaderFree(reader); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Where the next value belongs; null: beyond the limits. An element's address is good until its
  // next sibling begins, and so long its own elements are read.
  static RedisReply* place(Task* task, RedisReply::Kind kind, std::size_t bytes) {
    State& state = *static_cast<State*>(task->privdata);
    state.bytes += bytes;
    if (++state.items > k_redis_max_answer_items) return nullptr;
    if (state.bytes > k_redis_max_answer_bytes) return nullptr;
    RedisReply* reply = &state.answer.reply;
    if (task->parent != nullptr) {
      reply = &static_cast<RedisReply*>(task->parent->obj)->items.emplace_back();
    }
    reply->kind = kind;
    return reply;
  }
  static void* on_string(Task* task, char* text, std::size_t size) {
    const bool bulk = task->type == REDIS_REPLY_STRING;
    RedisReply* reply = place(task, bulk ? RedisReply::Kind::text : RedisReply::Kind::status, size);
    if (reply == nullptr) return nullptr;
    reply->text.assign(text, size);
    State& state = *static_cast<State*>(task->privdata);
    if (task->type == REDIS_REPLY_ERROR && !state.error) state.error = reply->text;
    return reply;
  }
  static void* on_array(Task* task, int) { return place(task, RedisReply::Kind::array, 0); }
  static void* on_integer(Task* task, long long value) {
    RedisReply* reply = place(task, RedisReply::Kind::integer, 0);
    if (reply != nullptr) reply->number = value;
    return reply;
  }
  static void* on_nil(Task* task) { return place(task, RedisReply::Kind::nil, 0); }
  static void on_free(void*) {}  // `answer` owns all of it

  RedisAnswer take() {
    RedisAnswer whole = std::exchange(answer, {});
    if (error) {
      whole.reply = {.kind = RedisReply::Kind::status, .text = std::move(*error)};
      whole.is_error = true;
    }
    error.reset();
    items = bytes = 0;
    return whole;
  }

  static redisReplyObjectFunctions functions;
  redisReader* reader;
  RedisAnswer answer;  // what is being read
  std::optional<std::string> error;
  std::size_t items = 0;
  std::size_t bytes = 0;
};

redisReplyObjectFunctions RedisReader::State::functions = {on_string, on_array, on_integer, on_nil,
                                                           on_free};

RedisReader::RedisReader() : state_(std::make_unique<State>()) {}
RedisReader::~RedisReader() = default;

Result<void> RedisReader::feed(std::string_view bytes) {
  const redisReader& reader = *state_->reader;
  if (reader.len - reader.pos + bytes.size() > k_redis_max_answer_bytes) {
    return fail(Failure::corrupt, "an answer of Redis is too long");
  }
  if (redisReaderFeed(state_->reader, bytes.data(), bytes.size()) != REDIS_OK) {
    return fail(Failure::corrupt, reader.errstr);
  }
  return {};
}

Result<std::optional<RedisAnswer>> RedisReader::next() {
  void* reply = nullptr;
  if (redisReaderGetReply(state_->reader, &reply) != REDIS_OK) {
    return fail(Failure::corrupt, state_->reader->errstr);
  }
  if (reply == nullptr) return std::nullopt;
  return state_->take();
}

}  // namespace otpd::net
