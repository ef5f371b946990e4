#include "house.h"

#include <filesystem>

#include "crypto/seal.h"

namespace otpd::usecase {

using storage::await;

namespace {

crypto::KeyRing make_keys(Random& random) {
  crypto::init();
  return crypto::KeyRing::create(storage::k_start, random);
}

// Opens the backend before anything refers to it.
otp::Store& opened(const storage::BackendKind& kind, storage::World& world) {
  kind.open(world);
  return world.store();
}

}  // namespace

std::string other_code(std::string_view code) {
  std::string other(code);
  other[0] = other[0] == '9' ? '0' : static_cast<char>(other[0] + 1);
  return other;
}

otp::Rules make_test_rules() {
  otp::Rules rules;
  rules.hash = k_cheap;
  // Most tests send often and are about something else.
  rules.limits.friction.recipient_sends = 1'000'000;
  rules.limits.friction.ip_sends = 1'000'000;
  rules.limits.friction.application_percent = 99;
  constexpr otp::Cap k_plenty{1'000'000'000'000'000};
  rules.caps.application = rules.caps.country = {{k_plenty, k_plenty, k_plenty}};
  rules.caps.block = k_plenty;
  rules.caps.pumping.min_sends = 1'000'000'000;
  rules.policies["login"] = {};
  rules.policies["transaction"] = {
      .lifetime = Seconds(600), .opens_session = false, .needs_context = true};
  rules.policies["password_reset"] = {
      .lifetime = Seconds(1'800), .opens_session = false, .has_link = true};
  return rules;
}

std::filesystem::path fast_folder() {
  const std::filesystem::path memory("/dev/shm");
  return std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
}

House::House(const storage::BackendKind& kind, crypto::HashPool::Config pool)
    : keys(make_keys(random)),
      rules(make_test_rules()),
      store(opened(kind, world)),
      hashes(pool, world.metrics.seconds("hash_wait_seconds", "Waiting.")),
      sessions(services(), rules),
      factors(services(), rules),
      issuer(services(), rules, roads),
      verifier(services(), rules, sessions),
      verifications(services(), rules) {}

otp::Recipient House::recipient(std::string phone) const {
  std::string identity = phone;
  return {otp::Recipient::Kind::phone, Secret(std::move(phone)), Secret(std::move(identity)), "US"};
}

otp::SendRequest House::send_request(const std::string& phone, const std::string& purpose) const {
  otp::SendRequest request;
  request.recipient = recipient(phone);
  request.channel = "sms";
  request.purpose = purpose;
  request.client_ip = k_ip;
  return request;
}

otp::VerifyRequest House::verify_request(std::string_view code, const std::string& phone,
                                         const std::string& purpose) const {
  otp::VerifyRequest request;
  request.recipient = recipient(phone);
  request.purpose = purpose;
  request.code = Secret(std::string(code));
  request.client_ip = k_ip;
  return request;
}

Result<otp::SendOutcome> House::try_send(otp::SendRequest request) {
  return await(issuer.send(std::move(request)));
}

otp::SendOutcome House::send(otp::SendRequest request) {
  return try_send(std::move(request)).value();
}

otp::Payload House::send_and_take(otp::SendRequest request) {
  const auto outcome = send(std::move(request));
  EXPECT_TRUE(std::holds_alternative<otp::Sent>(outcome));
  auto payloads = take_all();
  EXPECT_EQ(payloads.size(), 1U);
  return payloads.empty() ? otp::Payload{} : std::move(payloads.front());
}

std::vector<otp::Payload> House::take_all() {
  std::vector<otp::Payload> payloads;
  for (const delivery::Job& job : world.take(1'000)) {
    const auto opened = crypto::open(keys, job.sealed, job.id);
    payloads.push_back(otp::decode<otp::Payload>(opened.value().reveal()).value());
    world.append({.finish = {storage::end_of(job, otp::JobEnd::How::done)}});
  }
  return payloads;
}

Result<otp::VerifyOutcome> House::try_verify(otp::VerifyRequest request) {
  return await(verifier.verify(std::move(request)));
}

otp::VerifyOutcome House::verify(otp::VerifyRequest request) {
  return try_verify(std::move(request)).value();
}

std::optional<otp::Verification> House::find(const otp::VerificationId& id) {
  return await(verifications.find(id)).value();
}

std::string House::status(const otp::VerificationId& id) {
  const auto found = find(id);
  return found ? std::string(otp::status_name(*found, world.clock.now())) : "none";
}

std::vector<std::string> House::event_types() {
  std::vector<std::string> types;
  for (const audit::Event& event : world.events({.limit = 1'000})) {
    types.push_back(event.event_type);
  }
  return types;
}

std::vector<audit::Event> House::events(std::string_view type) {
  return world.events({.event_type = std::string(type), .limit = 1'000});
}

int House::hashed() {
  const std::string page = world.metrics.render();
  const std::string name = "\nhash_wait_seconds_count ";
  return std::stoi(page.substr(page.find(name) + name.size()));
}

}  // namespace otpd::usecase
