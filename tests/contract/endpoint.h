// A customer's endpoint for webhooks that does as it is told.
#pragma once

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/webhook_client.h"

namespace otpd::usecase {

// Answers 200 unless told otherwise.
class ScriptedEndpoint final : public delivery::WebhookClient {
 public:
  struct Seen {
    std::string id;
    std::string timestamp;
    std::string signature;
    std::string body;
    TimePoint at;
    nlohmann::json json() const { return nlohmann::json::parse(body); }
    std::string type() const { return json().at("type"); }
  };
  using Behaviour = std::function<Task<Result<delivery::WebhookAnswer>>(std::size_t number)>;

  explicit ScriptedEndpoint(const Clock& clock) : clock_(clock) {}

  void answer_with(int status, std::optional<Millis> retry_after = {}) {
    behave = [=](std::size_t) -> Task<Result<delivery::WebhookAnswer>> {
      co_return delivery::WebhookAnswer{status, retry_after};
    };
  }

  Task<Result<delivery::WebhookAnswer>> post(const delivery::WebhookPost& post) override {
    seen.push_back({std::string(post.id), std::string(post.timestamp), std::string(post.signature),
                    std::string(post.body), clock_.now()});
    most_at_once = std::max(most_at_once, ++running_);
    Result<delivery::WebhookAnswer> answer = delivery::WebhookAnswer{200, {}};
    if (behave) answer = co_await behave(seen.size());
    --running_;
    co_return answer;
  }

  std::vector<std::string> types() const {
    std::vector<std::string> all;
    for (const Seen& one : seen) all.push_back(one.type());
    return all;
  }

  Behaviour behave;
  std::vector<Seen> seen;
  std::size_t most_at_once = 0;

 private:
  const Clock& clock_;
  std::size_t running_ = 0;
};

}  // namespace otpd::usecase
