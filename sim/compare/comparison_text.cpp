#include "sim/compare/comparison_text.h"

#include <cmath>
#include <filesystem>

#include "core/codec/atomic_file.h"
#include "sim/compare/compare.h"
#include "sim/compare/comparison_json.h"
#include "sim/diagnostics.h"
#include "sim/json_write.h"

namespace duet::sim {
namespace {

/// What one sees of a cell.
struct ShownCell {
  std::string variant;
  std::string mean;
  std::string difference;
  std::string interval;
  std::string relative;
  std::string standing;
};

/// Which way it seems to go, and why that is not certain.
std::string uncertain(const ComparedCell& cell) {
  if (cell.pairs == 0) return "no seed in common";
  const Metric* metric = find_metric(cell.metric);
  const Better better = metric == nullptr ? Better::kNeither : metric->better;
  const bool good = (cell.difference < 0) == (better == Better::kLess);
  const std::string word = better == Better::kNeither ? "differs" : good ? "better" : "worse";
  return word + (cell.pairs == 1 ? ", one seed" : ", few seeds");
}

ShownCell shown(const Comparison& comparison, const ComparedCell& cell) {
  ShownCell out;
  out.variant = comparison.variants[cell.variant].name;
  out.mean = figure(cell.mean);
  out.standing = standing_text(cell);
  if (cell.standing == Standing::kBaseline) return out;
  out.difference = (cell.difference > 0 ? "+" : "") + figure(cell.difference);
  if (cell.low && *cell.low != *cell.high) out.interval = figure(*cell.low) + " to " + figure(*cell.high);
  if (cell.relative) out.relative = percent(*cell.relative, true);
  return out;
}

std::string interval_heading(const Comparison& comparison) {
  return percent(comparison.confidence) + " interval";
}

std::string name_with_unit(const std::string& metric) {
  const Metric* known = find_metric(metric);
  return known == nullptr || known->unit.empty() || metric.ends_with("_s") || metric.ends_with("_j")
             ? metric
             : metric + " (" + std::string(known->unit) + ')';
}

std::string scenario_table(const Comparison& comparison, std::size_t scenario) {
  Table table{{"metric", "variant", "mean", "difference", interval_heading(comparison), "%", "word"}, {}};
  for (const std::string& metric : comparison.shown) {
    std::string heading = name_with_unit(metric);
    for (std::size_t v = 0; v < comparison.variants.size(); ++v) {
      const ComparedCell* cell = find_cell(comparison, scenario, metric, v);
      if (cell == nullptr) continue;
      const ShownCell s = shown(comparison, *cell);
      const auto plain = [](const std::string& text) { return text.empty() ? Cell() : Cell::plain(text); };
      table.rows.push_back({heading, s.variant, Cell::plain(s.mean), plain(s.difference), plain(s.interval),
                            plain(s.relative), s.standing});
      heading.clear();
    }
  }
  return to_text(table, Format::kTable);
}

Cell exactly(double value) { return std::isfinite(value) ? Cell::plain(number_text(value)) : Cell(); }
Cell exactly(const std::optional<double>& value) { return value ? exactly(*value) : Cell(); }

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("|\\`*<>[]").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void add_row(std::string& out, const std::vector<std::string>& cells) {
  out += '|';
  for (const std::string& cell : cells) out += ' ' + markdown_cell(cell) + " |";
  out += '\n';
}

std::string cost_table(const Comparison& comparison) {
  Table table{{"scheduler", "nodes", "ns per decision", "noise"}, {}};
  for (const DecisionCost& cost : comparison.costs)
    table.rows.push_back(
        {cost.policy, cost.nodes, Cell::plain(figure(cost.ns)), Cell::plain(percent(cost.noise))});
  return to_text(table, Format::kTable);
}

}  // namespace

std::string standing_text(const ComparedCell& cell) {
  return cell.standing == Standing::kUnknown ? uncertain(cell) : std::string(name_of(cell.standing));
}

std::string comparison_text(const Comparison& comparison) {
  std::string out;
  for (const std::string& verdict : comparison.verdicts) out += printable(verdict) + '\n';
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
    out += '\n';
    if (comparison.scenarios.size() > 1) out += printable(comparison.scenarios[s]) + '\n';
    out += scenario_table(comparison, s);
  }
  if (!comparison.costs.empty()) out += '\n' + cost_table(comparison);
  if (!comparison.notices.empty()) out += '\n';
  for (const std::string& notice : comparison.notices) out += "note: " + printable(notice) + '\n';
  return out;
}

