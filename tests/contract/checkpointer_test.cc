#include "audit/checkpointer.h"

#include <boost/asio/post.hpp>

#include "backends.h"

namespace otpd::storage {
namespace {

class CheckpointerContract : public Contract {
 protected:
  void write(int lines) {
    for (int i = 0; i < lines; ++i) world_.append({.events = {world_.event()}});
  }
  audit::Checkpointer made(const char* secret = "secret") {
    return {world_.audit(), world_.clock, audit::CheckpointSigner(secret), world_.metrics};
  }
  void sign(audit::Checkpointer& checkpointer) {
    const auto done = await(checkpointer.sign());
    EXPECT_TRUE(done) << done.error().message;
  }
  std::vector<std::uint64_t> signed_lines() {
    std::vector<std::uint64_t> numbers;
    for (const auto& one : checkpoints()) numbers.push_back(one.number);
    return numbers;
  }
  std::vector<audit::Checkpoint> checkpoints() {
    return await(world_.audit().checkpoints(chain(), 1, 1000)).value();
  }
  // The one that the backend's own commits go to.
  std::uint32_t chain() {
    const auto heads = await(world_.audit().heads()).value();
    return heads.empty() ? 0 : heads[0].chain;
  }
  double contradictions() {
    return world_.metrics.counter("otpd_audit_contradictions_total", "").value();
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, CheckpointerContract, k_backends, backend_name);

TEST_P(CheckpointerContract, SignsAnEndOnce) {
  auto checkpointer = made();
  sign(checkpointer);
  EXPECT_TRUE(signed_lines().empty());
  write(3);
  sign(checkpointer);
  sign(checkpointer);
  EXPECT_EQ(signed_lines(), std::vector<std::uint64_t>{3});
  write(2);
  sign(checkpointer);
  EXPECT_EQ(signed_lines(), (std::vector<std::uint64_t>{3, 5}));
  for (const auto& one : checkpoints()) {
    EXPECT_TRUE(audit::is_genuine(one, checkpointer.public_key()));
    EXPECT_EQ(one.hash, await(world_.audit().lines(chain(), one.number, 1)).value().at(0).hash);
    EXPECT_EQ(one.at, world_.clock.now());
  }
}

TEST_P(CheckpointerContract, GoesOnAfterAStart) {
  write(3);
  auto before = made();
  sign(before);
  auto after = made();
  sign(after);
  EXPECT_EQ(world_.metrics.counter("otpd_audit_checkpoints_total", "").value(), 1.0);
  write(1);
  sign(after);
  EXPECT_EQ(signed_lines(), (std::vector<std::uint64_t>{3, 4}));
  EXPECT_EQ(contradictions(), 0.0);
}

TEST_P(CheckpointerContract, TwoAtOnceDoNoHarm) {
  auto one = made();
  auto other = made();
  for (int round = 1; round <= 3; ++round) {
    write(2);
    sign(one);
    sign(other);
  }
  EXPECT_EQ(signed_lines(), (std::vector<std::uint64_t>{2, 4, 6}));
  for (const auto& each : checkpoints()) {
    EXPECT_TRUE(audit::is_genuine(each, one.public_key()));
  }
}

TEST_P(CheckpointerContract, NoticesAChainThatIsNotWhatItsLastCheckpointSays) {
  write(3);
  audit::Head head = await(world_.audit().heads()).value().at(0);
  head.number += 2;  // lines 4 and 5 were cut off
  const audit::CheckpointSigner signer("secret");
  ASSERT_TRUE(await(world_.audit().add_checkpoint(signer.sign(head, world_.clock.now()))));
  auto checkpointer = made();
  sign(checkpointer);
  sign(checkpointer);
  EXPECT_EQ(contradictions(), 1.0);
  EXPECT_EQ(signed_lines(), (std::vector<std::uint64_t>{3, 5}));
}

TEST_P(CheckpointerContract, SignsUntilItIsStopped) {
  write(1);
  auto checkpointer = made();
  boost::asio::io_context loop;
  boost::asio::co_spawn(loop, checkpointer.run(Millis(1)), boost::asio::detached);
  const auto run_until_signed = [&](std::size_t count) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (signed_lines().size() < count && std::chrono::steady_clock::now() < give_up) {
      loop.run_for(Millis(5));
    }
  };
  run_until_signed(1);
  write(1);
  run_until_signed(2);
  EXPECT_EQ(signed_lines(), (std::vector<std::uint64_t>{1, 2}));
  checkpointer.stop();
  loop.run();
}

}  // namespace
}  // namespace otpd::storage
