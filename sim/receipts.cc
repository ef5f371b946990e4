#include "receipts.h"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/client.h"

namespace otpd::sim {
namespace {

constexpr Millis k_post_limit{10'000};

}  // namespace

struct Receipts::State : std::enable_shared_from_this<Receipts::State> {
  State(boost::asio::io_context& on, Inbox& counts) : loop(on), inbox(counts) {}

  Task<bool> post(const ReceiptPost& receipt) {
    if (!client) client = std::make_unique<net::Client>(loop);
    net::HttpCall call;
    call.url = receipt.url;
    call.headers = receipt.headers;
    call.body = receipt.body;
    call.timeout = k_post_limit;
    const auto answer = co_await client->http(call);
    co_return answer && answer->status >= 200 && answer->status < 300;
  }

  Task<void> run(Face face, Fate fate, std::vector<ReceiptState> steps, TellState tell) {
    const auto self = shared_from_this();
    SeededRandom random(fate.dice);
    for (const ReceiptState state : steps) {
      const Millis pause = pick_delay(fate.plan->receipt_delay, random.u64());
      if (pause > Millis(0)) co_await sleep_for(pause);
      const bool taken = co_await tell(state);
      inbox.count(face, taken ? &InboxStats::receipts_delivered : &InboxStats::receipts_failed);
    }
    pending.fetch_sub(1);
  }

  boost::asio::io_context& loop;
  Inbox& inbox;
  std::unique_ptr<net::Client> client;  // made and used on the loop
  std::atomic<std::size_t> pending{0};
};

std::vector<ReceiptState> receipt_steps(ReceiptMode mode) {
  using enum ReceiptState;
  switch (mode) {
    case ReceiptMode::on:
      return {sent, delivered};
    case ReceiptMode::off:
      return {};
    case ReceiptMode::duplicate:
      return {sent, sent, delivered, delivered};
    case ReceiptMode::out_of_order:
      return {delivered, sent};
    case ReceiptMode::failed:
      return {sent, failed};
  }
  return {};
}

Receipts::Receipts(boost::asio::io_context& loop, Inbox& inbox)
    : loop_(loop), state_(std::make_shared<State>(loop, inbox)) {}

Receipts::~Receipts() {
  state_->client.reset();
}

void Receipts::post(Face face, const Fate& fate, MakePost make) {
  tell(face, fate, receipt_steps(fate.plan->receipts),
       [state = state_.get(), make = std::move(make)](ReceiptState now) -> Task<bool> {
         const ReceiptPost receipt = make(now);
         co_return co_await state->post(receipt);
       });
}

void Receipts::tell(Face face, const Fate& fate, std::vector<ReceiptState> steps, TellState tell) {
  if (steps.empty()) return;
  if (state_->pending.fetch_add(1) >= k_max_pending) {
    state_->pending.fetch_sub(1);
    state_->inbox.count(face, &InboxStats::receipts_failed);
    return;
  }
  boost::asio::co_spawn(loop_, state_->run(face, fate, std::move(steps), std::move(tell)),
                        boost::asio::detached);
}

}  // namespace otpd::sim
