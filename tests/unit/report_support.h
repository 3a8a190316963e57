// A small comparison and small runs, for the tests of the report.
#pragma once

#include <string>
#include <vector>

#include "sim/report/report.h"

namespace duet::sim::report_tests {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

/// One node `n0` of two threads; two jobs: `a` runs 0-10 on thread 0, `b` waits 4 s and is lost after 2 s.
inline report::RunView small_view(const std::string& name = "small") {
  report::RunView view;
  view.name = name;
  view.scenario = "small";
  view.engine = "loop";
  view.seed = 7;
  view.end_ns = 10 * kSecondNs;
  view.nodes.push_back({"n0", "t", 2, 1, 0, {}});
  view.jobs = {"a", "b"};
  view.waits_ns = {0, 4 * kSecondNs};
  report::Bar a;
  a.end_ns = 10 * kSecondNs;
  report::Bar b;
  b.job = 1;
  b.start_ns = 4 * kSecondNs;
  b.end_ns = 6 * kSecondNs;
  b.end = report::BarEnd::kLost;
  view.bars = {a, b};
  const std::vector<std::vector<std::uint32_t>> slots = {{0}, {1}};
  report::assign_lanes(view, slots);
  report::Changes changes;
  changes.waiting = {{0, 1}, {0, -1}, {0, 1}, {4 * kSecondNs, -1}};
  changes.nodes = {{0, 0, true}};
  report::fill_series(view, slots, changes);
  view.metrics = {{"jobs", 2}, {"jobs_succeeded", 1}, {"jobs_failed", 1}, {"makespan_s", 10}};
  return view;
}

/// Waits under fcfs (the baseline) and sjf, by seeds from 1: sjf waits 2 s less in each, 1 s more in the
/// last.
inline Comparison small_comparison(std::size_t variants, std::size_t seeds) {
  Comparison made;
  made.title = "Two queues";
  made.version = "0.1.0";
  made.command = "duet compare small.json --axis /policies/queue=fcfs,sjf";
  made.scenarios = {"small"};
  made.scenario_files = {"small.json"};
  made.objective = "mean_wait_s";
  made.metrics = {"mean_wait_s", "utilization"};
  made.shown = made.metrics;
  const char* names[] = {"fcfs", "sjf"};
  for (std::size_t variant = 0; variant < variants; ++variant) {
    made.variants.push_back({names[variant], {{"/policies/queue", names[variant]}}});
    for (std::size_t seed = 1; seed <= seeds; ++seed) {
      ComparedRun run;
      run.variant = variant;
      run.seed = seed;
      const double base = 10 + static_cast<double>(seed);
      run.metrics = {{"mean_wait_s", variant == 0 ? base : base + (seed == seeds ? 1 : -2)},
                     {"utilization", 0.5}};
      run.digest = "sha256:00";
      run.ended = "done";
      run.folder = "runs/x";
      made.runs.push_back(std::move(run));
    }
    for (const char* metric : {"mean_wait_s", "utilization"}) {
      ComparedCell cell;
      cell.metric = metric;
      cell.variant = variant;
      cell.runs = cell.pairs = seeds;
      cell.mean = metric[0] == 'u' ? 0.5 : 12.5 - static_cast<double>(variant);
      if (variant == 1) {
        cell.standing = metric[0] == 'u' || seeds < 2 ? Standing::kTie : Standing::kBetter;
        cell.difference = metric[0] == 'u' ? 0 : -1.25;
        cell.relative = cell.difference / 12.5;
        if (seeds > 1) cell.low = cell.difference - 0.5;
        if (seeds > 1) cell.high = cell.difference + 0.5;
      }
      made.cells.push_back(std::move(cell));
    }
  }
  for (std::size_t seed = 1; seed <= seeds; ++seed) made.seeds.push_back(seed);
  if (variants > 1) made.verdicts = {"sjf waits 10 % less than fcfs."};
  return made;
}

}  // namespace duet::sim::report_tests
