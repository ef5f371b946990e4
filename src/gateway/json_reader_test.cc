#include "gateway/json_reader.h"

#include <gtest/gtest.h>

namespace otpd::gateway {
namespace {

using namespace std::string_literals;

std::string detail_of(std::string_view text) {
  const auto parsed = parse_object(text);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().name, ProblemName::invalid_request);
  return parsed.error().detail;
}
bool accepted(std::string_view text) {
  return parse_object(text).has_value();
}

// `depth` objects, one in the other.
std::string nested_objects(int depth) {
  std::string text;
  for (int i = 1; i < depth; ++i) text += R"({"a":)";
  return text + "{}" + std::string(static_cast<std::size_t>(depth - 1), '}');
}

TEST(ParseObject, TakesOneObjectWithBlanksAroundIt) {
  const auto parsed = parse_object(" \t\r\n{\"a\": \"b\\u00e9\", \"n\": -1}\n ");
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["a"], "b\xc3\xa9");
  EXPECT_EQ((*parsed)["n"], -1);
}

TEST(ParseObject, RefusesEverythingThatIsNoObject) {
  for (const std::string_view text : {"[]", "[{}]", "\"a\"", "1", "true", "null", "-0.5e3"}) {
    EXPECT_EQ(detail_of(text), "The body must be a JSON object.") << text;
  }
  for (const std::string_view text :
       {"",           " ",          "{",          "}",           "{]",     "{\"a\"}", "{\"a\":}",
        "{a:1}",      "{'a':1}",    "{\"a\":1,}", "{,}",         "nul",    "NaN",     "{\"a\":NaN}",
        "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":0x1}", "{/**/}", "{}//",    "\xff{}"}) {
    EXPECT_FALSE(accepted(text)) << text;
  }
}

TEST(ParseObject, RefusesTrailingBytes) {
  for (const std::string& tail : {"x"s, "{}"s, ","s, "\0"s, "\0{}"s, "\xff"s, "\x1a"s}) {
    EXPECT_FALSE(accepted("{}" + tail)) << tail;
  }
}

TEST(ParseObject, RefusesNulBytesAndByteOrderMarks) {
  EXPECT_FALSE(accepted("\0{}"s));
  EXPECT_FALSE(accepted("{\"a\":\"b\0\"}"s));
  EXPECT_FALSE(accepted("\xef\xbb\xbf{}"));
  EXPECT_FALSE(accepted("\xfe\xff\0{\0}"s));
  EXPECT_TRUE(accepted(R"({"a":"\u0000"})"));  // a character like any other; members refuse it
}

TEST(ParseObject, RefusesAMemberThatIsThereTwice) {
  EXPECT_EQ(detail_of(R"({"code":"1","code":"2"})"), "The member \"code\" is there twice.");
  EXPECT_FALSE(accepted(R"({"a":1,"\u0061":2})"));
  EXPECT_FALSE(accepted(R"({"a":{"b":1,"b":1}})"));
  EXPECT_FALSE(accepted(R"({"a":[{"b":1},{"c":1,"c":1}]})"));
  EXPECT_TRUE(accepted(R"({"a":{"a":{"a":1}},"b":{"a":1},"c":[{"a":1},{"a":1}]})"));
}

