// Policies as a user meets them: parameters, refusals, and the detector's exact instants.
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/params.h"
#include "core/policy.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

std::string problems_text(const Problems& problems) {
  std::string text;
  for (const Problem& p : problems)
    text += p.where + ": " + p.what + (p.right.empty() ? "" : " (" + p.right + ")") + "\n";
  return text;
}

TEST(CorePolicies, AnUnknownNameIsAnsweredWithTheNamesThereAre) {
  ControllerConfig config;
  config.queue.name = "fifo";
  config.scheduler.name = "";
  // Policies of your own may follow.
  EXPECT_THAT(problems_text(check_policies(config)),
              testing::AllOf(
                  testing::StartsWith("queue: there is no policy 'fifo' (one of fcfs, sjf, priority, easy, "
                                      "easy_machines"),
                  testing::HasSubstr(")\nscheduler: there is no policy '' (one of first_fit, round_robin, "
                                     "bin_pack, spread, least_load, lowest_cpu, e_pvm, e_pvm_cube, "
                                     "two_choices")));
  EXPECT_TRUE(check_policies({}).empty());
}

TEST(CorePolicies, ParametersAreCheckedAllAtOnce) {
  ControllerConfig config;
  config.queue.params.items = {{"depth", std::int64_t{3}}};
  config.detector.params.items = {
      {"dead_after", 3.0}, {"dead_after_s", -1.0}, {"suspect_after_s", std::string("soon")}};
  EXPECT_EQ(problems_text(check_policies(config)),
            "queue/depth: is not a parameter of this policy (it has none)\n"
            "detector/suspect_after_s: must be a number of seconds, and is \"soon\" (seconds, from 0 to "
            "9000000000)\n"
            "detector/dead_after_s: is out of range: -1 (seconds, from 0 to 9000000000)\n"
            "detector/dead_after: is not a parameter of this policy (it has profile, suspect_after_s, "
            "dead_after_s)\n");
}

