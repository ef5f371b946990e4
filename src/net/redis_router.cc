#include "net/redis_router.h"

#include <algorithm>

namespace otpd::net {
namespace {

constexpr std::size_t k_redis_max_error_words = 200;
// So many redirections in a row are followed at once.
constexpr std::uint32_t k_redis_prompt_tries = 4;

Counter redis_result(Metrics& metrics, const char* result) {
  return metrics.counter("otpd_redis_calls_total", "Calls to Redis by result",
                         {{"result", result}});
}

std::size_t redis_result_of(const Result<RedisReply>& answer) {
  if (answer) return 0;
  if (answer.error().kind == Failure::unavailable) return 1;
  if (answer.error().kind == Failure::timeout) return 2;
  if (answer.error().kind == Failure::overloaded) return 3;
  return 4;
}

// Redis quotes what it does not understand; that is nobody's business.
std::string redis_error_words(std::string_view words) {
  words = words.substr(0, words.find(", with args"));
  return "Redis: " + std::string(words.substr(0, k_redis_max_error_words));
}

}  // namespace

RedisRouter::RedisRouter(Executor loop, std::shared_ptr<const RedisConfig> config, Metrics& metrics)
    : config_(std::move(config)),
      nodes_(loop, config_, metrics),
      random_(static_cast<std::uint64_t>(Steady::now().time_since_epoch().count())),
      results_{redis_result(metrics, "ok"), redis_result(metrics, "unavailable"),
               redis_result(metrics, "timeout"), redis_result(metrics, "overloaded"),
               redis_result(metrics, "error")},
      redirects_(metrics.counter("otpd_redis_redirects_total", "MOVED and ASK that were followed")),
      seconds_(metrics.seconds("otpd_redis_seconds", "Time of a call to Redis")) {
  ping_.words = {"PING"};
  if (config_->cluster) topology_ = std::make_shared<RedisTopology>(loop, config_, nodes_);
}

void RedisRouter::close() {
  over_ = true;
  nodes_.close();
  if (topology_) topology_->close();
}

Task<Result<RedisReply>> RedisRouter::call(RedisCall call) {
  const auto self = shared_from_this();
  const auto begun = Steady::now();
  co_return count(co_await repeat(call, begun + config_->call_timeout), begun);
}

Result<RedisReply> RedisRouter::count(Result<RedisReply> answer, Steady::time_point begun) {
  results_[redis_result_of(answer)].add();
  seconds_.observe(std::chrono::duration<double>(Steady::now() - begun).count());
  return answer;
}

Task<Result<RedisReply>> RedisRouter::repeat(const RedisCall& call, Steady::time_point deadline) {
  Attempt attempt{.deadline = deadline};
  for (;;) {
    if (over_) co_return fail(Failure::unavailable, "the Redis client was closed");
    if (topology_ && topology_->map() == nullptr) {
      const auto found = co_await ready(deadline);
      if (!found) co_return std::unexpected(found.error());
    }
    Result<Millis> next = Millis(0);
    const bool asking = attempt.ask.has_value();
    const RedisNode* node = asking ? &*attempt.ask : master_of(call.key);
    if (node == nullptr) {
      topology_->refresh_soon();
      next = pause(attempt, Failure::unavailable, "no node of the cluster serves the slot");
    } else {
      attempt.node = *node;
      attempt.ask.reset();
      ++attempt.tries;
      const auto connection = nodes_.get(attempt.node, call.replicated);
      auto heard = co_await connection->ask({&call, attempt.form, asking, deadline});
      if (heard.answer && !heard.answer->is_error) co_return std::move(heard.answer->reply);
      if (heard.answer) {
        next = on_error(heard.answer->reply.text, attempt);
      } else {
        auto failure = on_failure(std::move(heard), *connection, attempt);
        if (failure) co_return std::unexpected(std::move(*failure));
      }
    }
    if (!next) co_return std::unexpected(next.error());
    if (next->count() > 0) co_await sleep_for(*next);
  }
}

Task<Result<bool>> RedisRouter::ready(Steady::time_point deadline) {
  if (!topology_) co_return true;
  co_return co_await topology_->wait_for_map(deadline);
}

const RedisNode* RedisRouter::master_of(const std::string& key) {
  if (!topology_) return &config_->nodes[current_ % config_->nodes.size()];
  if (topology_->map() == nullptr) return nullptr;
  return key.empty() ? any_master() : topology_->map()->master(redis_slot(key));
}

void RedisRouter::mistrust(const RedisNode& node) {
  if (topology_) return topology_->refresh_soon();
  if (node == config_->nodes[current_ % config_->nodes.size()]) ++current_;
}

void RedisRouter::on_change(std::function<void()> changed) {
  if (topology_) topology_->on_answer(std::move(changed));
}

const RedisNode* RedisRouter::any_master() {
  const auto& masters = topology_->map()->masters();
  for (std::size_t i = 0; i < masters.size(); ++i) {
    const RedisNode& node = masters[++current_ % masters.size()];
    if (!nodes_.any_down({node})) return &node;
  }
  return &masters.front();
}

// There was no answer. None: the call was not done, and another attempt is worth it.
std::optional<Error> RedisRouter::on_failure(RedisHeard heard, const RedisConnection& connection,
                                             Attempt& attempt) {
  Error error = std::move(heard.answer.error());
  if (error.kind == Failure::overloaded) return error;
  const bool other = !topology_ && attempt.tries < config_->nodes.size();
  if (topology_ || connection.is_down()) mistrust(attempt.node);
  if (heard.maybe_done || over_ || Steady::now() >= attempt.deadline) return error;
  if (connection.is_down() && !other) return error;
  return std::nullopt;
}

Result<Millis> RedisRouter::on_error(const std::string& words, Attempt& attempt) {
  using Step = RedisNext::Step;
  RedisNext next = redis_next(words);
  if (next.node.host.empty()) next.node.host = attempt.node.host;
  const bool redirected = next.step == Step::follow || next.step == Step::ask;
  if (redirected) redirects_.add();
  if (next.step == Step::give_up) return fail(next.failure, redis_error_words(words));
  if (next.step == Step::load && attempt.form == RedisForm::digest) {
    attempt.form = RedisForm::whole;
    return Millis(0);
  }
  if (next.step == Step::follow && topology_) topology_->move(next.slot, next.node);
  if (next.step == Step::ask) attempt.ask = next.node;
  if (next.step == Step::other_node) mistrust(attempt.node);
  if (redirected && !topology_) {
    return fail(Failure::internal, "Redis is a cluster, and is not configured as one");
  }
  if (redirected && attempt.tries < k_redis_prompt_tries) return Millis(0);
  return pause(attempt, next.failure, redis_error_words(words));
}

Result<Millis> RedisRouter::pause(Attempt& attempt, Failure failure, std::string why) {
  const Millis pause = redis_backoff(++attempt.pauses, random_);
  if (Steady::now() + pause >= attempt.deadline) return fail(failure, std::move(why));
  return pause;
}

Task<Result<void>> RedisRouter::ping() {
  const auto self = shared_from_this();
  const auto deadline = Steady::now() + config_->call_timeout;
  std::vector<RedisNode> masters = {config_->nodes[current_ % config_->nodes.size()]};
  if (topology_) {
    const auto found = co_await ready(deadline);
    if (!found) co_return std::unexpected(found.error());
    masters = topology_->map()->masters();
  }
  for (const RedisNode& node : masters) {
    const auto connection = nodes_.get(node, false);
    const auto heard = co_await connection->ask({.call = &ping_, .deadline = deadline});
    const std::string where = node.host + ":" + std::to_string(node.port) + ": ";
    if (!heard.answer) {
      if (topology_ || connection->is_down()) mistrust(node);
      co_return fail(heard.answer.error().kind, where + heard.answer.error().message);
    }
    if (heard.answer->is_error) {
      co_return fail(Failure::unavailable, where + redis_error_words(heard.answer->reply.text));
    }
  }
  co_return Result<void>{};
}

}  // namespace otpd::net
