// `metric relation bound`: reading, mistakes, verdicts.
#include <limits>

#include "sim/assertions.h"
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

std::string read_assertion(std::string_view text) {
  const auto parsed = parse_assertion(text);
  if (const auto* a = std::get_if<Assertion>(&parsed))
    return a->metric + ' ' + a->relation + ' ' + number_text(a->bound);
  const auto& m = std::get<AssertionMistake>(parsed);
  return std::to_string(m.begin) + '+' + std::to_string(m.length) + ' ' + m.what + " | " + m.hint;
}

TEST(ScenarioAssertions, AreReadWithAndWithoutBlanks) {
  EXPECT_EQ(read_assertion("makespan_s <= 120"), "makespan_s <= 120");
  EXPECT_EQ(read_assertion("  makespan_s<=1.5e3  "), "makespan_s <= 1500");
  EXPECT_EQ(read_assertion("jobs_failed\t!=\t-0.5"), "jobs_failed != -0.5");
}

TEST(ScenarioAssertions, MistakesPointIntoTheText) {
  EXPECT_EQ(read_assertion("maxwait_s < 1"),
            "0+9 there is no metric `maxwait_s` | did you mean `max_wait_s`?");
  EXPECT_THAT(
      read_assertion("frequency < 1"),
      testing::StartsWith("0+9 there is no metric `frequency` | right: one of makespan_s makespan_bound_s "));
  EXPECT_THAT(read_assertion(""),
              testing::StartsWith("0+0 an assertion starts with a metric | right: one of"));
  EXPECT_EQ(read_assertion("jobs = 3"), "5+1 `=` is no relation | did you mean `==`?");
  EXPECT_EQ(read_assertion("jobs =< 3"), "5+2 `=<` is no relation | did you mean `<=`?");
  EXPECT_EQ(read_assertion("jobs 3"),
            "5+0 no relation follows the metric | right: < <= == != >= or >, as in `makespan_s <= 120`");
  EXPECT_EQ(read_assertion("jobs =="),
            "7+0 no bound follows the relation | right: a number, as in `makespan_s <= 120`");
  EXPECT_EQ(read_assertion("jobs == 3s"),
            "8+2 `3s` is no number | right: a number, as in `makespan_s <= 120`");
  EXPECT_EQ(read_assertion("jobs == nan"),
            "8+3 `nan` is no number | right: a number, as in `makespan_s <= 120`");
  EXPECT_EQ(read_assertion("jobs == 3 4"),
            "10+1 nothing may follow the bound | right: one assertion per string");
}

TEST(ScenarioAssertions, AreHeldAgainstTheRun) {
  std::vector<Assertion> assertions;
  for (const char* text : {"jobs < 3", "jobs <= 3", "jobs == 3", "jobs != 3", "jobs >= 3", "jobs > 3",
                           "makespan_s <= 1.5", "mean_wait_s != 1", "utilization != 1"})
    assertions.push_back(std::get<Assertion>(parse_assertion(text)));
  const Metrics metrics = {
      {"jobs", 3.0}, {"makespan_s", 1.25}, {"utilization", std::numeric_limits<double>::quiet_NaN()}};
  std::vector<std::string> shown;
  std::string held;
  for (const Verdict& verdict : evaluate(assertions, metrics)) {
    shown.push_back(to_text(verdict));
    held += verdict.holds ? '+' : '-';
  }
  EXPECT_EQ(held, "-++-+-+--");
  EXPECT_THAT(shown,
              testing::ElementsAre("jobs < 3: it is 3", "jobs <= 3: 3", "jobs == 3: 3", "jobs != 3: it is 3",
                                   "jobs >= 3: 3", "jobs > 3: it is 3", "makespan_s <= 1.5: 1.25",
                                   "mean_wait_s != 1: this run has no mean_wait_s",
                                   "utilization != 1: this run has no utilization"));
}

}  // namespace
}  // namespace duet::sim::scenario_test
