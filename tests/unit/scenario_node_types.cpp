// Node types: models and what differs from them, reserved cores, zones, power; quotas.
#include "sim/node_models.h"
#include "sim/quota.h"
#include "sim/slot_text.h"
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {
namespace node_types {

/// The smallest scenario's only node type, described anew.
Scenario with_type(const std::string& json) { return good(edited({"/cluster/node_types/small=" + json})); }
NodeType type_of(const std::string& json) { return with_type(json).node_types.at(0); }

TEST(NodeTypes, TheI5) {
  const NodeType type = type_of(R"({"model": "i5-1135G7"})");
  EXPECT_EQ(type.name, "small");
  EXPECT_EQ(type.cores(), 4U);
  EXPECT_EQ(type.reserved_cores, 1U);
  EXPECT_EQ(type.offer.cores, 3U);
  EXPECT_EQ(type.offer.threads_per_core, 2U);
  EXPECT_EQ(type.offer.capacity.cpu_m, 6000);
  EXPECT_EQ(type.offer.capacity.memory_bytes, std::int64_t{8} << 30);
  EXPECT_EQ(type.speed, (std::vector<double>{4.2e9, 4.0e9, 3.8e9, 3.8e9}));
  EXPECT_EQ(type.smt_yield, 1.25);
  EXPECT_EQ(type.zones, (std::vector<std::string>{"A", "B", "C"}));
  EXPECT_EQ(type.power, (PowerModel{{0.25, 5.5, 6.5}, 2, 0}));
  EXPECT_TRUE(type.offer.possible());
}

TEST(NodeTypes, WhatDiffersFromTheModel) {
  EXPECT_EQ(type_of(R"({"model": "i5-1135G7", "memory_mib": 16384})").offer.capacity.memory_bytes,
            std::int64_t{16} << 30);
  EXPECT_EQ(type_of(R"({"model": "i5-1135G7", "turbo_hz": [2.4e9]})").speed, std::vector<double>{2.4e9});
  EXPECT_EQ(type_of(R"({"model": "i5-1135G7", "smt_yield": 1.5})").smt_yield, 1.5);
  EXPECT_EQ(type_of(R"({"model": "i5-1135G7", "zones": ["x", "y", "z"]})").zones[2], "z");
  EXPECT_EQ(type_of(R"({"model": "i5-1135G7", "power": {"uncore_w": 3}})").power,
            (PowerModel{{0.25, 5.5, 6.5}, 3, 0}));
}

TEST(NodeTypes, AnotherSizeThanTheModel) {
  const NodeType whole = type_of(R"({"model": "i5-1135G7", "reserved_cores": 0})");
  EXPECT_EQ(whole.offer.cores, 4U);
  EXPECT_EQ(whole.offer.capacity.cpu_m, 8000);
  EXPECT_TRUE(whole.zones.empty());
  const NodeType half = type_of(R"({"model": "i5-1135G7", "cores": 2, "threads_per_core": 1})");
  EXPECT_EQ(half.offer.cores, 1U);
  EXPECT_EQ(half.speed, (std::vector<double>{4.2e9, 4.0e9}));
  EXPECT_EQ(half.smt_yield, 1);
  EXPECT_EQ(half.power->core_w, (std::vector<double>{0.25, 5.5}));
  EXPECT_FALSE(type_of(R"({"model": "i5-1135G7", "cores": 1000})").power);  // its threads are counted
}

TEST(NodeTypes, AModelNeedsNoDescription) {
  const Scenario s = good(parse_scenario(
      R"({"cluster": {"node_types": {"z": {}, "a": {}},
           "nodes": [{"type": "z"}, {"type": "i5-1135G7", "count": 2}, {"type": "a"}, {"type": "i5-1135G7"}]},
          "workload": {"jobs": [{"duration_s": 1}]}})",
      "s.json"));
  std::vector<std::string> names;
  for (const NodeType& type : s.node_types) names.push_back(type.name);
  EXPECT_THAT(names, testing::ElementsAre("a", "i5-1135G7", "z"));  // by name
  EXPECT_THAT(s.controller.inventory,
              testing::ElementsAre("z", "i5-1135G70", "i5-1135G71", "a", "i5-1135G7"));
  EXPECT_EQ(s.node_types[s.nodes[4].type].offer, find_node_model("i5-1135G7")->offer);
  good(parse_scenario(R"({"cluster": {"nodes": [{"type": "i5-1135G7"}]},
                          "workload": {"jobs": [{"duration_s": 1}]}})",
                      "s.json"));
}

TEST(NodeTypes, ADescriptionGoesBeforeAModelOfThatName) {
  const Scenario s =
      good(edited({"/cluster/node_types/i5-1135G7={\"cores\": 1}", "/cluster/nodes/0/type=i5-1135G7"}));
  EXPECT_EQ(s.node_types[0].offer.threads(), 1U);
}