TEST(CorePolicies, SecondsTakeNumbersOfEitherKindWithinTheirRange) {
  struct Case {
    ParamValue value;
    std::optional<Duration> read;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [value, read] :
       {Case{std::int64_t{2}, 2s}, Case{2.5, 2500ms}, Case{0.0, 0s}, Case{1e-9, 1ns},
        Case{9e9, 9'000'000'000s}, Case{-1e-9, {}}, Case{9.1e9, {}}, Case{nan, {}}, Case{true, {}},
        Case{std::string("2"), {}}}) {
    const Params params{{{"x", value}}};
    ParamReader reader(params);
    EXPECT_EQ(reader.seconds("x", 7s), read.value_or(7s));
    EXPECT_EQ(reader.finish().empty(), read.has_value());
  }
}

TEST(CorePolicies, IntegersAreWholeAndWithinTheirRange) {
  struct Case {
    ParamValue value;
    std::optional<std::int64_t> read;
  };
  for (const auto& [value, read] :
       {Case{std::int64_t{1}, 1}, Case{std::int64_t{9}, 9}, Case{std::int64_t{0}, {}},
        Case{std::int64_t{10}, {}}, Case{5.0, {}}, Case{false, {}}}) {
    const Params params{{{"x", value}}};
    ParamReader reader(params);
    EXPECT_EQ(reader.integer("x", 7, 1, 9), read.value_or(7));
    EXPECT_EQ(reader.finish().empty(), read.has_value());
  }
}

TEST(CorePolicies, TextIsOneOfItsValuesAndTheFirstIfAbsent) {
  static constexpr std::string_view kColours[] = {"red", "green"};
  struct Case {
    ParamValue value;
    std::string_view read;
    std::string written = {};
  };
  for (const auto& [value, read, written] :
       {Case{std::string("red"), "red"}, Case{std::string("green"), "green"},
        Case{std::string("Green"), "", "\"Green\""}, Case{std::int64_t{0}, "", "0"}}) {
    const Params params{{{"x", value}}};
    ParamReader reader(params);
    EXPECT_EQ(reader.text("x", kColours), read.empty() ? "red" : read);
    EXPECT_EQ(problems_text(reader.finish()),
              read.empty() ? "x: cannot be " + written + " (one of red, green)\n" : "");
  }
  const Params none;
  ParamReader absent(none);
  EXPECT_EQ(absent.text("x", kColours), "red");
}

std::unique_ptr<FailureDetector> timeout_of(std::int64_t suspect_s, std::int64_t dead_s) {
  auto made = make_policy(detector_policies(),
                          {"timeout", {{{"dead_after_s", dead_s}, {"suspect_after_s", suspect_s}}}});
  EXPECT_TRUE(made);
  return std::move(*made);
}

TEST(CoreTimeoutDetector, ChangesItsMindAtExactInstants) {
  const auto d = timeout_of(20, 30);
  const Instant t0 = instant_ns(1'000'000'007);
  d->heartbeat(t0);
  struct Row {
    Duration after;
    Liveness says;
    Duration next;
  };
  const Duration never = Duration::max();
  for (const auto& [after, says, next] :
       {Row{0s, Liveness::kAlive, 20s}, Row{20s - 1ns, Liveness::kAlive, 20s},
        Row{20s, Liveness::kSuspect, 30s}, Row{30s - 1ns, Liveness::kSuspect, 30s},
        Row{30s, Liveness::kDead, never}, Row{99s, Liveness::kDead, never}}) {
    EXPECT_EQ(d->assess(t0 + after), says) << after.count();
    EXPECT_EQ(d->next_change(t0 + after), next == never ? kNever : t0 + next) << after.count();
  }
  d->heartbeat(t0 + 25s);
  EXPECT_EQ(d->assess(t0 + 45s - 1ns), Liveness::kAlive);
  EXPECT_EQ(d->next_change(t0 + 25s), t0 + 45s);
}

TEST(CoreTimeoutDetector, AProfileSetsBothTimesAndEitherCanBeSetBesideIt) {
  const auto times = [](Params params) {
    const auto d = std::move(*make_policy(detector_policies(), {"timeout", std::move(params)}));
    d->heartbeat(Instant{});
    const Instant suspect = d->next_change(Instant{});
    return std::pair(suspect - Instant{}, d->next_change(suspect) - Instant{});
  };
  const auto profile = [](const char* name) { return std::pair<std::string, ParamValue>("profile", name); };
  EXPECT_EQ(times({}), std::pair(Duration(20s), Duration(30s)));
  EXPECT_EQ(times({{profile("s0")}}), std::pair(Duration(20s), Duration(30s)));
  EXPECT_EQ(times({{profile("s3")}}), std::pair(Duration(45s), Duration(60s)));
  EXPECT_EQ(times({{profile("fast")}}), std::pair(Duration(1500ms), Duration(2500ms)));
  EXPECT_EQ(times({{{"dead_after_s", std::int64_t{90}}, profile("s3")}}),
            std::pair(Duration(45s), Duration(90s)));
  EXPECT_EQ(times({{profile("s3"), {"suspect_after_s", 31.5}}}), std::pair(Duration(31500ms), Duration(60s)));
  const auto made = make_policy(detector_policies(), {"timeout", {{profile("s4")}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(problems_text(made.problems()), "profile: cannot be \"s4\" (one of s0, s3, fast)\n");
}

TEST(CoreTimeoutDetector, ZeroIsNever) {
  const auto never = timeout_of(0, 0);
  never->heartbeat(Instant{});
  EXPECT_EQ(never->assess(instant_ns(std::numeric_limits<std::int64_t>::max() - 1)), Liveness::kAlive);
  EXPECT_EQ(never->next_change(Instant{}), kNever);

  const auto dead_only = timeout_of(0, 30);
  dead_only->heartbeat(Instant{});
  EXPECT_EQ(dead_only->next_change(Instant{}), Instant(30s));
  EXPECT_EQ(dead_only->assess(Instant(29s)), Liveness::kAlive);

  const auto suspect_only = timeout_of(20, 0);
  suspect_only->heartbeat(Instant{});
  EXPECT_EQ(suspect_only->next_change(Instant{}), Instant(20s));
  EXPECT_EQ(suspect_only->next_change(Instant(20s)), kNever);
  EXPECT_EQ(suspect_only->assess(Instant(999s)), Liveness::kSuspect);
}

TEST(CoreTimeoutDetector, SuspectNoLaterThanDead) {
  const auto made = make_policy(detector_policies(), {"timeout", {{{"dead_after_s", std::int64_t{10}}}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(problems_text(made.problems()),
            "suspect_after_s: is longer than dead_after_s (a node is suspect before it is dead)\n");
  const auto at_once = timeout_of(10, 10);
  at_once->heartbeat(Instant{});
  EXPECT_EQ(at_once->next_change(Instant{}), Instant(10s));
  EXPECT_EQ(at_once->assess(Instant(10s)), Liveness::kDead);
}

}  // namespace
}  // namespace duet::test
