// JSON with places: syntax mistakes as users see them, values, edits, hostile input.
#include <limits>

#include "sim/decimal.h"
#include "sim/json_doc.h"
#include "sim/json_write.h"
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

std::string syntax(const std::string& text) {
  Mistakes mistakes;
  const JsonDoc doc("f", text, mistakes);
  EXPECT_TRUE(doc.root() || !mistakes.empty());
  return render(doc, mistakes);
}

struct SyntaxCase {
  std::string text;
  std::string shown;
};

TEST(ScenarioJson, SyntaxMistakesPointAtTheTokenAndSayWhatWouldBeRight) {
  const std::vector<SyntaxCase> cases = {
      {"", "f:1:1: the file is empty\n  1 | \n    | ^\n    = right: a JSON object\n"},
      {" \n\t\n", "f:3:1: the file is empty\n  3 | \n    | ^\n    = right: a JSON object\n"},
      {"{\"a\": 1,}",
       "f:1:9: this is not JSON: unexpected '}'\n  1 | {\"a\": 1,}\n    |         ^\n"
       "    = right: no comma before the closing bracket\n"},
      {"{\"a\": 1\n \"b\": 2}",
       "f:2:2: this is not JSON: unexpected string literal\n  2 |  \"b\": 2}\n    |  ^\n    = right: `,` or "
       "`}`\n"},
      {"{\"a\": [1 2]}",
       "f:1:10: /a: this is not JSON: unexpected number literal\n  1 | {\"a\": [1 2]}\n    |          ^\n"
       "    = right: `,` or `]`\n"},
      {"{\"a\": [1, 2}",
       "f:1:12: /a: this is not JSON: unexpected '}'\n  1 | {\"a\": [1, 2}\n    |            ^\n"
       "    = right: `,` or `]`\n"},
      {"{\n  \"a\": {\"b\": 1\n",
       "f:3:1: /a: this is not JSON: unexpected end of input\n  3 | \n    | ^\n"
       "    = `{` in line 2, column 8 is not closed\n"},
      {"{} x",
       "f:1:4: this is not JSON: invalid literal\n  1 | {} x\n    |    ^\n"
       "    = right: nothing more, the document is complete before this\n"},
      {"{1: 2}",
       "f:1:2: this is not JSON: unexpected number literal\n  1 | {1: 2}\n    |  ^\n    = right: a name in "
       "double quotes\n"},
      {"// note\n{}",
       "f:1:1: this is not JSON: invalid literal\n  1 | // note\n    | ^\n    = JSON has no comments\n"},
      {"{\"a\": NaN}",
       "f:1:7: this is not JSON: invalid literal\n  1 | {\"a\": NaN}\n    |       ^\n    = numbers are "
       "finite in JSON\n"},
      {"{\"a\": -Infinity}",
       "f:1:7: this is not JSON: invalid number; expected digit after '-'\n  1 | {\"a\": -Infinity}\n    |   "
       "    ^\n"
       "    = numbers are finite in JSON\n"},
      {"[1, 1e999]", "f:1:5: this number is too large for any use\n  1 | [1, 1e999]\n    |     ^\n"},
      {"[007]",
       "f:1:3: this is not JSON: unexpected number literal\n  1 | [007]\n    |   ^\n"
       "    = numbers have no leading zeros in JSON\n"},
      {"{'a': 1}",
       "f:1:2: this is not JSON: invalid literal\n  1 | {'a': 1}\n    |  ^\n    = strings take double "
       "quotes\n"},
      {"[True]",
       "f:1:2: this is not JSON: invalid literal\n  1 | [True]\n    |  ^\n    = JSON writes true, false and "
       "null\n"},
  };
  for (const SyntaxCase& c : cases) EXPECT_EQ(syntax(c.text), c.shown) << c.text;
}

