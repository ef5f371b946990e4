// Races: many clients at once, each on a loop of its own thread, let go at a barrier.
#include <barrier>
#include <map>
#include <set>
#include <thread>

#include "house.h"

namespace otpd::usecase {
namespace {

constexpr std::size_t k_threads = 8;
constexpr std::size_t k_clients = 64;
constexpr int k_rounds = 200;

// Threads that run the same number of clients each, all begun at the same moment, round by round.
class Racers {
 public:
  template <class Out>
  using Start = std::function<Task<Result<Out>>(std::size_t client)>;

  Racers() {
    for (std::size_t i = 0; i < k_threads; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  ~Racers() {
    work_ = nullptr;
    (void)gate_.arrive();
    for (std::thread& thread : threads_) thread.join();
  }

  // What each of `clients` (a multiple of the threads) was answered.
  template <class Out>
  std::vector<Result<Out>> race(std::size_t clients, const Start<Out>& start) {
    std::vector<std::optional<Result<Out>>> answers(clients);
    work_ = [&](std::size_t thread) {
      boost::asio::io_context loop;
      for (std::size_t client = thread; client < clients; client += k_threads) {
        storage::start(loop, start(client), answers[client]);
      }
      gate_.arrive_and_wait();
      loop.run_for(std::chrono::seconds(120));
    };
    gate_.arrive_and_wait();  // the work is there
    gate_.arrive_and_wait();  // all clients are ready: go
    gate_.arrive_and_wait();  // all are answered
    std::vector<Result<Out>> out;
    for (auto& answer : answers) out.push_back(std::move(answer.value()));
    return out;
  }

 private:
  void run(std::size_t thread) {
    for (;;) {
      gate_.arrive_and_wait();
      if (!work_) return;
      work_(thread);
      gate_.arrive_and_wait();
    }
  }

  std::barrier<> gate_{k_threads + 1};
  std::function<void(std::size_t)> work_;
  std::vector<std::thread> threads_;
};

class Race : public UseCase {
 protected:
  Race() {
    house_.rules.limits.ip_sends.max = 1'000'000;
    house_.rules.limits.recipient_guesses.max = 1'000'000;
  }

  // One caller each, so that none repeats another's answer.
  static std::string ip_of(std::size_t client) { return "203.0.113." + std::to_string(client); }

  // Everybody guesses at once, from an address of its own; client 0 has the right code if
  // `with_right`.
  std::vector<Result<otp::VerifyOutcome>> guess(std::size_t clients, const std::string& phone,
                                                std::string_view right, std::string_view wrong,
                                                std::size_t rights) {
    return racers_.race<otp::VerifyOutcome>(clients, [&](std::size_t client) {
      otp::VerifyRequest request = house_.verify_request(client < rights ? right : wrong, phone);
      request.client_ip = ip_of(client);
      return house_.verifier.verify(std::move(request));
    });
  }
  // How often each outcome came, by the variant's index.
  template <class Outcome>
  static std::map<std::size_t, int> tally(const std::vector<Result<Outcome>>& outcomes) {
    std::map<std::size_t, int> counts;
    for (const auto& outcome : outcomes) {
      EXPECT_TRUE(outcome.has_value());
      if (outcome) ++counts[outcome->index()];
    }
    return counts;
  }
  static std::string phone_of(int round) { return "+1415" + std::to_string(2'000'000 + round); }

  Racers racers_;
};
INSTANTIATE_TEST_SUITE_P(Backends, Race, k_houses, storage::backend_name);

// The alternatives of VerifyOutcome.
constexpr std::size_t k_verified = 0;
constexpr std::size_t k_wrong = 1;
constexpr std::size_t k_exhausted = 2;
constexpr std::size_t k_gone = 3;

TEST_P(Race, OfManyWithTheRightCodeExactlyOneIsVerified) {
  for (int round = 0; round < k_rounds; ++round) {
    const std::string phone = phone_of(round);
    const otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    auto counts = tally(guess(k_clients, phone, payload.code.reveal(), "", k_clients));
    ASSERT_EQ(counts[k_verified], 1) << "round " << round;
    ASSERT_EQ(counts[k_gone] + counts[k_exhausted], static_cast<int>(k_clients) - 1);
  }
  EXPECT_EQ(house_.events(type::k_verify_success).size(), std::size_t{k_rounds});
  EXPECT_EQ(house_.events(type::k_session_opened).size(), std::size_t{k_rounds});
}

TEST_P(Race, OneCallerWithTheRightCodeManyTimesHasOneSession) {
  for (int round = 0; round < k_rounds / 4; ++round) {
    const std::string phone = phone_of(round);
    const otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    const auto answers = racers_.race<otp::VerifyOutcome>(k_clients, [&](std::size_t) {
      return house_.verifier.verify(house_.verify_request(payload.code.reveal(), phone));
    });
    std::set<std::string> tokens;
    int first = 0;
    for (const auto& answer : answers) {
      const auto* yes = std::get_if<otp::Verified>(&answer.value());
      if (yes == nullptr) continue;
      first += yes->repeated ? 0 : 1;
      tokens.emplace(yes->session.reveal());
    }
    ASSERT_EQ(first, 1) << "round " << round;
    ASSERT_EQ(tokens.size(), 1U) << "round " << round;
    const auto token = otp::SessionToken::parse(*tokens.begin()).value();
    ASSERT_TRUE(storage::await(house_.sessions.introspect(token, k_ip)).value());
  }
  EXPECT_EQ(house_.events(type::k_verify_success).size(), std::size_t{k_rounds / 4});
  EXPECT_EQ(house_.events(type::k_session_opened).size(), std::size_t{k_rounds / 4});
}

// Among the guesses after a yes, by the one who heard it, one at most is compared.
TEST_P(Race, ManyGuessesAfterAYesAreNoWayToItsSession) {
  for (int round = 0; round < 20; ++round) {
    const std::string phone = phone_of(round);
    const otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    const std::string right(payload.code.reveal());
    ASSERT_TRUE(
        std::holds_alternative<otp::Verified>(house_.verify(house_.verify_request(right, phone))));
    auto counts = tally(racers_.race<otp::VerifyOutcome>(k_clients, [&](std::size_t) {
      return house_.verifier.verify(house_.verify_request(other_code(right), phone));
    }));
    ASSERT_EQ(counts[k_gone], static_cast<int>(k_clients));
    ASSERT_TRUE(
        std::holds_alternative<otp::Gone>(house_.verify(house_.verify_request(right, phone))));
  }
}

// One knows the code, 63 guess: never more than three are hashed, and whoever was hashed is told
// what its own guess was worth.
TEST_P(Race, AmongWrongGuessesTheRightOneWinsIfItWasHashed) {
  house_.rules.hash = k_small_argon;
  constexpr int rounds = 50;
  int verified = 0;
  int failed = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string phone = phone_of(round);
    const otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    const int before = house_.hashed();
    auto counts =
        tally(guess(k_clients, phone, payload.code.reveal(), other_code(payload.code.reveal()), 1));
    ASSERT_LE(house_.hashed() - before, 3);
    ASSERT_LE(counts[k_verified], 1);
    ASSERT_LE(counts[k_wrong], 3);
    if (counts[k_verified] == 0) {
      ASSERT_EQ(counts[k_wrong], 3) << "round " << round;
      ASSERT_EQ(house_.status(payload.verification_id), "exhausted");
    }
    verified += counts[k_verified];
    failed += counts[k_wrong];
  }
  EXPECT_EQ(house_.events(type::k_verify_success).size(), static_cast<std::size_t>(verified));
  EXPECT_EQ(house_.events(type::k_verify_fail).size(), static_cast<std::size_t>(failed));
  EXPECT_EQ(house_.events(type::k_exhausted).size(), static_cast<std::size_t>(rounds - verified));
}

TEST_P(Race, OfTwoHundredWrongGuessesExactlyThreeAreHashed) {
  house_.rules.hash = k_small_argon;
  for (int round = 0; round < 5; ++round) {
    const std::string phone = phone_of(round);
    const otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    const int before = house_.hashed();
    auto counts = tally(guess(200, phone, "", other_code(payload.code.reveal()), 0));
    EXPECT_EQ(house_.hashed() - before, 3);
    EXPECT_EQ(counts[k_wrong], 3);
    EXPECT_EQ(counts[k_exhausted], 197);
    EXPECT_EQ(house_.find(payload.verification_id)->attempts_used, 3U);
    EXPECT_EQ(house_.status(payload.verification_id), "exhausted");
  }
  EXPECT_EQ(house_.events(type::k_verify_fail).size(), 15U);
  EXPECT_EQ(house_.events(type::k_exhausted).size(), 5U);
}

TEST_P(Race, OneLinkIsUsedOnce) {
  for (int round = 0; round < 20; ++round) {
    const otp::Payload payload =
        house_.send_and_take(house_.send_request(phone_of(round), "password_reset"));
    const auto token = otp::LinkToken::parse(payload.link_token.reveal());
    auto counts = tally(racers_.race<otp::VerifyOutcome>(16, [&](std::size_t client) {
      return house_.verifier.verify_link(*token, "", ip_of(client));
    }));
    ASSERT_EQ(counts[k_verified], 1);
    ASSERT_EQ(counts[k_gone], 15);
  }
}

TEST_P(Race, ParallelSendsToOneRecipientAreAdmittedAsOftenAsAllowed) {
  house_.rules.policies["login"].resend_after = Seconds(0);
  for (int round = 0; round < 5; ++round) {
    const std::string phone = phone_of(round);
    auto counts = tally(racers_.race<otp::SendOutcome>(
        48, [&](std::size_t) { return house_.issuer.send(house_.send_request(phone)); }));
    EXPECT_EQ(counts[0], 5);
    EXPECT_EQ(counts[1], 43);
    EXPECT_EQ(house_.take_all().size(), 5U);
  }
  EXPECT_EQ(house_.events(type::k_send).size(), 25U);
  EXPECT_EQ(house_.events(type::k_limited).size(), 215U);
}

TEST_P(Race, WithACoolDownOneParallelSendIsAdmitted) {
  for (int round = 0; round < 20; ++round) {
    const std::string phone = phone_of(round);
    auto counts = tally(racers_.race<otp::SendOutcome>(
        48, [&](std::size_t) { return house_.issuer.send(house_.send_request(phone)); }));
    ASSERT_EQ(counts[0], 1);
    ASSERT_EQ(house_.take_all().size(), 1U);
  }
}

TEST_P(Race, OneAddressIsChargedExactly) {
  house_.rules.limits.ip_sends.max = 20;
  auto counts = tally(racers_.race<otp::SendOutcome>(48, [&](std::size_t client) {
    return house_.issuer.send(house_.send_request(phone_of(static_cast<int>(client))));
  }));
  EXPECT_EQ(counts[0], 20);
  EXPECT_EQ(counts[1], 28);
  EXPECT_EQ(house_.take_all().size(), 20U);
}

TEST_P(Race, UnderOneIdempotencyKeyOneMessageIsSent) {
  constexpr std::size_t in_progress = 3;
  house_.rules.policies["login"].resend_after = Seconds(0);
  for (int round = 0; round < 20; ++round) {
    const std::string phone = phone_of(round);
    const auto answers = racers_.race<otp::SendOutcome>(k_clients, [&](std::size_t) {
      otp::SendRequest request = house_.send_request(phone);
      request.idempotency_key = phone;
      return house_.issuer.send(std::move(request));
    });
    auto counts = tally(answers);
    ASSERT_GE(counts[0], 1);
    ASSERT_EQ(counts[0] + counts[in_progress], static_cast<int>(k_clients));
    const auto payloads = house_.take_all();
    ASSERT_EQ(payloads.size(), 1U);
    for (const auto& answer : answers) {
      if (const auto* sent = std::get_if<otp::Sent>(&*answer)) {
        ASSERT_EQ(sent->answer.verification_id, payloads[0].verification_id);
      }
    }
  }
}

TEST_P(Race, OneTotpCodeIsAcceptedOnce) {
  constexpr std::size_t accepted = 0;
  constexpr std::size_t refused = 1;
  otp::EnrolRequest request{.user_id = k_user, .client_ip = k_ip};
  const auto enrolled =
      std::get<otp::Enrolled>(storage::await(house_.factors.enrol(std::move(request))).value());
  for (int round = 0; round < k_rounds; ++round) {
    const auto step = otp::time_step({}, house_.world.clock.now());
    const Secret code = otp::oath_code({}, enrolled.secret.reveal(), step);
    auto counts = tally(racers_.race<otp::FactorOutcome>(k_clients, [&](std::size_t) {
      return house_.factors.confirm({k_user, enrolled.factor_id, code.clone(), {}, k_ip});
    }));
    ASSERT_EQ(counts[accepted], 1) << "round " << round;
    ASSERT_EQ(counts[refused], static_cast<int>(k_clients) - 1);
    house_.world.clock.advance(Seconds(30));
  }
  EXPECT_EQ(house_.events(type::k_factor_confirmed).size(), 1U);
  EXPECT_EQ(house_.events(type::k_factor_verify_success).size(), std::size_t{k_rounds} - 1);
}

// However many guess at once, a factor is closed by as many wrong codes as one after the other.
TEST_P(Race, ParallelWrongTotpCodesCloseTheFactor) {
  constexpr std::size_t refused = 1;
  constexpr std::size_t closed = 2;
  for (int round = 0; round < 20; ++round) {
    otp::EnrolRequest request{.user_id = k_user, .client_ip = k_ip};
    const auto enrolled =
        std::get<otp::Enrolled>(storage::await(house_.factors.enrol(std::move(request))).value());
    const auto step = otp::time_step({}, house_.world.clock.now());
    const std::string wrong =
        other_code(otp::oath_code({}, enrolled.secret.reveal(), step).reveal());
    auto counts = tally(racers_.race<otp::FactorOutcome>(k_clients, [&](std::size_t) {
      return house_.factors.confirm(
          {k_user, enrolled.factor_id, Secret(std::string(wrong)), {}, k_ip});
    }));
    ASSERT_EQ(counts[refused], 5);
    ASSERT_EQ(counts[closed], static_cast<int>(k_clients) - 5);
  }
}

TEST_P(Race, OneRecoveryCodeIsUsedOnce) {
  constexpr std::size_t accepted = 0;
  constexpr std::size_t refused = 1;
  house_.rules.hash = k_small_argon;
  const auto codes = storage::await(house_.factors.make_recovery_codes(k_user, k_ip)).value();
  for (const Secret& code : codes) {
    const int before = house_.hashed();
    auto counts = tally(racers_.race<otp::RecoveryOutcome>(k_clients, [&](std::size_t) {
      return house_.factors.verify_recovery(k_user, otp::find_recovery_code(code.reveal()), k_ip);
    }));
    ASSERT_EQ(counts[accepted], 1);
    ASSERT_LE(counts[refused], house_.hashed() - before);
    storage::await(house_.factors.unlock(k_user, k_ip)).value();
  }
  EXPECT_EQ(house_.events(type::k_factor_recovery_used).size(), codes.size());
}

TEST_P(Race, ASessionIsNeverLostAmongParallelOnes) {
  const auto opened = racers_.race<otp::OpenedSession>(
      16, [&](std::size_t) { return house_.sessions.open({k_user, "login", k_ip}); });
  EXPECT_EQ(storage::await(house_.sessions.list(k_user)).value().size(), 16U);
  const auto ended = racers_.race<std::size_t>(
      8, [&](std::size_t) { return house_.sessions.log_out(k_user, k_ip); });
  std::size_t sum = 0;
  for (const auto& one : ended) sum += one.value();
  EXPECT_EQ(sum, 16U);
  EXPECT_EQ(house_.events(type::k_session_revoked).size(), 16U);
}

}  // namespace
}  // namespace otpd::usecase