Table comparison_table(const Comparison& comparison) {
  Table table{{"scenario", "metric", "unit", "variant", "runs", "mean", "least", "most", "pairs",
               "difference", "low", "high", "relative", "standing"},
              {}};
  for (const ComparedCell& cell : comparison.cells) {
    const Metric* metric = find_metric(cell.metric);
    const bool baseline = cell.standing == Standing::kBaseline;
    table.rows.push_back({comparison.scenarios[cell.scenario], cell.metric,
                          metric == nullptr ? "" : metric->unit, comparison.variants[cell.variant].name,
                          std::uint64_t{cell.runs}, exactly(cell.mean), exactly(cell.least),
                          exactly(cell.most), std::uint64_t{cell.pairs},
                          baseline ? Cell() : exactly(cell.difference), exactly(cell.low), exactly(cell.high),
                          exactly(cell.relative), name_of(cell.standing)});
  }
  return table;
}

Table runs_table(const Comparison& comparison) {
  Table table{{"scenario", "variant", "seed", "ended", "digest", "folder"}, {}};
  table.columns.insert(table.columns.end(), comparison.metrics.begin(), comparison.metrics.end());
  for (const ComparedRun& run : comparison.runs) {
    auto& row = table.rows.emplace_back();
    row = {comparison.scenarios[run.scenario],
           comparison.variants[run.variant].name,
           run.seed,
           run.ended,
           run.digest,
           run.folder};
    for (const std::string& metric : comparison.metrics) {
      const auto found = run.metrics.find(metric);
      row.push_back(found == run.metrics.end() ? Cell() : exactly(found->second));
    }
  }
  return table;
}

std::string comparison_markdown(const Comparison& comparison) {
  std::string out = "# " + markdown_cell(comparison.title) + "\n\n";
  for (const std::string& verdict : comparison.verdicts) out += "**" + markdown_cell(verdict) + "**\n\n";
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
    if (comparison.scenarios.size() > 1) out += "## " + markdown_cell(comparison.scenarios[s]) + "\n\n";
    add_row(out, {"metric", "variant", "mean", "difference", interval_heading(comparison), "%", "word"});
    out += "|---|---|--:|--:|--:|--:|---|\n";
    for (const std::string& metric : comparison.shown)
      for (std::size_t v = 0; v < comparison.variants.size(); ++v)
        if (const ComparedCell* cell = find_cell(comparison, s, metric, v)) {
          const ShownCell c = shown(comparison, *cell);
          add_row(out, {name_with_unit(metric), c.variant, c.mean, c.difference, c.interval, c.relative,
                        c.standing});
        }
    out += '\n';
  }
  for (const std::string& notice : comparison.notices) out += "* " + markdown_cell(notice) + '\n';
  if (!comparison.notices.empty()) out += '\n';
  out += std::to_string(comparison.runs.size()) + " runs, " + std::to_string(comparison.seeds.size()) +
         (comparison.seeds.size() == 1 ? " seed" : " seeds") + ", " + comparison.engine + " engine, duet " +
         comparison.version + ". Again:\n\n    " + printable(comparison.command) + '\n';
  return out;
}

Problems write_comparison_files(const Comparison& comparison, const std::string& folder) {
  Problems problems;
  const auto write = [&](const char* name, std::string_view text) {
    const auto written = codec::write_file((std::filesystem::path(folder) / name).string(), text);
    if (!written) problems.push_back(written.problems().front());
  };
  std::string json;
  write_comparison(comparison, [&](std::string_view text) { json += text; });
  write("results.csv", to_text(runs_table(comparison), Format::kCsv));
  write("report.md", comparison_markdown(comparison));
  write("comparison.json", json);
  return problems;
}

}  // namespace duet::sim