TEST(ScenarioJson, BadTextIsShownWithoutReachingTheTerminal) {
  EXPECT_EQ(
      syntax("[\"a\x1b[31m\"]"),
      "f:1:4: this is not JSON: invalid string: control character U+001B (ESC) must be escaped to \\u001B\n"
      "  1 | [\"a\xe2\x90\x9b[31m\"]\n    |    ^\n");
  EXPECT_EQ(syntax("[\"a\xff\"]"),
            "f:1:4: this is not JSON: invalid string: ill-formed UTF-8 byte\n  1 | [\"a\xef\xbf\xbd\"]\n    "
            "|    ^\n");
  EXPECT_THAT(syntax("[\"\\ud800\"]"),
              testing::HasSubstr("f:1:9: this is not JSON: invalid string: surrogate"));
  EXPECT_THAT(syntax("[\"\\udc00\"]"),
              testing::HasSubstr("f:1:8: this is not JSON: invalid string: surrogate"));
  EXPECT_EQ(printable("a\tb\x7f\xe2\x80\xae\xe2\x82\xac"), "a b\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac");
}

TEST(ScenarioJson, ColumnsCountCharactersAndLinesMayEndInCrLf) {
  EXPECT_THAT(syntax("{\"\xc3\xa9\xe2\x82\xac\": x}"), testing::HasSubstr("f:1:8: this is not JSON"));
  EXPECT_EQ(syntax("\xef\xbb\xbf{\r\n \"a\": ?\r\n}"),
            "f:2:7: this is not JSON: invalid literal\n  2 |  \"a\": ?\n    |       ^\n");
  EXPECT_THAT(syntax("\xef\xbb\xbf?"), testing::HasSubstr("f:1:1: "));
}

TEST(ScenarioJson, OtherEncodingsAreNamed) {
  const auto text = [](std::string_view bytes) { return syntax(std::string(bytes)); };
  const std::string utf16 =
      "f:1:1: this is UTF-16 text; Duet reads UTF-8\n  1 | \n    | ^\n    = right: the same saved as UTF-8\n";
  using namespace std::string_view_literals;
  EXPECT_EQ(text("\xff\xfe{\0}\0"sv), utf16);
  EXPECT_EQ(text("\xfe\xff\0{\0}"sv), utf16);
  EXPECT_EQ(text("{\0}\0"sv), utf16);
  EXPECT_EQ(text("\0{\0}"sv), utf16);
  EXPECT_THAT(text("\xff\xfe\0\0{\0\0\0"sv), testing::HasSubstr("this is UTF-32 text; Duet reads UTF-8\n"));
  EXPECT_EQ(text("{\"a\":\n 1\0}"sv),
            "f:2:3: there is a NUL byte here: this is not a text file\n  2 |  1\xe2\x90\x80}\n    |   ^\n"
            "    = right: JSON in UTF-8\n");
}

TEST(ScenarioJson, ANameGivenTwiceIsShownWithTheOtherPlace) {
  EXPECT_EQ(syntax("{\"a\": 1,\n \"b\": {\"c\": 1, \"\\u0063\": 2}, \"a\": 3}"),
            "f:2:16: /b/c: `c` is given twice\n  2 |  \"b\": {\"c\": 1, \"\\u0063\": 2}, \"a\": 3}\n"
            "    |                ^~~~~~~~\n    = the other one is in line 2, column 8\n"
            "f:2:30: /a: `a` is given twice\n  2 |  \"b\": {\"c\": 1, \"\\u0063\": 2}, \"a\": 3}\n"
            "    |                              ^~~\n    = the other one is in line 1, column 2\n");
}

TEST(ScenarioJson, LongLinesAreCutAroundTheCaret) {
  const std::string shown = syntax("[" + std::string(5000, ' ') + "x" + std::string(5000, ' ') + "]");
  EXPECT_EQ(shown, "f:1:5002: this is not JSON: invalid literal\n  1 | ..." + std::string(33, ' ') + "x" +
                       std::string(66, ' ') + "...\n    | " + std::string(36, ' ') + "^\n");
}

