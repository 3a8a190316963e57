// What a new policy begins as: the plainest thing of its kind that is right.
#include "tools/duet/new_policy.h"

namespace duet::front {
namespace {

constexpr std::string_view kQueue =
    R"(// Which job is tried when: say here what @NAME@ goes by, and where it comes from.
#include "core/params.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {
namespace {

class @CLASS@ final : public Queue {
 public:
  /// The lowest first. Among equals: in the order of submission.
  std::int64_t rank(const Waiting& waiting) const override { return waiting.width; }
  /// Stops at the first that does not fit, so that none is overtaken for ever.
  void pass(Plan& plan) override {
    for (auto at = plan.begin(); at != plan.end();)
      if (!plan.start(at)) return;
  }
};

}  // namespace

Result<std::unique_ptr<Queue>> make_@NAME@(const Params& params) {
  return make_plain<Queue, @CLASS@>(params);
}

}  // namespace duet
)";

constexpr std::string_view kQueueTest = R"(// The queue @NAME@: three jobs, and in which order they start.
#include <string>
#include <vector>

@GTEST@

#include "core/plan.h"
#include "core/policy.h"

namespace duet::test {
namespace {

TEST(Policy@CLASS@, StartsTheLowestRankFirst) {
  Cluster cluster;
  const NodeId node = cluster.add("n1");
  NodeOffer offer;
  offer.cores = 4;
  offer.capacity.cpu_m = 4 * kThread;
  cluster.set_offer(node, offer);
  cluster.node(node).state = NodeState::kReady;
  cluster.refresh(node);

  const auto queue = std::move(*make_policy(queue_policies(), {"@NAME@", {}}));
  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"first_fit", {}}));
  Pending pending;
  const std::vector<std::uint32_t> widths = {3, 1, 2};  // Jobs 1, 2 and 3, of so many tasks of one core.
  for (std::uint64_t job = 1; job <= 3; ++job) {
    Waiting waiting;
    waiting.job = JobId{job};
    waiting.request.need.cpu_m = kThread;
    waiting.width = widths[job - 1];
    waiting.together = true;
    pending.add(queue->rank(waiting), waiting);
  }
  Rng rng(1);
  const Releases none;
  std::vector<Placement> placements;
  Plan plan(Instant{}, pending, cluster, none, *scheduler, rng, placements);
  queue->pass(plan);

  std::vector<std::uint64_t> started;
  for (const Placement& placement : placements) started.push_back(placement.job.value);
  EXPECT_EQ(started, (std::vector<std::uint64_t>{2, 3, 3})) << "then one core is left, and job 1 needs three";
}

}  // namespace
}  // namespace duet::test
)";

constexpr std::string_view kScheduler =
    R"(// Which node gets a task: say here what @NAME@ goes by, and where it comes from.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"

namespace duet {
namespace {

class @CLASS@ final : public Scheduler {
 public:
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.best(request, score);
  }
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting("minus the tasks that it has", request, targets,
                           [](NodeId, const Target& target) { return score(target); });
  }

 private:
  /// The highest wins; the lowest node among equals.
  static double score(const Target& target) { return -static_cast<double>(target.tasks); }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_@NAME@(const Params& params) {
  return make_plain<Scheduler, @CLASS@>(params);
}

}  // namespace duet
)";

constexpr std::string_view kSchedulerTest =
    R"(// The scheduler @NAME@: three nodes, and which of them gets a task.
@GTEST@

#include "core/policy.h"

namespace duet::test {
namespace {

TEST(Policy@CLASS@, PicksTheFewestTasksAmongThoseWithRoom) {
  TargetIndex targets;
  Resources capacity;
  capacity.cpu_m = 4 * kThread;
  const auto add = [&](std::int64_t free_m, std::uint32_t tasks) {
    Room room{capacity, 0};
    room.free.cpu_m = free_m;
    targets.set(targets.add(capacity, kThread), room, true, tasks);
  };
  add(2000, 3);
  add(3000, 1);
  add(500, 0);

  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"@NAME@", {}}));
  Rng rng(1);
  Request request;
  request.need.cpu_m = 500;
  EXPECT_EQ(scheduler->pick(request, targets, rng), NodeId{2});
  request.need.cpu_m = 1000;
  EXPECT_EQ(scheduler->pick(request, targets, rng), NodeId{1}) << "the third has no room";
  request.need.cpu_m = 5000;
  EXPECT_EQ(scheduler->pick(request, targets, rng), std::nullopt);
}

}  // namespace
}  // namespace duet::test
)";

constexpr std::string_view kAutoscaler =
    R"(// How many members: say here what @NAME@ goes by, and where it comes from.
#include <algorithm>

#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class @CLASS@ final : public Autoscaler {
 public:
  Desired decide(Instant, const GroupView& group) override {
    const std::int64_t wanted = group.queued + group.running;
    return {std::clamp(wanted, group.minimum, group.maximum), "one for each operation"};
  }
};

}  // namespace

Result<std::unique_ptr<Autoscaler>> make_@NAME@(const Params& params) {
  return make_plain<Autoscaler, @CLASS@>(params);
}

}  // namespace duet
)";

constexpr std::string_view kAutoscalerTest =
    R"(// The autoscaler @NAME@, at the numbers where it changes its mind.
@GTEST@

#include "core/policy.h"

