#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

// The first TOML example after that heading of docs/configuration.md.
std::string documented_example(const std::string& heading) {
  std::ifstream in(std::string(OTPD_SOURCE_DIR) + "/docs/configuration.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const auto begin = page.find("```toml\n", page.find(heading)) + 8;
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST(ConfigDocs, TheDescribedCarrierCanBeUsed) {
  const auto loaded = config_testing::load(
      documented_example("### A carrier of your own description"),
      {{"OTPD_PROVIDERS_ACME_SECRET", "k"}, {"OTPD_PROVIDERS_ACME_RECEIPT_SECRET", "r"}});
  ASSERT_TRUE(loaded) << config_testing::errors(loaded);
  EXPECT_EQ(loaded->config.providers.at("acme").http.receipts.secret.reveal(), "r");
  EXPECT_EQ(loaded->config.delivery.routes.sms, std::vector<std::string>{"acme"});
}

}  // namespace
}  // namespace otpd::app
