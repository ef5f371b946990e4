// TestRedis: redis-server, as a test wants it: one, or a cluster.
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/redis_client.h"
#include "net/test_process.h"

namespace otpd::net {

// What `redis-cli words…` prints.
inline std::string redis_cli(std::vector<std::string> words) {
  words.insert(words.begin(), {"redis-cli", "--no-auth-warning"});
  const int out = ::memfd_create("redis-cli", MFD_CLOEXEC);
  if (out < 0) throw std::runtime_error("memfd_create");
  TestProcess(words, "/proc/self/fd/" + std::to_string(out)).wait();
  std::string said;
  char bytes[4096];
  for (ssize_t n = 0; (n = ::read(out, bytes, sizeof bytes)) > 0;) {
    said.append(bytes, static_cast<std::size_t>(n));
  }
  ::close(out);
  return said;
}

// Waits up to 30 s until `holds()`.
template <class Condition>
bool redis_wait_until(Condition holds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// A server on a free port of 127.0.0.1, without persistence unless `options` (as on its command
// line: "--name", "value") say otherwise, in a folder of its own that is removed at the end.
class TestRedis {
 public:
  explicit TestRedis(std::vector<std::string> options = {}) : options_(std::move(options)) {
    std::string folder = std::filesystem::temp_directory_path() / "otpd-redis-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = folder;
    start();
  }
  ~TestRedis() {
    process_.reset();
    std::filesystem::remove_all(folder_);
  }
  TestRedis(const TestRedis&) = delete;
  TestRedis& operator=(const TestRedis&) = delete;

  std::uint16_t port() const { return port_; }
  RedisNode node() const { return {"127.0.0.1", port_}; }
  const std::string& folder() const { return folder_; }

  // On the same port again, after kill(); waits until it answers.
  void start() {
    if (!launch()) throw std::runtime_error("redis-server does not start: see " + folder_);
  }
  void kill() { process_->kill(); }
  void pause() { process_->signal(SIGSTOP); }
  void resume() { process_->signal(SIGCONT); }

  // What redis-cli prints for that command; without a line end.
  std::string cli(std::vector<std::string> words) const {
    words.insert(words.begin(), {"-h", "127.0.0.1", "-p", std::to_string(port_)});
    for (std::size_t i = 0; i + 1 < options_.size(); ++i) {
      if (options_[i] == "--requirepass") words.insert(words.begin(), {"-a", options_[i + 1]});
      if (options_[i] == "--tls-port") {
        words.insert(words.begin(), {"--tls", "--insecure"});
      }
    }
    std::string said = redis_cli(words);
    while (said.ends_with('\n')) said.pop_back();
    return said;
  }

 private:
  bool is_tls() const {
    return std::find(options_.begin(), options_.end(), "--tls-port") != options_.end();
  }
  bool launch() {
    for (int i = 0; i < 5; ++i) {
      const bool again = port_ != 0;
      if (!again) port_ = free_port();
      std::vector<std::string> words = {"redis-server", "--bind", "127.0.0.1",    "--dir", folder_,
                                        "--save",       "",       "--appendonly", "no"};
      words.insert(words.end(), options_.begin(), options_.end());
      const std::string port = std::to_string(port_);
      // With TLS there is that port alone: "--tls-port" "0" stands for it.
      for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        if (words[at] == "--tls-port") words[at + 1] = port;
      }
      words.insert(words.end(), {"--port", is_tls() ? "0" : port});
      process_ = std::make_unique<TestProcess>(words, folder_ + "/log");
      const bool up = redis_wait_until([&] {
        const std::string said = cli({"PING"});
        return said == "PONG" || said.starts_with("NOAUTH") || said.starts_with("LOADING") ||
               ended();
      });
      if (up && !ended()) return true;
      process_.reset();
      if (!again) port_ = 0;
    }
    return false;
  }
  bool ended() const { return !process_->running(); }

  std::vector<std::string> options_;
  std::string folder_;
  std::uint16_t port_ = 0;
  std::unique_ptr<TestProcess> process_;
};

// Three masters with a replica each, node-timeout 1 s.
class TestRedisCluster {
 public:
  explicit TestRedisCluster(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {"--cluster", "create"};
    for (std::size_t i = 0; i < 6; ++i) {
      std::vector<std::string> all = {"--cluster-enabled",
                                      "yes",
                                      "--cluster-node-timeout",
                                      "1000",
                                      "--cluster-port",
                                      std::to_string(free_port()),
                                      "--repl-diskless-sync-delay",
                                      "0"};
      all.insert(all.end(), options.begin(), options.end());
      nodes_.push_back(std::make_unique<TestRedis>(all));
      words.push_back("127.0.0.1:" + std::to_string(nodes_[i]->port()));
    }
    words.insert(words.end(), {"--cluster-replicas", "1", "--cluster-yes"});
    const std::string said = redis_cli(words);
    if (said.find("All 16384 slots covered") == said.npos) throw std::runtime_error(said);
    if (!redis_wait_until([&] { return is_whole(); })) throw std::runtime_error("no cluster");
  }

  std::size_t size() const { return nodes_.size(); }
  TestRedis& operator[](std::size_t i) { return *nodes_[i]; }
  std::vector<RedisNode> nodes() const {
    std::vector<RedisNode> all;
    for (const auto& node : nodes_) all.push_back(node->node());
    return all;
  }
  // The node on that port.
  TestRedis& at(std::uint16_t port) {
    for (auto& node : nodes_) {
      if (node->port() == port) return *node;
    }
    throw std::runtime_error("no such node");
  }
  // Whether every node that runs sees all slots served, and every replica its master.
  bool is_whole() {
    for (auto& node : nodes_) {
      if (node->cli({"CLUSTER", "INFO"}).find("cluster_state:ok") == std::string::npos) {
        return false;
      }
      const std::string role = node->cli({"INFO", "replication"});
      const bool replica = role.find("role:slave") != role.npos;
      if (replica && role.find("master_link_status:up") == role.npos) return false;
      if (!replica && role.find("state=online") == role.npos) return false;
    }
    return true;
  }

 private:
  std::vector<std::unique_ptr<TestRedis>> nodes_;
};

}  // namespace otpd::net