TEST(ScenarioJson, HostileNestingEndsAtOnce) {
  EXPECT_THAT(syntax(std::string(200'000, '[')), testing::HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(syntax(std::string(100'000'000, '[')), testing::StartsWith("f:1:65: /0/0/0"));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(syntax(objects), testing::HasSubstr("nested deeper than 64 levels"));
  EXPECT_EQ(syntax(std::string(64, '[') + std::string(64, ']')), "");
}

TEST(ScenarioJson, ValuesAreFoundInNodesAndPackedArraysAlike) {
  Mistakes mistakes;
  const JsonDoc doc("f", R"({"rows": [[1, "a\"]\\", true], [], [[2], 3]], "s": "\u00e9\ud83d\ude00\n\/"})",
                    mistakes);
  ASSERT_TRUE(doc.root());
  std::vector<std::string> seen;
  for (JsonValue row = doc.root().member("rows").first_child(); row; row = row.next_sibling())
    for (JsonValue v = row.first_child(); v; v = v.next_sibling())
      seen.push_back(doc.pointer(v.place()) + " " + std::string(v.raw()));
  EXPECT_THAT(seen, testing::ElementsAre("/rows/0/0 1", "/rows/0/1 \"a\\\"]\\\\\"", "/rows/0/2 true",
                                         "/rows/2/0 [2]", "/rows/2/1 3"));
  EXPECT_EQ(doc.root().member("s").string(), "\xc3\xa9\xf0\x9f\x98\x80\n/");
  EXPECT_FALSE(doc.root().member("t"));
}

std::string after(const std::string& text, const std::vector<std::string>& options) {
  Mistakes mistakes;
  JsonDoc doc("f", text, mistakes);
  for (const std::string& option : options) doc.set(option, mistakes);
  if (!mistakes.empty()) return render(doc, mistakes);
  std::string out;
  const auto write = [&](const auto& self, const JsonValue& v) -> void {
    if (v.type() != JsonType::kArray && v.type() != JsonType::kObject) {
      out += v.raw();
      return;
    }
    out += v.is(JsonType::kArray) ? "[" : "{";
    for (JsonValue c = v.first_child(); c; c = c.next_sibling()) {
      if (out.back() != '[' && out.back() != '{') out += ",";
      if (v.is(JsonType::kObject)) out += json_string(c.key()) + ":";
      self(self, c);
    }
    out += v.is(JsonType::kArray) ? "]" : "}";
  };
  write(write, doc.root());
  return out;
}

TEST(ScenarioJson, EditsReplaceMakeAndAppend) {
  EXPECT_EQ(after(R"({"a": 1})", {"/a=2"}), R"({"a":2})");
  EXPECT_EQ(after(R"({"a": 1})", {"/a=easy", "/b=true", "/c=\"5\"", "/d="}),
            R"({"a":"easy","b":true,"c":"5","d":""})");
  EXPECT_EQ(after("{}", {"/x/y/z={\"k\": [1]}", "/x/y/z/k/-=2", "/x/y/z/k/0=0"}),
            R"({"x":{"y":{"z":{"k":[0,2]}}}})");
  EXPECT_EQ(after(R"({"a": [1, [2], "x"]})", {"/a/1/0=7", "/a/3={}", "/a/3/n=1"}),
            R"({"a":[1,[7],"x",{"n":1}]})");
  EXPECT_EQ(after(R"({"a/b": 1, "c~d": 2})", {"/a~1b=3", "/c~0d=4"}), R"({"a/b":3,"c~d":4})");
  EXPECT_EQ(after(R"({"a": 1})", {"=[1]"}), "[1]");
  EXPECT_EQ(after("{}", {"/a=x=y", "/b=a\"b\n"}), R"({"a":"x=y","b":"a\"b\n"})");
}

