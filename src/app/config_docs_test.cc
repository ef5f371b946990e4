#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

// The first TOML example after that heading of a page in docs.
std::string documented_example(const std::string& file, const std::string& heading) {
  std::ifstream in(std::string(OTPD_SOURCE_DIR) + "/docs/" + file);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const auto begin = page.find("```toml\n", page.find(heading)) + 8;
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST(ConfigDocs, TheDescribedCarrierCanBeUsed) {
  const auto loaded = config_testing::load(
      documented_example("configuration.md", "### A carrier of your own description"),
      {{"OTPD_PROVIDERS_ACME_SECRET", "k"}, {"OTPD_PROVIDERS_ACME_RECEIPT_SECRET", "r"}});
  ASSERT_TRUE(loaded) << config_testing::errors(loaded);
  EXPECT_EQ(loaded->config.providers.at("acme").http.receipts.secret.reveal(), "r");
  EXPECT_EQ(loaded->config.delivery.routes.sms, std::vector<std::string>{"acme"});
}

TEST(ConfigDocs, TheDescribedApplicationsCanBeUsed) {
  const std::string vonage =
      "[providers.vonage]\nkind = \"vonage\"\napi_key = \"k\"\napi_secret = \"s\"\nfrom = "
      "\"Shop\"\n";
  const auto loaded =
      config_testing::load(vonage + documented_example("applications.md", "## Setting up"));
  ASSERT_TRUE(loaded) << config_testing::errors(loaded);
  const Config& shop = *loaded->config.applications.at("shop");
  EXPECT_EQ(shop.limits.ip_sends, 20U);
  EXPECT_EQ(shop.purposes.at("login").digits, 8U);
  EXPECT_EQ(shop.delivery.routes.sms, (std::vector<std::string>{"vonage", "twilio"}));
  EXPECT_EQ(loaded->config.applications.at("bank")->limits.ip_sends, 100U);
}

}  // namespace
}  // namespace otpd::app
