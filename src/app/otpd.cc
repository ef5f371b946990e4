#include "app/otpd.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "app/applications.h"
#include "app/assemble.h"
#include "app/key_upkeep.h"
#include "app/make_lanes.h"
#include "app/roles.h"
#include "app/webhooks.h"
#include "audit/checkpointer.h"
#include "base/log.h"
#include "crypto/primitives.h"
#include "delivery/expiry_sweep.h"
#include "delivery/lane_exchange.h"
#include "gateway/gateway.h"
#include "otp/refusals.h"

namespace otpd::app {
namespace {

constexpr Millis k_purge_every{10'000};
constexpr Millis k_handlers_look{5};
constexpr Millis k_sweep_every{1'000};
constexpr int k_sweeps = 16;  // at once, because each waits for its own write

std::size_t loop_count(std::uint32_t configured) {
  return configured != 0 ? configured : std::max(1U, std::thread::hardware_concurrency());
}

std::unique_ptr<Clock> make_clock(const TestingConfig& testing) {
  if (!testing.virtual_clock) return std::make_unique<SystemClock>();
  return std::make_unique<VirtualClock>(SystemClock{}.now());
}

// Members are made in this order and destroyed in the reverse one.
class Process final : public Otpd {
 public:
  explicit Process(const Config& config)
      : config_(config),
        duties_(duties_of(config.server)),
        clock_(make_clock(config.testing)),
        loops_(loop_count(config.server.threads), "http"),
        worker_(1, "worker"),
        client_(std::make_unique<net::Client>(worker_[0])),
        key_book_(application_names(config)) {}

  ~Process() override {
    // Nothing runs on a loop any more when the parts that it uses are destroyed.
    server_.reset();
    loops_.stop();
    worker_.stop();
  }

  Result<void> open() {
    const auto folder = open_folder_and_keys();
    if (!folder) return folder;
    if (const auto state = open_state(); !state) return state;
    hashes_ = std::make_unique<crypto::HashPool>(
        crypto::HashPool::Config{config_.crypto.hash_threads, config_.crypto.hash_queue},
        metrics_.seconds("otpd_hash_wait_seconds", "Time a hash waits for a thread."));
    checkpointer_.emplace(backend_->audit(), *clock_, audit::CheckpointSigner(keys_->index_key()),
                          metrics_);
    if (const auto made = open_webhooks(); !made) return made;
    if (const auto made = open_delivery(); !made) return made;
    return open_gateway();
  }

  Result<void> listen() {
    auto server = net::HttpServer::listen(
        loops_, make_server_config(config_.server),
        [this](net::HttpRequest request) { return gateway_->handle(std::move(request)); },
        [this](int status, std::string_view reason, const net::RequestGist& request) {
          return gateway_->error_page(status, reason, request);
        });
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    start_worker();
    return {};
  }

  std::string url() const override {
    const auto& listen = config_.server.listen;
    const bool v6 = listen.address.contains(':');
    return fmt::format("{}://{}{}{}:{}", config_.server.tls_certificate.empty() ? "http" : "https",
                       v6 ? "[" : "", listen.address, v6 ? "]" : "", server_->port());
  }

  void drain() override {
    server_->drain(config_.server.drain_timeout);
    wait_for_handlers();
    if (duties_.delivers) {
      boost::asio::post(worker_[0], [this] { courier_->stop(); });
      if (courier_ended_.wait_for(config_.server.drain_timeout) != std::future_status::ready) {
        log::warn("messages were still on their way; they will be tried again at the next start");
      }
    }
    if (pump_) {
      boost::asio::post(worker_[0], [this] { pump_->stop(); });
      pump_ended_.wait_for(config_.server.drain_timeout);
    }
    if (duties_.serves) {
      boost::asio::co_spawn(worker_[0].get_executor(), key_upkeep_->write_uses(),
                            boost::asio::use_future)
          .wait_for(config_.server.drain_timeout);
    }
    if (!duties_.audits) return;
    // What the service did last is signed, too.
    boost::asio::co_spawn(worker_[0].get_executor(), checkpointer_->sign(), boost::asio::use_future)
        .wait_for(config_.server.drain_timeout);
  }

 private:
  Result<void> open_folder_and_keys();
  Result<void> open_state();
  Result<void> open_webhooks();
  Result<void> open_delivery();
  delivery::ReceiptSink receipt_sink(const std::string& provider);
  Result<void> open_gateway();
  void wait_for_handlers() const;
  void start_worker();
  Task<void> purge_for_ever();
  Task<void> watch_deadlines();
  Task<void> sweep_for_ever();
  Result<void> read_api_keys();

  // What everything is written through.
  otp::Store& store() { return webhooks_ ? webhooks_->store() : backend_->store(); }

  otp::Services services() { return {*refusals_, *clock_, random_, *keys_, *hashes_}; }

  const Config& config_;
  const Duties duties_;
  Metrics metrics_;
  std::unique_ptr<Clock> clock_;
  crypto::SystemRandom random_;
  std::optional<crypto::KeyRing> keys_;
  net::EventLoops loops_;   // HTTP
  net::EventLoops worker_;  // delivery and purging
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<storage::Backend> backend_;
  storage::ClusterBackend* cluster_ = nullptr;  // backend_, if it is one
  std::unique_ptr<crypto::HashPool> hashes_;
  std::unique_ptr<Webhooks> webhooks_;  // null: nobody wants events
  std::optional<otp::RefusalStore> refusals_;
  std::optional<delivery::ExpirySweep> deadlines_;
  std::optional<audit::Checkpointer> checkpointer_;

  Providers providers_;
  delivery::Lanes lanes_;
  std::unique_ptr<Applications> applications_;
  std::optional<delivery::LaneBoard> lane_board_;
  std::optional<delivery::LaneExchange> lane_exchange_;
  std::optional<audit::Pump> pump_;
  std::promise<void> pump_end_;
  std::future<void> pump_ended_ = pump_end_.get_future();
  std::optional<delivery::ReceiptDesk> receipts_;
  std::unique_ptr<delivery::Courier> courier_;
  std::promise<void> courier_end_;
  std::future<void> courier_ended_ = courier_end_.get_future();

  std::unique_ptr<otp::ApiKeys> api_keys_;
  gateway::KeyBook key_book_;
  std::optional<KeyUpkeep> key_upkeep_;
  std::optional<gateway::AccessControl> access_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<net::HttpServer> server_;
};

Result<void> Process::open_folder_and_keys() {
  if (const auto made = make_private_folder(config_.data.dir); !made) return made;
  auto keys = open_keys(config_.crypto, clock_->now(), random_);
  if (!keys) return std::unexpected(keys.error());
  keys_.emplace(std::move(*keys));
  return {};
}

Result<void> Process::open_state() {
  if (config_.server.mode == Mode::embedded) {
    auto backend = open_backend(config_, *clock_, metrics_);
    if (!backend) return std::unexpected(backend.error());
    backend_ = std::move(*backend);
    return {};
  }
  std::vector<boost::asio::io_context*> loops{&worker_[0]};
  for (std::size_t i = 0; i < loops_.size(); ++i) loops.push_back(&loops_[i]);
  auto backend = storage::open_cluster_backend(make_cluster_config(config_), std::move(loops),
                                               *clock_, metrics_);
  if (!backend) return std::unexpected(backend.error());
  cluster_ = backend->get();
  backend_ = std::move(*backend);
  if (duties_.audits) {
    pump_.emplace(cluster_->events(), cluster_->sink(), *clock_, metrics_, audit::PumpConfig{});
  }
  return {};
}

Result<void> Process::open_webhooks() {
  auto made = Webhooks::make(config_, {worker_[0], backend_->store(), backend_->queue(), *clock_,
                                       random_, *keys_, metrics_});
  if (!made) return std::unexpected(made.error());
  webhooks_ = std::move(*made);
  return {};
}

Result<void> Process::open_delivery() {
  const auto make_judge = [this](const FrictionConfig& friction) {
    return make_captcha_judge(friction, worker_[0], *client_);
  };
  refusals_.emplace(store());
  auto applications = Applications::make(config_, services(), lanes_, make_judge);
  if (!applications) return std::unexpected(applications.error());
  applications_ = std::move(*applications);
  receipts_.emplace(delivery::ReceiptPorts{store(), *clock_, random_, *keys_, metrics_},
                    delivery::ReceiptConfig{.application = config_.otp.application});
  const auto sink_of = [this](const std::string& provider) { return receipt_sink(provider); };
  auto providers =
      make_providers(config_, applications_->providers(),
                     {worker_[0], *client_, *clock_, random_, sink_of, duties_.delivers});
  if (!providers) return std::unexpected(providers.error());
  providers_ = std::move(*providers);
  lanes_ = make_lanes(config_, providers_, metrics_);
  lane_board_.emplace(worker_[0], lanes_, *clock_, cluster_ ? &cluster_->health() : nullptr);
  if (cluster_) lane_exchange_.emplace(cluster_->health(), lanes_, *clock_);
  deadlines_.emplace(delivery::ExpirySweepPorts{store(), *clock_, random_, metrics_},
                     delivery::ExpirySweepConfig{.application = config_.otp.application});
  courier_ = std::make_unique<delivery::Courier>(
      delivery::CourierPorts{store(), backend_->queue(), *clock_, random_, *keys_, metrics_,
                             webhooks_ ? &webhooks_->senders() : nullptr, &*deadlines_},
      make_courier_config(config_), applications_->outlets());
  return {};
}

delivery::ReceiptSink Process::receipt_sink(const std::string& provider) {
  return [this, provider](delivery::Receipt receipt) {
    auto take = [](delivery::ReceiptDesk& desk, std::string lane,
                   delivery::Receipt told) -> Task<void> {
      const auto taken = co_await desk.take(lane, {}, std::move(told));
      if (!taken) log::warn("a receipt cannot be written", {{"reason", taken.error().message}});
    };
    boost::asio::co_spawn(worker_[0].get_executor(), take(*receipts_, provider, std::move(receipt)),
                          boost::asio::detached);
  };
}

Result<void> Process::open_gateway() {
  api_keys_ = std::make_unique<otp::ApiKeys>(services());
  key_upkeep_.emplace(key_book_, *api_keys_, seems_proxied(config_));
  if (const auto read = read_api_keys(); !read) return read;
  auto access = make_access(config_, random_, key_book_);
  if (!access) return std::unexpected(access.error());
  access_.emplace(std::move(*access));
  auto proxies = gateway::Networks::parse(config_.server.trusted_proxies);
  if (!proxies) return std::unexpected(proxies.error());

  gateway::Service service{applications_->base(),
                           store(),
                           backend_->queue(),
                           backend_->audit(),
                           *clock_,
                           random_,
                           metrics_,
                           *hashes_,
                           *lane_board_,
                           *receipts_,
                           {},
                           config_.server.public_url,
                           delivery::Tally(metrics_),
                           dynamic_cast<VirtualClock*>(clock_.get()),
                           *access_,
                           *api_keys_,
                           key_book_,
                           std::move(*proxies),
                           config_.demo.enabled,
                           config_.server.max_in_flight};
  service.serves_applications = duties_.serves;
  service.cors = make_cors(config_);
  if (cluster_) {
    service.store_name = "redis";
    service.parts.push_back(
        {"postgres", needs_postgres(config_), [this] { return cluster_->ping_postgres(); }});
  }
  service.others = applications_->others();
  if (webhooks_) {
    service.base.webhook = webhooks_->endpoint_of({});
    for (auto& [name, app] : service.others) app.webhook = webhooks_->endpoint_of(name);
  }
  service.index_key = keys_->index_key();
  for (const auto& [name, provider] : providers_) {
    if (const auto* reader = provider->receipts()) service.receipt_readers.emplace(name, reader);
  }
  gateway_ = std::make_unique<gateway::Gateway>(std::move(service));
  return {};
}

// A handler that outlived its connection (its client was answered 503) still uses every part.
void Process::wait_for_handlers() const {
  const auto end = std::chrono::steady_clock::now() + config_.server.drain_timeout;
  while (gateway_->in_flight() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(k_handlers_look);
  }
}

void Process::start_worker() {
  auto deliver = [this]() -> Task<void> {
    co_await courier_->run();
    courier_end_.set_value();
  };
  auto move_events = [this]() -> Task<void> {
    co_await pump_->run();
    pump_end_.set_value();
  };
  const auto spawn = [this](Task<void> task) {
    boost::asio::co_spawn(worker_[0].get_executor(), std::move(task), boost::asio::detached);
  };
  if (duties_.serves) spawn(key_upkeep_->run());
  if (duties_.delivers) spawn(deliver());
  if (duties_.delivers) spawn(watch_deadlines());
  if (duties_.audits) spawn(purge_for_ever());
  if (duties_.audits) spawn(checkpointer_->run(config_.audit.checkpoint_every));
  if (pump_) spawn(move_events());
  if (lane_exchange_) spawn(lane_exchange_->run());
  if (webhooks_) spawn(webhooks_->run());
}

Task<void> Process::watch_deadlines() {
  const auto recovered =
      co_await deadlines_->recover(backend_->audit(), applications_->lifetimes());
  if (!recovered) {
    log::warn("deadlines from before the start are not known",
              {{"reason", recovered.error().message}});
  }
  for (int i = 0; i < k_sweeps; ++i) {
    boost::asio::co_spawn(worker_[0].get_executor(), sweep_for_ever(), boost::asio::detached);
  }
}

Task<void> Process::sweep_for_ever() {
  for (;;) {
    co_await deadlines_->sweep();
    co_await sleep_for(k_sweep_every);
  }
}

// Embedded, they are in our own file; in a cluster readiness waits for them.
Result<void> Process::read_api_keys() {
  if (!duties_.serves || cluster_) return {};
  return boost::asio::co_spawn(worker_[0].get_executor(), gateway::refresh(key_book_, *api_keys_),
                               boost::asio::use_future)
      .get();
}

Task<void> Process::purge_for_ever() {
  for (;;) {
    co_await sleep_for(k_purge_every);
    const auto purged = co_await backend_->purge(clock_->now());
    if (!purged) log::warn("purging failed", {{"reason", purged.error().message}});
  }
}

}  // namespace

Result<std::unique_ptr<Otpd>> Otpd::start(const Config& config) {
  auto otpd = std::make_unique<Process>(config);
  if (const auto opened = otpd->open(); !opened) return std::unexpected(opened.error());
  if (const auto listening = otpd->listen(); !listening) {
    return std::unexpected(listening.error());
  }
  return otpd;
}

}  // namespace otpd::app