namespace duet::test {
namespace {

TEST(Policy@CLASS@, WantsOneMemberForEachOperationWithinTheBounds) {
  const auto autoscaler = std::move(*make_policy(autoscaler_policies(), {"@NAME@", {}}));
  GroupView group;
  group.minimum = 1;
  group.maximum = 8;
  EXPECT_EQ(autoscaler->decide(Instant{}, group).count, 1);
  group.queued = 3;
  group.running = 2;
  EXPECT_EQ(autoscaler->decide(Instant{}, group).count, 5);
  group.queued = 30;
  EXPECT_EQ(autoscaler->decide(Instant{}, group).count, 8);
}

}  // namespace
}  // namespace duet::test
)";

constexpr std::string_view kDetector =
    R"(// Is a node alive: say here what @NAME@ goes by, and where it comes from.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class @CLASS@ final : public FailureDetector {
 public:
  explicit @CLASS@(Duration dead_after) : dead_after_(dead_after) {}

  void heartbeat(Instant now) override { heard_ = now; }
  Liveness assess(Instant now) const override { return now < limit() ? Liveness::kAlive : Liveness::kDead; }
  Instant next_change(Instant now) const override { return now < limit() ? limit() : kNever; }

 private:
  Instant limit() const { return saturating_add(heard_, dead_after_); }

  Duration dead_after_;
  Instant heard_;
};

}  // namespace

Result<std::unique_ptr<FailureDetector>> make_@NAME@(const Params& params) {
  ParamReader reader(params);
  const Duration dead_after = reader.seconds("dead_after_s", std::chrono::seconds(30), 0.001);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<FailureDetector>(std::make_unique<@CLASS@>(dead_after));
}

}  // namespace duet
)";

constexpr std::string_view kDetectorTest = R"(// The detector @NAME@, to the nanosecond.
@GTEST@

#include "core/policy.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

TEST(Policy@CLASS@, GivesUpWhenNothingIsHeardForSoLong) {
  const auto detector =
      std::move(*make_policy(detector_policies(), {"@NAME@", {{{"dead_after_s", std::int64_t{5}}}}}));
  detector->heartbeat(Instant{2s});
  EXPECT_EQ(detector->assess(Instant{7s} - 1ns), Liveness::kAlive);
  EXPECT_EQ(detector->next_change(Instant{3s}), Instant{7s});
  EXPECT_EQ(detector->assess(Instant{7s}), Liveness::kDead);
  EXPECT_EQ(detector->next_change(Instant{7s}), kNever);
  EXPECT_FALSE(make_policy(detector_policies(), {"@NAME@", {{{"dead_after_s", std::int64_t{0}}}}}));
}

}  // namespace
}  // namespace duet::test
)";

constexpr std::string_view kEstimator =
    R"(// How long a task will run: say here what @NAME@ goes by, and where it comes from.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class @CLASS@ final : public CpuEstimator {
 public:
  /// Nothing if unknown. Never negative, and zero is no prediction.
  std::optional<Duration> predict(const TaskSpec& spec) const override {
    if (spec.estimate > Duration{0}) return spec.estimate;
    return last_;
  }
  void observe(const TaskSpec&, Duration ran, Duration) override {
    if (ran > Duration{0}) last_ = ran;
  }

 private:
  std::optional<Duration> last_;  ///< Of the task that ended last.
};

}  // namespace

Result<std::unique_ptr<CpuEstimator>> make_@NAME@(const Params& params) {
  return make_plain<CpuEstimator, @CLASS@>(params);
}

}  // namespace duet
)";

constexpr std::string_view kEstimatorTest =
    R"(// The estimator @NAME@: what was declared, else what the last one took.
@GTEST@

#include "core/policy.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

TEST(Policy@CLASS@, TakesWhatWasDeclaredAndElseWhatTheLastOneTook) {
  const auto estimator = std::move(*make_policy(estimator_policies(), {"@NAME@", {}}));
  TaskSpec silent, declared;
  declared.estimate = 90s;
  EXPECT_EQ(estimator->predict(silent), std::nullopt);
  EXPECT_EQ(estimator->predict(declared), Duration{90s});
  estimator->observe(silent, 40s);
  EXPECT_EQ(estimator->predict(silent), Duration{40s});
  EXPECT_EQ(estimator->predict(declared), Duration{90s});
}

}  // namespace
}  // namespace duet::test
)";

}  // namespace

const std::vector<PolicyTemplate>& policy_templates() {
  static const std::vector<PolicyTemplate> all = {
      {"queue", "Queue", "kQueues", "queue_policies", "",
       "Fewest tasks first: stops at the first job that does not fit.", kQueue, kQueueTest},
      {"scheduler", "Scheduler", "kSchedulers", "scheduler_policies", "",
       "The node with the fewest tasks, of those with room.", kScheduler, kSchedulerTest},
      {"autoscaler", "Autoscaler", "kAutoscalers", "autoscaler_policies", "",
       "One member for each operation that waits or runs.", kAutoscaler, kAutoscalerTest},
      {"detector", "FailureDetector", "kDetectors", "detector_policies",
       "dead_after_s: seconds, 30, dead when nothing is heard for so long",
       "A node is dead when nothing is heard of it for so long.", kDetector, kDetectorTest},
      {"estimator", "CpuEstimator", "kEstimators", "estimator_policies", "",
       "What was declared; else what the task that ended last took.", kEstimator, kEstimatorTest},
  };
  return all;
}

}  // namespace duet::front
