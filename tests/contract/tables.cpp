// What every entry of every policy table keeps to, whatever it decides.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "core/policy.h"

namespace duet::test {
namespace {

template <class P>
void expect_sound_table(std::span<const PolicyEntry<P>> table) {
  ASSERT_FALSE(table.empty());
  std::set<std::string_view> names;
  for (const PolicyEntry<P>& entry : table) {
    SCOPED_TRACE(entry.name);
    EXPECT_TRUE(names.insert(entry.name).second) << "two of one name";
    EXPECT_EQ(entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string_view::npos);
    EXPECT_GT(entry.summary.size(), 15U);
    EXPECT_TRUE(entry.summary.ends_with('.'));
    EXPECT_TRUE(entry.make({})) << "its defaults must do";
    const Params unknown{{{"no_such_parameter", std::int64_t{1}}}};
    const auto made = entry.make(unknown);
    ASSERT_FALSE(made);
    ASSERT_EQ(made.problems().size(), 1U);
    EXPECT_EQ(made.problems()[0].where, "no_such_parameter");
    EXPECT_EQ(made.problems()[0].what, "is not a parameter of this policy");
    const auto again = make_policy(table, {std::string(entry.name), {}});
    EXPECT_TRUE(again);
  }
  EXPECT_FALSE(make_policy(table, {"", {}}));
}

TEST(PolicyTables, EveryEntryIsSound) {
  expect_sound_table(queue_policies());
  expect_sound_table(scheduler_policies());
  expect_sound_table(autoscaler_policies());
  expect_sound_table(detector_policies());
  expect_sound_table(estimator_policies());
}

/// "name: unit, default, meaning; ..." -> the names.
std::vector<std::string> parameter_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::size_t end = text.find(';', colon);
    names.emplace_back(text.substr(0, colon));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return names;
}

template <class P>
void expect_documented_parameters(std::span<const PolicyEntry<P>> table) {
  for (const PolicyEntry<P>& entry : table) {
    SCOPED_TRACE(entry.name);
    const Params unknown{{{"no_such_parameter", std::int64_t{1}}}};
    const auto made = entry.make(unknown);
    ASSERT_FALSE(made);
    std::string known;
    for (const std::string& name : parameter_names(entry.parameters))
      known += (known.empty() ? "" : ", ") + name;
    EXPECT_EQ(made.problems()[0].right, known.empty() ? "it has none" : "it has " + known)
        << "what the table says of its parameters and what the factory reads must agree";
  }
}

TEST(PolicyTables, ParametersAreAllDocumented) {
  expect_documented_parameters(queue_policies());
  expect_documented_parameters(scheduler_policies());
  expect_documented_parameters(autoscaler_policies());
  expect_documented_parameters(detector_policies());
  expect_documented_parameters(estimator_policies());
}

}  // namespace
}  // namespace duet::test
