// The result files of a run. All but run_info.json are deterministic: same scenario, same bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/codec/atomic_file.h"
#include "core/codec/trace_file.h"
#include "sim/assertions.h"
#include "sim/results.h"
#include "sim/scenario.h"

namespace duet::sim {

/// A run that is over, with everything that was made of it.
struct RunReport {
  const Scenario* scenario = nullptr;
  const Results* results = nullptr;
  /// What people are told its name is: the scenario's, or else the stem of its file. Files of results and
  /// digests have the scenario's.
  std::string title;
  std::string engine;
  std::string scenario_hash;  ///< SHA-256 of the canonical form, hexadecimal.
  Metrics metrics;
  std::vector<Verdict> verdicts;
  std::optional<codec::TraceSummary> trace;  ///< Nothing if the steps were not encoded.
};

/// One row per job in submission order, with the columns of the Batsim simulator and the reason of a
/// refusal. Seconds have six decimals,
/// or nine if six would not be exact; what never happened is empty; allocated_resources are node numbers: "0
/// 4-6".
void write_jobs(const RunReport& report, codec::TextSink& to);

/// One row per task: where its last attempt ran, on which threads, from when to when.
void write_tasks(const RunReport& report, codec::TextSink& to);

/// One row per node, in the order of the scenario: what it offers, and what its cores are called.
void write_nodes(const RunReport& report, codec::TextSink& to);

/// What tasks.csv does not say: the attempts before the last, and the ends of tasks that were never placed.
void write_attempts(const RunReport& report, codec::TextSink& to);

/// What the controller believed of the nodes, change by change.
void write_node_states(const RunReport& report, codec::TextSink& to);

/// Seconds with six decimals, or nine if six would not be exact; nothing for kNever.
void append_csv_instant(std::string& out, Instant at);

/// Metrics, assertions and digest, as JSON.
void write_summary(const RunReport& report, codec::TextSink& to);

/// Binary records {double start_s, operations, end_s; uint32 task, thread}, as bench/raw replays them.
void write_executions(const Results& results, codec::TextSink& to);

/// "done", "horizon" or "stalled": why the run ended.
std::string_view ending(const Results& results);

/// What is not deterministic about a run.
struct RunInfo {
  std::vector<std::string> command_line;
  std::string started_at;  ///< UTC, ISO 8601
  std::string executor;    ///< How the engine executed work; it decides nothing.
  double wall_s = 0;
  double cpu_s = 0;      ///< Of the whole process so far.
  double run_cpu_s = 0;  ///< Of the run alone: no start, no reading, no result files.
  std::uint64_t peak_rss_bytes = 0;
};

void write_run_info(const RunInfo& info, const RunReport& report, codec::TextSink& to);

}  // namespace duet::sim
