#include "tools/duet/trace_results.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <utility>

#include "core/codec/atomic_file.h"
#include "core/codec/segments.h"
#include "core/codec/walk.h"
#include "sim/metrics.h"
#include "sim/outputs.h"
#include "sim/step_results.h"
#include "sim/terminal.h"
#include "tools/duet/guarded.h"
#include "tools/duet/output_file.h"
#include "tools/duet/run_folder.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;
using Progress = std::atomic<std::uint64_t>;

/// The cluster that the controller knew at its end, as a scenario has it.
sim::Scenario scenario_of(const codec::Walk& walk) {
  sim::Scenario scenario;
  scenario.name = "live";
  scenario.controller = walk.reader().header().controller;
  scenario.seed = walk.reader().header().seed;
  const Cluster& cluster = walk.controller()->cluster();
  for (std::uint32_t i = 0; i < cluster.size(); ++i) {
    const ClusterNode& node = cluster.node(NodeId{i});
    sim::NodeType type;
    type.name = node.name;
    type.offer = node.offer;
    scenario.node_types.push_back(std::move(type));
    scenario.nodes.push_back({node.name, i});
  }
  return scenario;
}

/// Calls `each` after every step.
std::optional<Problem> walk_through(codec::Walk& walk, const std::function<void(const codec::Walk&)>& each) {
  for (;;) {
    const auto more = walk.next();
    if (!more) return more.problems().front();
    if (!*more) return std::nullopt;
    if (auto problem = walk.take()) return problem;
    if (each) each(walk);
  }
}

Result<codec::Walk> open_walk(const std::string& recording, Progress& progress) {
  auto reader = codec::open_trace(recording);
  if (!reader) return reader.problems();
  return codec::Walk::over(std::move(*reader), &progress);
}

bool write_one(const std::string& path, const std::function<void(codec::TextSink&)>& fill) {
  auto file = codec::AtomicFile::create(path);
  if (!file) return refuse(file.problems()) == sim::kExitOk;
  fill(*file);
  const auto size = file->commit();
  return size ? true : refuse(size.problems()) == sim::kExitOk;
}

int write_files(const sim::RunReport& report, const std::string& out) {
  std::error_code error;
  fs::create_directories(out, error);
  const auto path = [&](const char* name) { return (fs::path(out) / name).string(); };
  const bool done =
      write_one(path("jobs.csv"), [&](codec::TextSink& to) { write_jobs(report, to); }) &&
      write_one(path("tasks.csv"), [&](codec::TextSink& to) { write_tasks(report, to); }) &&
      write_one(path("attempts.csv"), [&](codec::TextSink& to) { write_attempts(report, to); }) &&
      write_one(path("nodes.csv"), [&](codec::TextSink& to) { write_nodes(report, to); }) &&
      write_one(path("node_states.csv"), [&](codec::TextSink& to) { write_node_states(report, to); }) &&
      write_one(path("summary.json"), [&](codec::TextSink& to) { write_summary(report, to); });
  return done ? sim::kExitOk : sim::kExitUsage;
}

int results_here(const std::string& recording, const std::string& out, Progress& progress) {
  auto first = open_walk(recording, progress);
  if (!first) return refuse(first.problems());
  if (const auto problem = walk_through(*first, {})) return refuse({*problem});
  if (first->controller() == nullptr || first->controller()->cluster().size() == 0)
    return refuse(
        {{recording, "holds no step of a controller with a node", "the folder of a live controller"}});
  note_what_lacks(first->reader());
  const sim::Scenario scenario = scenario_of(*first);
  auto second = open_walk(recording, progress);
  if (!second) return refuse(second.problems());
  sim::StepResults collected(scenario);
  bool begun = false;
  const auto problem = walk_through(*second, [&](const codec::Walk& walk) {
    if (!std::exchange(begun, true)) collected.begin(walk.now(), 1);
    collected.record(0, walk.now(), walk.event(), walk.commands(), 0);
  });
  if (problem) return refuse({*problem});
  const sim::Results results = collected.take(second->last_instant());
  sim::RunReport report;
  report.scenario = &scenario;
  report.results = &results;
  report.title = "live";
  report.engine = "live";
  report.metrics = sim::measure(scenario, results);
  return write_files(report, out);
}

}  // namespace

std::string recording_in(const std::string& folder) {
  const std::string trace = trace_of(folder);
  std::error_code ignored;
  return fs::is_directory(trace, ignored) && !codec::segment_files(trace).empty() ? trace : std::string();
}

int write_live_results(const std::string& recording, const std::string& out) {
  return guarded(recording, [&](Progress& progress) { return results_here(recording, out, progress); });
}

}  // namespace duet::front
