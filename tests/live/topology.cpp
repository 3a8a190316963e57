// What is offered of machines that are written down here, and of this one.
#include "live/process/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

namespace duet::test {
namespace {

using live::detect_topology;
using live::plan_topology;
using live::Processors;
using live::Topology;
using testing::ElementsAre;

Processors machine(std::vector<std::vector<std::uint32_t>> cores) { return {std::move(cores), 8192 * kMiB}; }

/// All of a topology but its words, in one line.
std::string shape(const Topology& t) {
  return t.mode + " " + std::to_string(t.offer.cores) + "x" + std::to_string(t.offer.threads_per_core) +
         " on " + testing::PrintToString(t.cpus) + " beside " + testing::PrintToString(t.reserved);
}
std::string shape(std::string_view choice, std::vector<std::vector<std::uint32_t>> cores) {
  const auto topology = plan_topology(choice, machine(std::move(cores)));
  if (!topology) return topology.problems().front().what;
  EXPECT_TRUE(topology->offer.possible());
  EXPECT_EQ(topology->offer.threads(), topology->cpus.size());
  return shape(*topology);
}

TEST(Topology, FirstCoreIsKeptForTheSystem) {
  EXPECT_EQ(shape("auto", {{0}, {1}}), "derived 1x1 on { 1 } beside { 0 }");
  EXPECT_EQ(shape("auto", {{0, 4}, {1, 5}, {2, 6}, {3, 7}}),
            "derived 3x2 on { 1, 2, 3, 5, 6, 7 } beside { 0, 4 }");
  EXPECT_EQ(shape("auto", {{3, 7}}), "derived 1x2 on { 3, 7 } beside {}");
}

TEST(Topology, UnequalCoresGiveTheMostThreads) {
  // Two wide and six narrow ones beside the first: eight threads are more than four.
  EXPECT_EQ(shape("auto", {{0, 1}, {2, 3}, {4, 5}, {6}, {7}, {8}, {9}, {10}, {11}}),
            "derived 8x1 on { 2, 4, 6, 7, 8, 9, 10, 11 } beside { 0, 1, 3, 5 }");
  EXPECT_EQ(shape("auto", {{0, 1}, {2, 3}, {4, 5}, {6}}), "derived 2x2 on { 2, 4, 3, 5 } beside { 0, 1, 6 }");
}

TEST(Topology, I5IsExactWhereItsZonesAreCores) {
  EXPECT_EQ(shape("i5-1135G7", {{0, 4}, {1, 5}, {2, 6}, {3, 7}}),
            "exact 3x2 on { 1, 2, 3, 5, 6, 7 } beside { 0, 4 }");
  EXPECT_EQ(shape("i5-1135G7", {{0, 1}, {2, 3}, {4, 5}, {6, 7}}),
            "emulated 3x2 on { 2, 4, 6, 3, 5, 7 } beside { 0, 1 }");
  EXPECT_EQ(shape("i5-1135G7", {{0}, {1}}), "emulated 3x2 on { 1, 1, 1, 1, 1, 1 } beside { 0 }");
  EXPECT_EQ(shape("i5-1135G7", {{0}, {1}, {2}}), "emulated 3x2 on { 1, 2, 1, 1, 2, 1 } beside { 0 }");
}

TEST(Topology, SaysInWordsWhatItIs) {
  const auto topology = plan_topology("i5-1135G7", machine({{0}, {1}}));
  ASSERT_TRUE(topology);
  EXPECT_EQ(topology->words,
            "emulated: 3 cores of 2 threads, processors A (1,1), B (1,1), C (1,1); 6 threads share 1 "
            "processor; kept for the system: 0");
  EXPECT_THAT(topology->zones, ElementsAre("A", "B", "C"));
  ThreadSet threads;
  threads.insert(0);
  threads.insert(3);
  EXPECT_THAT(topology->processors_of(threads), ElementsAre(1));
  EXPECT_EQ(topology->offer.capacity.memory_bytes, (8192 - 512) * kMiB);
}

TEST(Topology, AllKeepsNothingForTheSystem) {
  const auto topology = plan_topology("all", machine({{0}, {1}, {2}}));
  ASSERT_TRUE(topology);
  EXPECT_EQ(topology->offer.cores, 3);
  EXPECT_THAT(topology->cpus, ElementsAre(0, 1, 2));
  EXPECT_TRUE(topology->reserved.empty());
}

TEST(Topology, MistakesAreToldAllAtOnce) {
  const auto topology = plan_topology("i9", machine({{0}}), 8193 * kMiB);
  ASSERT_FALSE(topology);
  EXPECT_THAT(topology.problems(),
              ElementsAre(Problem{"topology", "\"i9\" is not known", "auto, all, i5-1135G7"},
                          Problem{"memory", "8590983168 bytes are not there", "0 to 8589934592"}));
  EXPECT_FALSE(detect_topology("auto", {100000}));
}

TEST(Topology, KeepsWithinTheAffinityOfTheProcess) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  std::uint32_t last = 0;
  for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) last = cpu;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const auto topology = detect_topology("auto");
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  ASSERT_TRUE(topology);
  EXPECT_THAT(topology->cpus, ElementsAre(last));
  EXPECT_GT(topology->offer.capacity.memory_bytes, 0);
}

TEST(Topology, ListsOfProcessorsAreWrittenAsLinuxWritesThem) {
  EXPECT_EQ(live::processor_list({}), "");
  EXPECT_EQ(live::processor_list({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
}

}  // namespace
}  // namespace duet::test
