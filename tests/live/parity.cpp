// One scenario under four drivers: harness, loop, SimGrid, and real processes on Boost.Asio. The core decides
// the same.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/codec/replay.h"
#include "core/codec/trace_file.h"
#include "live/local_cluster.h"
#include "sim/run.h"
#include "sim/scenario_parse.h"
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

/// SimGrid needs a process of its own: the program writes a trace, the trace is read.
Told by_program(const std::string& engine) {
  const std::filesystem::path out =
      std::filesystem::temp_directory_path() / ("duet-parity-" + std::to_string(getpid()) + "-" + engine);
  const std::string command = std::string(DUET_PROGRAM) + " sim " + kScenarioFile + " --engine " + engine +
                              " --out " + out.string() + " > /dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::vector<controller::Notice> notices;
  auto reader = codec::TraceReader::open((out / "trace.duet").string());
  EXPECT_TRUE(reader);
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
  std::filesystem::remove_all(out);
  return told(notices);
}

/// Runs until `done`, or fails after half a minute.
template <class Done>
void run_until(live::asio::io_context& io, Done&& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done() && std::chrono::steady_clock::now() < deadline)
    io.run_one_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(done()) << "not done after 30 s";
}

codec::TraceHeader header_of(const live::LocalClusterOptions& options) {
  codec::TraceHeader header;
  header.engine = "live";
  header.controller = options.controller;
  header.agents = options.agents;
  return header;
}

Told by_processes(std::string& trace) {
  const sim::Scenario s = scenario();
  live::LocalClusterOptions options;
  options.controller = s.controller;
  for (std::uint32_t i = 0; i < s.nodes.size(); ++i) options.agents.push_back(sim::agent_config(s, i));
  auto writer = codec::TraceWriter::create(header_of(options), codec::TraceOutput::memory(trace));
  EXPECT_TRUE(writer);
  options.controller_sink = writer->get();
  options.agent_sink = writer->get();
  std::vector<controller::Notice> notices;
  std::size_t ready = 0;
  options.on_notice = [&](Instant, const controller::Notice& notice) {
    const auto* node = std::get_if<controller::NodeChanged>(&notice);
    ready += node != nullptr && node->state == NodeState::kReady;
    notices.push_back(notice);
  };
  live::asio::io_context io(1);
  {
    live::LocalCluster cluster(io, options);
    run_until(io, [&] { return ready == s.nodes.size(); });
    auto source = sim::open_workload(s);
    std::uint64_t request = 0;
    while (const auto arrival = source->next())
      cluster.request(controller::Submit{RequestId{++request}, arrival->spec});
    std::size_t ended = 0;
    run_until(io, [&] {
      ended = 0;
      for (const auto& notice : notices)
        if (const auto* job = std::get_if<controller::JobChanged>(&notice))
          ended += job->state == JobState::kSucceeded;
      return ended == request;
    });
  }
  EXPECT_TRUE((*writer)->finish());
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
    expect_same(by_program("simgrid"), reference);
  }
  std::string trace;
  {
    SCOPED_TRACE("processes");
    expect_same(by_processes(trace), reference);
  }
  auto reader = codec::TraceReader::from_memory(trace, "live");
  ASSERT_TRUE(reader);
  const auto replayed = codec::replay(*reader);
  ASSERT_TRUE(replayed) << replayed.problems().front().what;
  EXPECT_FALSE(replayed->divergence) << codec::to_text(*replayed);
  EXPECT_GT(replayed->controller_steps, 30U);
}

}  // namespace
}  // namespace duet::test
