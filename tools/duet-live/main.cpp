// duet-live: one scenario with real processes, told by duet what to do.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <unistd.h>

#include "core/codec/replay.h"
#include "core/codec/trace_file.h"
#include "live/log.h"
#include "live/program/folder.h"
#include "sim/run.h"
#include "sim/run_command.h"
#include "sim/terminal.h"
#include "tools/duet-live/live_run.h"
#include "tools/duet-live/side_by_side.h"

namespace duet::live_run {
namespace {

namespace fs = std::filesystem;

/// Steps to two writers: the run's own, and one for the replay at the end.
class Tee final : public StepSink<Controller>, public StepSink<Agent> {
 public:
  Tee(const sim::WorldOptions& world, codec::TraceWriter& copy) : world_(world), copy_(copy) {}
  void record(MachineIndex machine, Instant now, const controller::Event& event,
              const controller::Commands& commands, std::size_t first) override {
    if (world_.controller_sink != nullptr)
      world_.controller_sink->record(machine, now, event, commands, first);
    copy_.record(machine, now, event, commands, first);
  }
  void record(MachineIndex machine, Instant now, const agent::Event& event, const agent::Commands& commands,
              std::size_t first) override {
    if (world_.agent_sink != nullptr) world_.agent_sink->record(machine, now, event, commands, first);
    copy_.record(machine, now, event, commands, first);
  }

 private:
  const sim::WorldOptions& world_;
  codec::TraceWriter& copy_;
};

/// A folder that goes with the run, unless it was named.
class ClusterFolder {
 public:
  explicit ClusterFolder(const std::string& named) : path_(named), kept_(!named.empty()) {
    std::error_code error;
    if (kept_) {
      fs::create_directories(path_, error);
    } else {
      path_ = (fs::temp_directory_path(error) / "duet-run-XXXXXX").string();
      if (::mkdtemp(path_.data()) == nullptr) path_.clear();
      // Tasks of another user pass through to their folders; what is secret has rights of its own.
      if (!path_.empty())
        fs::permissions(path_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec, error);
    }
    if (error || (kept_ && ::access(path_.c_str(), W_OK | X_OK) != 0)) path_.clear();
  }
  ~ClusterFolder() {
    std::error_code ignored;
    if (!kept_ && !path_.empty()) fs::remove_all(path_, ignored);
  }
  ClusterFolder(const ClusterFolder&) = delete;
  ClusterFolder& operator=(const ClusterFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool kept_;
};

codec::TraceHeader header_of(const sim::Scenario& scenario) {
  codec::TraceHeader header;
  header.engine = "live";
  header.driver = "duet-live";
  header.controller = scenario.controller;
  for (std::uint32_t node = 0; node < scenario.nodes.size(); ++node)
    header.agents.push_back(sim::agent_config(scenario, node));
  return header;
}

/// Every decision again, compared; nothing, or what is wrong.
Problems verify(const std::string& trace) {
  auto reader = codec::TraceReader::from_memory(trace, "the run's trace");
  if (!reader) return reader.problems();
  const auto report = codec::replay(*reader);
  if (!report) return report.problems();
  if (report->divergence)
    return {
        {"replay", "decides otherwise: " + report->divergence->what, "tell Duet's authors: this is a bug"}};
  sim::say("replayed: " + std::to_string(report->controller_steps) + " steps of the controller and " +
           std::to_string(report->agent_steps) + " of the agents, each as before\n");
  return {};
}

Result<sim::Results> play(const sim::Scenario& scenario, const sim::WorldOptions& world, double speedup,
                          const std::string& data) {
  if (Problems problems = only_simulated(scenario); !problems.empty()) return problems;
  if (const std::string idle = without_effect(scenario); !idle.empty())
    sim::say("note: without effect here: " + idle + '\n');
  const ClusterFolder folder(data);
  if (folder.path().empty())
    return Problem{data.empty() ? "the folder for temporary files" : data, "cannot be written to",
                   "--data DIR"};
  std::string trace;
  auto copy = codec::TraceWriter::create(header_of(scenario), codec::TraceOutput::memory(trace));
  if (!copy) return copy.problems();
  Tee tee(world, **copy);
  LiveRunOptions options;
  options.how = {speedup, live::beside_this("duet-workload")};
  options.folder = folder.path();
  options.runner = live::beside_this("duet-runner");
  options.controller_sink = &tee;
  options.agent_sink = &tee;
  auto results = LiveRun(scenario, std::move(options)).play();
  if (!results) return results;
  if (const auto finished = (*copy)->finish(); !finished) return finished.problems();
  if (Problems problems = verify(trace); !problems.empty()) return problems;
  return results;
}

}  // namespace
}  // namespace duet::live_run

/// OPTIONS (JSON) SPEEDUP DATA PREDICT
int main(int argc, char** argv) {
  using namespace duet;
  if (argc != 5) {
    sim::say("duet-live is started by duet live\n");
    return sim::kExitUsage;
  }
  auto log_options = live::log::options_from_environment();
  if (!log_options) {
    sim::say(sim::to_text(log_options.problems()));
    return sim::kExitUsage;
  }
  log_options->program = "live";
  live::log::set_up(*log_options);
  const auto options = sim::run_options_from_json(argv[1]);
  if (!options) {
    sim::say(sim::to_text(options.problems()));
    return sim::kExitUsage;
  }
  const double speedup = std::strtod(argv[2], nullptr);
  const std::string data = argv[3];
  const bool predict = argv[4][0] != '\0';
  return sim::played_command(*options, [&](const sim::Scenario& scenario, const sim::WorldOptions& world) {
    auto measured = live_run::play(scenario, world, speedup > 0 ? speedup : 1, data);
    if (!measured || !predict) return measured;
    const auto predicted = sim::run(scenario, sim::make_loop_engine, {});
    if (!predicted) return Result<sim::Results>(predicted.problems());
    if (options->format == sim::Format::kTable)
      sim::say(live_run::side_by_side(scenario, *predicted, *measured));
    return measured;
  });
}
