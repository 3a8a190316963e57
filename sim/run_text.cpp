#include "sim/run_text.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "sim/decimal.h"
#include "sim/diagnostics.h"
#include "sim/json_write.h"
#include "sim/metrics.h"

namespace duet::sim {
namespace {

std::uint64_t count_of(const RunReport& report, std::string_view metric) {
  const auto found = report.metrics.find(metric);
  DUET_CHECK(found != report.metrics.end());
  return static_cast<std::uint64_t>(found->second);
}

/// Seconds to the millisecond, as one reads them; "-" if the run has no such number.
std::string seconds_text(const RunReport& report, std::string_view metric) {
  const auto found = report.metrics.find(metric);
  if (found == report.metrics.end()) return "-";
  return number_text(std::round(found->second * 1000) / 1000) + " s";
}

std::string plural(std::uint64_t count, std::string_view word) {
  return std::to_string(count) + ' ' + std::string(word) + (count == 1 ? "" : "s");
}

void add_line(std::string& out, std::string_view label, const std::string& text) {
  constexpr std::size_t kLabel = 13;
  out += "  " + std::string(label) + std::string(kLabel - label.size(), ' ') + text + '\n';
}

std::string job_counts(const RunReport& report) {
  std::string out = std::to_string(count_of(report, "jobs")) + ":";
  for (const std::string_view state : {"succeeded", "failed", "cancelled", "unfinished"}) {
    const std::uint64_t count = count_of(report, "jobs_" + std::string(state));
    if (count == 0 && state != "succeeded") continue;
    out += (out.ends_with(':') ? " " : ", ") + std::to_string(count) + ' ' + std::string(state);
  }
  const auto& refusals = report.results->refusals;
  if (!refusals.empty())
    out += " (" + std::to_string(refusals.size()) + " of them refused, the first because " +
           refusals.begin()->second + ")";
  return out;
}

std::string attempt_counts(const RunReport& report) {
  std::string out = std::to_string(report.results->attempts);
  if (const auto retried = count_of(report, "tasks_retried"); retried > 0)
    out += ", " + std::to_string(retried) + " retried";
  if (const auto lost = count_of(report, "tasks_lost"); lost > 0)
    out += ", " + std::to_string(lost) + " lost with their node or worker";
  if (report.results->nodes_lost > 0)
    out += "; nodes went down " + plural(report.results->nodes_lost, "time");
  if (const std::uint64_t scaled = report.results->scaled_up + report.results->scaled_down; scaled > 0)
    out += "; pools were scaled " + plural(scaled, "time");
  return out;
}

void add_verdicts(std::string& out, const RunReport& report, bool color) {
  const auto failed = static_cast<std::size_t>(std::count_if(
      report.verdicts.begin(), report.verdicts.end(), [](const Verdict& verdict) { return !verdict.holds; }));
  if (report.verdicts.empty()) return;
  if (failed == 0) {
    add_line(out, "assertions", "all " + std::to_string(report.verdicts.size()) + " hold");
    return;
  }
  add_line(out, "assertions",
           std::to_string(failed) + " of " + std::to_string(report.verdicts.size()) + " failed");
  for (const Verdict& verdict : report.verdicts) {
    if (verdict.holds) continue;
    out += color ? "    \x1b[31mFAILED\x1b[0m  " : "    FAILED  ";
    out += to_text(verdict) + '\n';
  }
}

}  // namespace

std::string result_text(const RunReport& report, bool color) {
  const Scenario& scenario = *report.scenario;
  std::string out = printable(report.title.empty() ? scenario.name : report.title) + ": " +
                    plural(scenario.nodes.size(), "node") + ", " +
                    plural(hardware_threads(scenario), "hardware thread") + "; " +
                    scenario.controller.queue.name + ", " + scenario.controller.scheduler.name + "; " +
                    report.engine + " engine, seed " + std::to_string(scenario.seed) + "\n";
  add_line(out, "jobs", job_counts(report));
  add_line(out, "makespan", seconds_text(report, "makespan_s"));
  add_line(out, "wait",
           "mean " + seconds_text(report, "mean_wait_s") + ", p95 " + seconds_text(report, "p95_wait_s") +
               ", max " + seconds_text(report, "max_wait_s"));
  const auto utilization = report.metrics.find("utilization");
  if (utilization != report.metrics.end())
    add_line(out, "utilisation", number_text(std::round(utilization->second * 1000) / 10) + " %");
  const auto energy = report.metrics.find("energy_j");
  if (energy != report.metrics.end())
    add_line(out, "energy", number_text(std::round(energy->second * 1000) / 1000) + " J");
  add_line(out, "attempts", attempt_counts(report));
  std::string end_s;
  append_seconds(end_s, to_ns(report.results->end));
  if (report.results->stalled)
    add_line(out, "stalled",
             "at " + end_s + " s: " +
                 (report.results->stall_cause.empty() ? "the jobs that wait will never run"
                                                      : report.results->stall_cause));
  if (report.results->horizon_reached) add_line(out, "horizon", "reached at " + end_s + " s");
  add_verdicts(out, report, color);
  if (report.trace) out += "digest sha256:" + report.trace->digest + '\n';
  return out;
}

Table result_table(const RunReport& report) {
  Table table{{"name", "value"}, {}};
  const Scenario& scenario = *report.scenario;
  table.rows.push_back({"scenario", scenario.name});
  table.rows.push_back({"engine", report.engine});
  table.rows.push_back({"seed", scenario.seed});
  table.rows.push_back({"queue", scenario.controller.queue.name});
  table.rows.push_back({"scheduler", scenario.controller.scheduler.name});
  table.rows.push_back({"ended", ending(*report.results)});
  if (report.results->stalled) table.rows.push_back({"stall_cause", report.results->stall_cause});
  for (const Metric& metric : known_metrics()) {
    const auto found = report.metrics.find(metric.name);
    if (found != report.metrics.end())
      table.rows.push_back({metric.name, Cell::plain(number_text(found->second))});
  }
  const auto failed = std::count_if(report.verdicts.begin(), report.verdicts.end(),
                                    [](const Verdict& verdict) { return !verdict.holds; });
  table.rows.push_back({"assertions_failed", static_cast<std::uint64_t>(failed)});
  if (report.trace) table.rows.push_back({"digest", "sha256:" + report.trace->digest});
  return table;
}

}  // namespace duet::sim
