// What one run looked like, from the files in its folder: who ran where and when, and how full the cluster
// was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/result.h"
#include "sim/assertions.h"

namespace duet::sim::report {

/// What kind of thing a bar is, which decides its shade.
enum class BarKind : std::uint8_t { kTask, kWorker, kOperation };

/// How an attempt ended, or that it had not when the run did.
enum class BarEnd : std::uint8_t {
  kSucceeded,
  kFailed,
  kTimedOut,
  kKilled,
  kLaunchFailed,
  kLost,
  kUnhealthy,
  kRunning
};

/// "succeeded", "timed out", ...
std::string_view name_of(BarEnd end);
/// Something went wrong by itself; being killed on request did not.
bool is_failure(BarEnd end);

/// A part of a chart's vertical axis: a thread, a core, or a share of a node whose threads are counted.
struct Lane {
  std::uint32_t node = 0;
  std::string label;
};

/// Adjacent lanes, from `first` on.
struct LaneRange {
  std::uint32_t first = 0;
  std::uint32_t count = 1;
  bool operator==(const LaneRange&) const = default;
};

/// One attempt that had started.
struct Bar {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t job = 0;      ///< Index in RunView::jobs.
  std::uint32_t task = 0;     ///< Of the job.
  std::uint32_t attempt = 1;  ///< From 1.
  std::uint32_t node = 0;
  std::uint32_t threads = 1;
  BarKind kind = BarKind::kTask;
  BarEnd end = BarEnd::kSucceeded;
  std::vector<LaneRange> lanes;
};

/// A value that stays until it changes. Instants ascend strictly.
using Steps = std::vector<std::pair<std::int64_t, double>>;

struct ViewedNode {
  std::string name;
  std::string type;
  std::uint32_t cores = 1;  ///< Offered ones.
  std::uint32_t threads_per_core = 1;
  std::uint32_t reserved_cores = 0;
  std::vector<std::string> zones;  ///< One for each offered core, or none.
  std::uint32_t threads() const { return cores * threads_per_core; }
};

struct CheckedAssertion {
  std::string text;
  bool holds = false;
  std::optional<double> actual;
};

struct RunView {
  std::string name;  ///< Of the variant; of the scenario if it is the only run.
  std::string scenario;
  std::string scenario_hash;
  std::string engine;
  std::string policies;  ///< "easy, bin_pack"
  std::string digest;
  std::string ended;
  std::string command;  ///< What made it; empty if its folder does not say.
  std::string version;  ///< Of duet, the same.
  std::uint64_t seed = 0;
  std::int64_t end_ns = 0;
  Metrics metrics;
  std::vector<CheckedAssertion> assertions;

  std::vector<ViewedNode> nodes;
  std::vector<Lane> lanes;
  std::vector<std::string> jobs;       ///< Their names, as the scenario has them.
  std::vector<Bar> bars;               ///< By start, then job, task, attempt.
  std::vector<std::int64_t> waits_ns;  ///< Of the jobs that started, ascending.

  Steps capacity;   ///< Threads of the nodes that are up.
  Steps allocated;  ///< Threads held by tasks and workers.
  Steps used;       ///< Threads that execute, where workers hold more than that; else empty.
  Steps waiting;    ///< Tasks that wait for a place or for others.
  Steps nodes_up;   ///< Neither down nor unknown.
};

/// Reads what `duet sim --out` wrote into `folder`. Problems name file and line.
Result<RunView> load_run_view(const std::string& folder);

/// Gives each bar its lanes, and the view the lanes themselves. `slots` holds for each bar the threads in the
/// machine's own numbers; none where they are counted.
void assign_lanes(RunView& view, const std::vector<std::vector<std::uint32_t>>& slots);

/// Threads, cores and zones as tasks.csv writes them: "A:1,5 B:2" or "0-3". Nothing if it is no such text, or
/// names more than 256 threads.
std::optional<std::vector<std::uint32_t>> threads_of_slot(std::string_view slot);

/// What changed during a run, beside the bars.
struct Changes {
  std::vector<std::pair<std::int64_t, std::int64_t>> waiting;  ///< Instant, and by how many tasks more.
  struct Node {
    std::int64_t at_ns = 0;
    std::uint32_t node = 0;
    bool up = false;
  };
  std::vector<Node> nodes;  ///< In the order of the file.
};

/// Fills the series. A thread that several attempts share counts once.
void fill_series(RunView& view, const std::vector<std::vector<std::uint32_t>>& slots, const Changes& changes);

}  // namespace duet::sim::report
