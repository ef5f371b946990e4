#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ConfigSmpp, ReadsItsSection) {
  const auto loaded = load(R"([providers.carrier]
kind = "smpp"
address = "smsc.example.com:3550"
tls = true
system_id = "acme"
password = "secret"
system_type = "OTP"
from = "ACME Bank"
source_ton = "5"
source_npi = "0"
window = 50
enquire_link_s = 20
bind_timeout_ms = 3000
hex_ids = true

[delivery.routes]
sms = ["carrier"]
)");
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  const SmppConfig& smpp = loaded->config.providers.at("carrier").smpp;
  EXPECT_EQ(smpp.address, "smsc.example.com:3550");
  EXPECT_TRUE(smpp.tls);
  EXPECT_EQ(smpp.system_id, "acme");
  EXPECT_EQ(smpp.password.reveal(), "secret");
  EXPECT_EQ(smpp.from, "ACME Bank");
  EXPECT_EQ(smpp.source_ton, "5");
  EXPECT_EQ(smpp.window, 50U);
  EXPECT_EQ(smpp.enquire_link, Seconds(20));
  EXPECT_EQ(smpp.bind_timeout, Millis(3'000));
  EXPECT_EQ(smpp.hex_ids, HexIds::on);
}

TEST(ConfigSmpp, RefusesWhatCannotBe) {
  const std::string section = "[providers.carrier]\nkind = \"smpp\"\n";
  for (const char* line : {
           "address = \"smsc.example.com\"",
           "address = \"smsc.example.com:0\"",
           "address = \"smsc:2775/x\"",
           "address = \":2775\"",
           "system_id = \"1234567890123456\"",
           "system_id = \"\"",
           "password = \"123456789\"",
           "system_type = \"1234567890123\"",
           "from = \"TwelveLetter\"",
           "from = \"\"",
           "from = \"+\"",
           "from = \"\u00e4\"",
           "source_ton = \"7\"",
           "source_ton = \"\"",
           "source_npi = \"2\"",
           "window = 0",
           "enquire_link_s = 0",
           "bind_timeout_ms = 1",
           "hex_ids = \"yes\"",
           "url = \"smtp://127.0.0.1:25\"",
       }) {
    EXPECT_FALSE(load(section + line + "\n")) << line;
  }
  for (const char* line :
       {"address = \"[::1]:2775\"", "address = \"10.0.0.1:1\"", "from = \"+15005550006\"",
        "from = \"72727\"", "password = \"\"", "hex_ids = \"auto\"", "source_npi = \"18\""}) {
    const auto loaded = load(section + line + "\n");
    EXPECT_TRUE(loaded) << line << errors(loaded);
  }
}

TEST(ConfigSmpp, CarriesTextMessagesOnly) {
  const auto loaded =
      load("providers.carrier.kind = \"smpp\"\ndelivery.routes.voice = [\"carrier\"]");
  EXPECT_THAT(errors(loaded), HasSubstr("a provider of kind smpp cannot carry this channel"));
}

TEST(ConfigSmpp, WarnsOfOtherMachinesWithoutTls) {
  const auto loaded =
      load("[providers.carrier]\nkind = \"smpp\"\naddress = \"smsc.example.com:2775\"");
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_THAT(loaded->warnings,
              ::testing::ElementsAre(HasSubstr("tls is false"), HasSubstr("the simulator's")));
  const auto local = load("[providers.carrier]\nkind = \"smpp\"");
  EXPECT_THAT(local->warnings, IsEmpty());
}

}  // namespace
}  // namespace otpd::app