TEST(ScenarioJson, MistakenEditsNameTheOption) {
  EXPECT_EQ(after("{\"a\": [1]}", {"/a/7=1"}),
            "--set: `7` names no element: the array has 1\n   | /a/7=1\n   | ^~~~\n"
            "   = right: an index from 0, or - to append\n");
  EXPECT_EQ(after("{\"a\": 1}", {"/a/b=1"}),
            "--set: `/a` is a number: it has no member `b`\n   | /a/b=1\n   | ^~~~\n");
  EXPECT_EQ(after("{}", {"seed=3"}),
            "--set: this does not say what to set\n   | seed=3\n   | ^~~~\n   = right: --set "
            "/policies/queue=easy\n");
  EXPECT_EQ(after("{}", {"/seed"}),
            "--set: this does not say what to set\n   | /seed\n   | ^~~~~\n   = right: --set "
            "/policies/queue=easy\n");
  EXPECT_EQ(after("{}", {"/a={\"b\": 1"}),
            "--set: this is not JSON: unexpected end of input\n   | /a={\"b\": 1\n   |           ^\n"
            "   = `{` in column 4 is not closed\n");
  EXPECT_EQ(after("{}", {"/a={\"b\": 1, \"b\": 2}"}),
            "--set: `b` is given twice\n   | /a={\"b\": 1, \"b\": 2}\n   |             ^~~\n"
            "   = the other one is in column 5\n");
}

TEST(ScenarioJson, DecimalsAreReadExactly) {
  const auto ns = [](std::string_view text) {
    const Decimal d = read_decimal(text, 9);
    return (d.negative ? "-" : "") + std::to_string(d.units) + (d.too_large ? "!" : "") +
           (d.exact ? "" : "~");
  };
  EXPECT_EQ(ns("4.709164"), "4709164000");
  EXPECT_EQ(ns("0.1"), "100000000");
  EXPECT_EQ(ns("1e-9"), "1");
  EXPECT_EQ(ns("123456789e-9"), "123456789");
  EXPECT_EQ(ns("0.000000000499999999"), "0~");
  EXPECT_EQ(ns("0.0000000005"), "1~");
  EXPECT_EQ(ns("1.9999999995"), "2000000000~");
  EXPECT_EQ(ns("5e-10"), "1~");
  EXPECT_EQ(ns("5e-11"), "0~");
  EXPECT_EQ(ns("9007199.254740993"), "9007199254740993");  // 2^53 + 1: no double holds it
  EXPECT_EQ(ns("12e3"), "12000000000000");
  EXPECT_EQ(ns("-1.5"), "-1500000000");
  EXPECT_EQ(ns("0e999999999999999999999"), "0");
  EXPECT_THAT(ns("1e300"), testing::HasSubstr("!"));
  EXPECT_EQ(ns("18446744073.709551615"), "18446744073709551615");
  EXPECT_THAT(ns("18446744073.709551616"), testing::HasSubstr("!"));
  EXPECT_EQ(read_decimal("4.2e9", 0).units, 4'200'000'000U);
  EXPECT_FALSE(read_decimal("1.5", 0).exact);
}

TEST(ScenarioJson, DecimalsAreWrittenShortAndReadBack) {
  const auto text = [](std::int64_t ns) {
    std::string out;
    append_seconds(out, ns);
    return out;
  };
  EXPECT_EQ(text(4709164000), "4.709164");
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(1), "0.000000001");
  EXPECT_EQ(text(60'000'000'000), "60");
  EXPECT_EQ(text(-1'500'000'000), "-1.5");
  EXPECT_EQ(text(std::numeric_limits<std::int64_t>::min()), "-9223372036.854775808");
  EXPECT_EQ(number_text(1e9), "1e9");
  EXPECT_EQ(number_text(0.25), "0.25");
  EXPECT_EQ(number_text(1e-7), "1e-7");
  EXPECT_EQ(number_text(-0.1), "-0.1");
}

TEST(ScenarioJson, NearWordsAreFoundAndFarOnesAreNot) {
  EXPECT_EQ(closest("coers", {"count", "cores"}), "cores");
  EXPECT_EQ(closest("esay", {"fcfs", "sjf", "easy", "easy_machines"}), "easy");
  EXPECT_EQ(closest("x", {"fcfs", "sjf"}), "");
  EXPECT_EQ(closest("ab", {"cd", "xy"}), "");
  EXPECT_EQ(did_you_mean("durationn_s", {"duration_s"}), "did you mean `duration_s`?");
}

}  // namespace
}  // namespace duet::sim::scenario_test
