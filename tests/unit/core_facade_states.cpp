// The states that other interfaces show: every transition of Duet's own lattice is one, or several, of
// theirs.
#include <gtest/gtest.h>

#include "core/facade_states.h"
#include "core/lifecycle.h"

namespace duet::test {
namespace {

constexpr ServiceStatus kStatuses[] = {ServiceStatus::kSubmitted, ServiceStatus::kQueued,
                                       ServiceStatus::kRunning,   ServiceStatus::kCompleted,
                                       ServiceStatus::kFailed,    ServiceStatus::kCancelled};
constexpr CubeState kCubes[] = {CubeState::kPending, CubeState::kScheduled, CubeState::kRunning,
                                CubeState::kCompleted, CubeState::kFailed};

TEST(FacadeStates, S3_08_EveryTransitionOfAJobIsOneOfTheServices) {
  EXPECT_EQ(service_status(JobState::kPending, false), ServiceStatus::kSubmitted);
  EXPECT_TRUE(allowed(ServiceStatus::kSubmitted, service_status(JobState::kPending, true)));
  for (const JobState from : job_states())
    for (const JobState to : job_states()) {
      if (!allowed(from, to)) continue;
      EXPECT_TRUE(allowed(service_status(from, true), service_status(to, true)))
          << name(from) << " -> " << name(to);
    }
  std::string names;
  for (const ServiceStatus status : kStatuses) names += std::string(name(status)) + " ";
  EXPECT_EQ(names, "SUBMITTED QUEUED RUNNING COMPLETED FAILED CANCELLED ");
  // The way that the source names, and ends that lead nowhere.
  EXPECT_TRUE(allowed(ServiceStatus::kSubmitted, ServiceStatus::kQueued));
  EXPECT_TRUE(allowed(ServiceStatus::kQueued, ServiceStatus::kRunning));
  EXPECT_TRUE(allowed(ServiceStatus::kRunning, ServiceStatus::kCompleted));
  EXPECT_TRUE(allowed(ServiceStatus::kRunning, ServiceStatus::kFailed));
  for (const JobState state : {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled})
    for (const ServiceStatus to : kStatuses) EXPECT_FALSE(allowed(service_status(state, true), to));
}

TEST(FacadeStates, S4_09_TheTableOfCube) {
  std::string table;
  for (const CubeState from : kCubes) {
    table += std::string(name(from)) + " ->";
    for (const CubeState to : kCubes)
      if (allowed(from, to)) table += " " + std::string(name(to));
    table += "\n";
  }
  EXPECT_EQ(table,
            "Pending -> Scheduled\n"
            "Scheduled -> Scheduled Running Failed\n"
            "Running -> Scheduled Running Completed Failed\n"
            "Completed ->\n"
            "Failed -> Scheduled\n");
  EXPECT_EQ(static_cast<int>(CubeState::kFailed), 4) << "Pending 0, Scheduled 1, Running 2, Completed 3";
}

TEST(FacadeStates, S4_09_EveryTransitionOfATaskIsAWayThroughCubesTable) {
  for (const TaskState from : task_states())
    for (const TaskState to : task_states()) {
      if (!allowed(from, to)) continue;
      for (const std::uint32_t before : {0U, 1U}) {
        // Only what was placed has an attempt; being placed makes one.
        if ((before == 0) != (from == TaskState::kPending || from == TaskState::kIdle) && before == 0)
          continue;
        const std::uint32_t after = to == TaskState::kStarting ? before + 1 : before;
        CubeState at = cube_state(from, before);
        const CubeState end = cube_state(to, after);
        for (const CubeState next : cube_steps(at, end)) {
          EXPECT_TRUE(allowed(at, next))
              << name(from) << " -> " << name(to) << ": " << name(at) << " -> " << name(next);
          at = next;
        }
        EXPECT_EQ(at, end) << name(from) << " -> " << name(to) << " with " << before << " attempts";
      }
    }
}

}  // namespace
}  // namespace duet::test
