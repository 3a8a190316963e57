// One scenario under four drivers: harness, loop, SimGrid, and a live cluster of real processes. The core
// decides the same.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/codec/replay.h"
#include "core/codec/trace_file.h"
#include "sim/run.h"
#include "sim/scenario_parse.h"
#include "tests/golden/program.h"
#include "tests/harness/harness.h"
#include "tests/harness/notices.h"

namespace duet::test {
namespace {

const std::string kScenarioFile = std::string(DUET_SOURCE_DIR) + "/tests/live/parity.json";

sim::Scenario scenario() {
  const sim::ParsedScenario parsed = sim::load_scenario(kScenarioFile);
  EXPECT_TRUE(parsed) << parsed.rendered;
  return *parsed.scenario;
}

/// What happened to each task and job, in order: the states, and where. Instants are left out: sleeping
/// processes are a little late.
using Story = std::map<std::string, std::vector<std::string>>;

void tell(Story& story, const controller::Notice& notice) {
  if (std::holds_alternative<controller::NodeChanged>(notice)) return;
  const std::string line = notice_text(Instant{}, notice);
  const std::size_t who = line.find(' ') + 1;
  const std::size_t what = line.find(' ', line.find(' ', who) + 1);
  const std::string subject = line.substr(who, what - who);
  story[subject].push_back(line.substr(what + 1));
}

/// The sequence of all placements and ends, over all tasks.
std::vector<std::string> placements(const std::vector<controller::Notice>& notices) {
  std::vector<std::string> lines;
  for (const auto& notice : notices)
    if (const auto* task = std::get_if<controller::TaskChanged>(&notice))
      if (task->state == TaskState::kStarting) lines.push_back(notice_text(Instant{}, notice));
  return lines;
}

struct Told {
  Story story;
  std::vector<std::string> placements;
};

Told told(const std::vector<controller::Notice>& notices) {
  Told result;
  for (const auto& notice : notices) tell(result.story, notice);
  result.placements = placements(notices);
  return result;
}

class Listener final : public sim::Observer {
 public:
  void on_step(Instant, const Controller&, const controller::Event&, const controller::Commands& commands,
               std::size_t first) override {
    for (std::size_t i = first; i < commands.size(); ++i)
      if (const auto* publish = std::get_if<controller::Publish>(&commands[i]))
        notices.push_back(publish->notice);
  }
  std::vector<controller::Notice> notices;
};

Told by_loop() {
  const sim::Scenario s = scenario();
  Listener listener;
  sim::WorldOptions options;
  options.observer = &listener;
  EXPECT_TRUE(sim::run(s, sim::make_loop_engine, options));
  return told(listener.notices);
}

Told by_harness() {
  const sim::Scenario s = scenario();
  ClusterBuilder builder;
  builder.controller = s.controller;
  for (std::uint32_t i = 0; i < s.nodes.size(); ++i) builder.agents.push_back(sim::agent_config(s, i));
  Harness harness(builder);
  auto source = sim::open_workload(s);
  while (const auto arrival = source->next())
    harness.at(arrival->at.time_since_epoch()).submit(arrival->spec);
  harness.run();
  Told result;
  for (const std::string& line : harness.lines()) {
    const std::size_t who = line.find(' ') + 1;
    const std::size_t what = line.find(' ', line.find(' ', who) + 1);
    const std::string subject = line.substr(who, what - who);
    if (subject.starts_with("node")) continue;
    result.story[subject].push_back(line.substr(what + 1));
    if (subject.starts_with("task") && line.find(" starting ") != std::string::npos)
      result.placements.push_back("0.000000000 " + line.substr(who));
  }
  return result;
}

/// The programs write a trace, the trace is read: SimGrid needs a process of its own, the live cluster has
/// many.
Told by_program(const std::string& words, std::uint64_t* replayed = nullptr) {
  const program_tests::Folder folder;
  const auto ran = program_tests::shell("$DUET " + words + " " + kScenarioFile + " --out " + folder.text());
  EXPECT_EQ(ran.code, 0) << ran.err << ran.out;
  std::vector<controller::Notice> notices;
  const std::string trace = (folder / "trace.duet").string();
  if (replayed != nullptr) {
    auto again = codec::TraceReader::open(trace);
    EXPECT_TRUE(again);
    const auto report = codec::replay(*again);
    EXPECT_TRUE(report && !report->divergence);
    if (report) *replayed = report->controller_steps;
  }
  auto reader = codec::TraceReader::open(trace);
  EXPECT_TRUE(reader);
  if (!reader) return {};
  codec::Frame frame;
  for (;;) {
    const auto more = reader->next(frame);
    EXPECT_TRUE(more);
    if (!more || !*more) break;
    if (frame.machine != 0) continue;
    codec::Step<Controller> step;
    controller::Commands commands;
    EXPECT_TRUE(codec::decode<Controller>(frame, step) && codec::decode_commands<Controller>(step, commands));
    for (const auto& command_of_step : commands)
      if (const auto* publish = std::get_if<controller::Publish>(&command_of_step))
        notices.push_back(publish->notice);
  }
  return told(notices);
}

void expect_same(const Told& told, const Told& reference) {
  EXPECT_EQ(told.story, reference.story);
  EXPECT_EQ(told.placements, reference.placements);
}

TEST(Parity, HarnessLoopSimGridAndProcesses) {
  const Told reference = by_harness();
  ASSERT_EQ(reference.placements.size(), 8U);
  {
    SCOPED_TRACE("loop");
    expect_same(by_loop(), reference);
  }
  if (std::filesystem::exists(std::filesystem::path(DUET_BUILD_DIR) / "libexec/duet-sim")) {
    SCOPED_TRACE("simgrid");
    expect_same(by_program("sim --engine simgrid"), reference);
  }
  {
    SCOPED_TRACE("processes");
    std::uint64_t steps = 0;
    expect_same(by_program("live", &steps), reference);
    EXPECT_GT(steps, 30U);
  }
}

}  // namespace
}  // namespace duet::test