TEST(NodeTypes, TheCanonicalFormSaysWhatTheModelSaid) {
  const std::string by_model = canonical_json(with_type(R"({"model": "i5-1135G7"})"));
  EXPECT_EQ(by_model, canonical_json(with_type(R"({"cores": 4, "reserved_cores": 1, "zones": ["A", "B", "C"],
      "threads_per_core": 2, "turbo_hz": [4.2e9, 4.0e9, 3.8e9, 3.8e9], "smt_yield": 1.25,
      "memory_mib": 8192, "power": {"core_w": [0.25, 5.5, 6.5], "uncore_w": 2}})")));
  EXPECT_EQ(canonical_json(good(parse_scenario(by_model, "again"))), by_model);
  EXPECT_THAT(by_model,
              testing::HasSubstr(R"("power": {"core_w": [0.25, 5.5, 6.5], "uncore_w": 2, "off_w": 0})"));
}

TEST(NodeTypes, Mistakes) {
  const auto mistake = [](const std::string& json) {
    return first_mistake({"/cluster/node_types/small=" + json});
  };
  const std::string at = "--set: /cluster/node_types/small";
  EXPECT_EQ(mistake(R"({"model": "i7"})"), at + "/model: there is no model `i7` | right: `i5-1135G7`");
  EXPECT_EQ(mistake(R"({"cores": 2, "reserved_cores": 2})"),
            at + "/reserved_cores: no core is left for tasks | right: less than cores, 2");
  EXPECT_EQ(mistake(R"({"model": "i5-1135G7", "cores": 1})"),
            at + ": no core is left for tasks | right: less than cores, 1");
  EXPECT_EQ(mistake(R"({"reserved_cores": -1})"),
            at + "/reserved_cores: `-1` is out of range | right: an integer from 0 to 1e8 (cores)");
  EXPECT_EQ(mistake(R"({"cores": 3, "reserved_cores": 1, "zones": ["A", "B", "C"]})"),
            at + "/zones: 3 zones, but 2 cores for tasks | right: a name for each of these cores, or none");
  EXPECT_EQ(mistake(R"({"cores": 2, "zones": ["A", "A"]})"), at + "/zones/1: `A` is given twice");
  EXPECT_EQ(mistake(R"({"cores": 2, "zones": ["A", ""]})"),
            at + "/zones/1: this name is empty | right: a name: 1 to 200 bytes without control characters");
  EXPECT_EQ(mistake(R"({"model": "i5-1135G7", "smt_yield": 2.5})"),
            at + "/smt_yield: a core cannot do more than its hardware threads together | right: at most "
                 "threads_per_core, 2");
  EXPECT_EQ(mistake(R"({"cores": 2, "turbo_hz": [3, 2, 1]})"),
            at + "/turbo_hz: more speeds (3) than cores (2)");
  EXPECT_EQ(mistake(R"({"model": "i5-1135G7", "turbo_hz": [5, 4, 3, 2, 1]})"),
            at + "/turbo_hz: more speeds (5) than cores (4)");
  EXPECT_EQ(mistake(R"({"power": {}})"),
            at + "/power: `core_w` is missing | right: an array of numbers from 0 to 1e6 (W)");
  EXPECT_EQ(mistake(R"({"power": {"core_w": [1, -2]}})"),
            at + "/power/core_w/1: `-2` is out of range | right: a number from 0 to 1e6 (W)");
  EXPECT_EQ(mistake(R"({"power": {"core_w": []}})"),
            at + "/power/core_w: `core_w` is empty | right: at least one number");
  EXPECT_EQ(mistake(R"({"power": {"core_w": [1, 2, 3]}})"),
            at + "/power/core_w: more powers (3) than numbers of busy threads (2)");
  EXPECT_EQ(mistake(R"({"power": {"core_w": [1], "of_w": 1}})"),
            at + "/power/of_w: there is no field `of_w` here | did you mean `off_w`?");
  EXPECT_EQ(mistake(R"({"power": 5})"), at + "/power: `power` cannot be a number | right: an object");
  EXPECT_EQ(
      mistake(R"({"cores": 300, "power": {"core_w": [1]}})"),
      at + "/power: the threads of a node of more than 256 are counted, not told apart: nobody knows how "
           "many are busy on which core | right: no `power`");
}

TEST(NodeTypes, AJobMustFitIntoWhatIsNotReserved) {
  EXPECT_THAT(
      first_mistake({"/cluster/node_types/small={\"model\": \"i5-1135G7\"}", "/workload/jobs/0/cores=7"}),
      testing::HasSubstr("needs 7 hardware threads, has 6, short by 1"));
}

std::string slot(const NodeType& type, const std::vector<std::uint32_t>& threads) {
  ThreadSet set;
  for (const std::uint32_t thread : threads) set.insert(thread);
  std::string text;
  append_slot(text, type, set);
  return text;
}

TEST(NodeTypes, SlotsAreNamedAsOnTheMachine) {
  const NodeType& i5 = *find_node_model("i5-1135G7");
  EXPECT_EQ(slot(i5, {0, 3}), "A:1,5");
  EXPECT_EQ(slot(i5, {2, 5}), "C:3,7");
  EXPECT_EQ(slot(i5, {4}), "B:6");
  EXPECT_EQ(slot(i5, {0, 1, 3}), "A:1,5 B:2");
  EXPECT_EQ(slot(i5, {}), "");
  NodeType nameless = i5;
  nameless.zones.clear();
  EXPECT_EQ(slot(nameless, {0, 1, 2, 3}), "1-3,5");
  EXPECT_EQ(slot(nameless, {0, 3}), "1,5");
  nameless.reserved_cores = 0;
  EXPECT_EQ(slot(nameless, {0, 1, 2, 5}), "0-2,5");
}

TEST(Quotas, AreForSharesOfAThread) {
  const auto quota = [](std::int64_t cpu_m, bool exclusive = false) {
    TaskSpec task;
    task.need.cpu_m = cpu_m;
    task.exclusive = exclusive;
    return quota_of(task);
  };
  EXPECT_EQ(quota(1), 1U);
  EXPECT_EQ(quota(999), 999U);
  EXPECT_EQ(quota(1000), 1000U);
  EXPECT_EQ(quota(1500), 1000U);
  EXPECT_EQ(quota(0), 1000U);
  EXPECT_EQ(quota(500, true), 1000U);
  EXPECT_EQ(quota_speed(500, 4.2e9), 2.1e9);
  EXPECT_EQ(quota_speed(1000, 0.1), 0.1);
}

}  // namespace node_types
}  // namespace
}  // namespace duet::sim::scenario_test
