#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"
#include "app/make_lanes.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;

const std::string k_every_kind = R"(
[providers.v]
kind = "vonage"
api_key = "k"
api_secret = "s"
from = "ACME"
signature_secret = "x"
[providers.s]
kind = "sns"
region = "eu-west-1"
access_key_id = "A"
secret_access_key = "s"
[providers.w]
kind = "whatsapp"
phone_number_id = "1"
access_token = "t"
template = "code"
app_secret = "x"
[providers.h]
kind = "http"
url = "https://a.example/"
receipt_proof = "header"
receipt_header = "X-Key"
receipt_secret = "x"
receipt_id_pointer = "/id"
receipt_state_pointer = "/s"
receipt_delivered = ["ok"]
[providers.k]
kind = "webhook"
url = "https://a.example/x"
secrets = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[providers.l]
kind = "log"
)";

struct MakeProvidersTest : ::testing::Test {
  boost::asio::io_context loop{1};
  net::Client client{loop};
  SystemClock clock;
  SeededRandom random{1};
};

TEST_F(MakeProvidersTest, MakesEveryKindFromWhatTheConfigurationAccepts) {
  const auto loaded = load(k_every_kind);
  ASSERT_TRUE(loaded) << errors(loaded);
  const auto made = [&](const std::string& name) {
    return make_provider(loaded->config.providers.at(name), {loop, client, clock, random}, name);
  };
  for (const char* name : {"twilio", "v", "w", "h", "k"}) {
    const auto provider = made(name);
    ASSERT_TRUE(provider) << name << provider.error().message;
    EXPECT_NE((*provider)->receipts(), nullptr) << name;
  }
  for (const char* name : {"mail", "s", "l"}) {
    const auto provider = made(name);
    ASSERT_TRUE(provider) << name << provider.error().message;
    EXPECT_EQ((*provider)->receipts(), nullptr) << name;
  }
}

TEST_F(MakeProvidersTest, MakesOnlyWhatARouteUses) {
  const auto loaded = load(k_every_kind + "[delivery.routes]\nsms = [\"v\"]\nvoice = [\"h\"]\n");
  ASSERT_TRUE(loaded) << errors(loaded);
  const auto providers = make_providers(loaded->config, make_routes(loaded->config).lanes(),
                                        {loop, client, clock, random});
  ASSERT_TRUE(providers);
  std::vector<std::string> names;
  for (const auto& [name, _] : *providers) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("h", "mail", "v"));
}

}  // namespace
}  // namespace otpd::app