TEST(ParseObject, NamesNothingUnprintableAndNothingLong) {
  const std::string detail = detail_of("{\"\\u000a\xc3\xa9<\":1,\"\\u000a\xc3\xa9<\":1}");
  EXPECT_EQ(detail,
            "The member \"??"
            "?<\" is there twice.");
  const std::string name(5'000, 'n');
  EXPECT_LT(detail_of("{\"" + name + "\":1,\"" + name + "\":1}").size(), 100U);
}

TEST(ParseObject, TakesEightLevelsAndRefusesNine) {
  EXPECT_TRUE(accepted(nested_objects(8)));
  EXPECT_FALSE(accepted(nested_objects(9)));
  EXPECT_TRUE(accepted(R"({"a":[[[[[[[]]]]]]]})"));
  EXPECT_FALSE(accepted(R"({"a":[[[[[[[[]]]]]]]]})"));
  EXPECT_EQ(detail_of(std::string(16'000, '[')), "The body is nested deeper than 8.");
}

TEST(ParseObject, RefusesWhatIsNotUtf8) {
  for (const std::string_view bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(accepted("{\"a\":\"" + std::string(bad) + "\"}"));
  }
  for (const std::string_view lone : {R"(\ud800)", R"(\udc00)", R"(\ud800\u0041)", R"(\ud800x)"}) {
    EXPECT_FALSE(accepted("{\"a\":\"" + std::string(lone) + "\"}")) << lone;
  }
  EXPECT_TRUE(accepted(R"({"a":"\ud83d\ude00"})"));
}

TEST(ParseObject, RefusesNumbersThatNothingCanHold) {
  EXPECT_EQ(detail_of(R"({"a":1e999})"), "The body holds a number out of range.");
  EXPECT_TRUE(accepted(R"({"a":123456789012345678901234567890})"));
  EXPECT_TRUE(accepted("{\"a\":" + std::string(300, '9') + "}"));
}

class ReadMembers : public ::testing::Test {
 protected:
  Members& members(std::string_view text) {
    object_ = parse_object(text).value();
    return members_.emplace(object_, "in.");
  }
  nlohmann::json object_;
  std::optional<Members> members_;
};

TEST_F(ReadMembers, GivesTextAndRefusesOtherTypesByName) {
  EXPECT_EQ(members(R"({"a":"b"})").text("a", 1), "b");
  EXPECT_FALSE(members_->finish());
  EXPECT_EQ(members("{}").text("a", 1), std::nullopt);
  EXPECT_FALSE(members_->finish());
  for (const char* other : {"1", "true", "null", "[]", "{}", "0.5", "[\"b\"]"}) {
    EXPECT_EQ(members(std::string(R"({"a":)") + other + "}").text("a", 9), std::nullopt);
    const auto problem = members_->finish();
    ASSERT_TRUE(problem) << other;
    EXPECT_EQ(problem->member, "in.a");
    EXPECT_EQ(problem->detail, "\"in.a\" must be a string.");
  }
}

TEST_F(ReadMembers, RefusesEmptyAndLongText) {
  members(R"({"a":""})").text("a", 4);
  EXPECT_TRUE(members_->finish());
  EXPECT_EQ(members(R"({"a":"1234"})").text("a", 4), "1234");
  members(R"({"a":"12345"})").text("a", 4);
  EXPECT_TRUE(members_->finish());
}

TEST_F(ReadMembers, GivesListsOfTexts) {
  const auto texts = [&](const std::string& text) {
    return members("{\"a\":" + text + "}").texts("a", 2, 3);
  };
  EXPECT_EQ(texts(R"(["b","ccc"])"), (std::vector<std::string>{"b", "ccc"}));
  EXPECT_FALSE(members_->finish());
  for (const char* bad : {"[]", R"(["b","c","d"])", R"(["cccc"])", R"([""])", R"(["b",1])",
                          R"([["b"]])", R"("b")", "{}", "null"}) {
    EXPECT_EQ(texts(bad), std::nullopt) << bad;
    EXPECT_EQ(members_->finish()->member, "in.a") << bad;
  }
}

TEST_F(ReadMembers, GivesWholeNumbersWithinTheirBounds) {
  const auto integer = [&](const std::string& text) {
    return members("{\"a\":" + text + "}").integer("a", -2, 9);
  };
  EXPECT_EQ(integer("-2"), -2);
  EXPECT_EQ(integer("9"), 9);
  EXPECT_EQ(integer("0"), 0);
  for (const char* bad :
       {"-3", "10", "1.0", "1e0", "\"1\"", "true", "null", "[1]", "18446744073709551615",
        "-9223372036854775808", "99999999999999999999999"}) {
    EXPECT_EQ(integer(bad), std::nullopt) << bad;
    EXPECT_TRUE(members_->finish()) << bad;
  }
}

TEST_F(ReadMembers, RefusesTheUnknownByName) {
  members(R"({"a":"b","cod":"1"})").text("a", 9);
  const auto problem = members_->finish();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->name, ProblemName::invalid_request);
  EXPECT_EQ(problem->member, "in.cod");
  EXPECT_EQ(problem->detail, "There is no member \"in.cod\" in this request.");
}

TEST_F(ReadMembers, TheFirstRefusalStays) {
  members(R"({"a":1,"b":2,"c":3})").text("a", 9);
  EXPECT_EQ(members_->text("b", 9), std::nullopt);
  EXPECT_EQ(members_->object("c"), nullptr);
  members_->refuse(ProblemName::invalid_phone, "b", "later");
  EXPECT_TRUE(members_->refused());
  EXPECT_EQ(members_->finish()->member, "in.a");
}

}  // namespace
}  // namespace otpd::gateway
