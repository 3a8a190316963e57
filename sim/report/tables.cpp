// The verdict and the tables below it.
#include <algorithm>
#include <numeric>

#include "sim/compare/compare.h"
#include "sim/compare/comparison_text.h"
#include "sim/report/page_parts.h"
#include "sim/report/page_text.h"

namespace duet::sim::report {
namespace {

/// Variants in a table.
constexpr std::size_t kMostVariants = 200;
/// Rows of the complete tables of all scenarios together: some 2 MB.
constexpr std::size_t kMostTableRows = 6000;

std::string cell(double value, const std::string& text, std::string_view after = {}) {
  std::string number = std::to_string(value);
  return "<td class=\"n\" data-v=\"" + number + "\">" + text + std::string(after) + "</td>";
}

std::string empty_cell() { return "<td class=\"n\">\u2013</td>"; }

std::string head(std::string_view text, bool number) {
  return std::string("<th scope=\"col\"") + (number ? " class=\"n\"" : "") + ">" + html(text) + "</th>";
}

std::string interval_text(const ComparedCell& one, double factor) {
  if (!one.low || !one.high) return "\u2013";
  return signed_figures(*one.low * factor) + " to " + signed_figures(*one.high * factor);
}

std::string standing_span(const ComparedCell& one) {
  return "<span class=\"word " + std::string(name_of(one.standing)) + "\">" + standing_text(one) + "</span>";
}

std::string relative_cell(const ComparedCell& one) {
  if (!one.relative || one.standing == Standing::kBaseline) return empty_cell();
  return cell(*one.relative, signed_figures(*one.relative * 100));
}

/// All, while there is room for them.
std::vector<std::size_t> shown_variants(const Comparison& comparison, std::size_t scenario) {
  if (comparison.variants.size() > kMostVariants) return best_variants(comparison, scenario, kMostVariants);
  std::vector<std::size_t> all(comparison.variants.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

/// What a table does not show, and where it is.
std::string left_out(std::size_t shown, std::size_t all, std::string_view words, std::string_view file) {
  if (shown >= all) return {};
  return "<p class=\"note\">These are " + std::to_string(shown) + " of " + std::to_string(all) + ' ' +
         std::string(words) + "; " + std::string(file) + " has all of them.</p>";
}

/// The objective: who is how much better, and how sure that is.
std::string objective_table(const Comparison& comparison, std::size_t scenario) {
  const Quantity quantity = quantity_of(comparison.objective);
  const std::string unit = quantity.unit.empty() ? "" : ", " + quantity.unit;
  std::string out =
      "<div class=\"scroll\"><table class=\"sortable\"><caption>" + html(quantity.label) + " over " +
      std::to_string(comparison.seeds.size()) + (comparison.seeds.size() == 1 ? " seed" : " seeds") +
      ", compared seed by seed with the baseline " + html(comparison.variants[comparison.baseline].name) +
      "</caption><thead><tr>" + head("variant", false) + head("mean" + unit, true) +
      head("difference" + unit, true) + head(percent_text(comparison.confidence) + " interval" + unit, true) +
      head("difference, %", true) + head("verdict", false) + "</tr></thead><tbody>";
  for (const std::size_t variant : shown_variants(comparison, scenario)) {
    out += "<tr><th scope=\"row\">" + html(comparison.variants[variant].name) + "</th>";
    const ComparedCell* one = find_cell(comparison, scenario, comparison.objective, variant);
    if (one == nullptr) {
      out +=
          "<td class=\"n\">\u2013</td><td class=\"n\">\u2013</td><td class=\"n\">\u2013</td>"
          "<td class=\"n\">\u2013</td><td>no value</td></tr>";
      continue;
    }
    const bool base = one->standing == Standing::kBaseline;
    out += cell(one->mean, figures(one->mean * quantity.factor));
    out += base ? empty_cell() : cell(one->difference, signed_figures(one->difference * quantity.factor));
    out += base || !one->low ? empty_cell() : cell(*one->low, interval_text(*one, quantity.factor));
    out += relative_cell(*one) + "<td>" + standing_span(*one) + "</td></tr>";
  }
  return out + "</tbody></table></div>" +
         left_out(std::min(comparison.variants.size(), kMostVariants), comparison.variants.size(),
                  "variants: the baseline and the best", "comparison.json");
}

/// Variants by metrics: the mean, and below it the word.
std::string overview_table(const Comparison& comparison, std::size_t scenario) {
  std::vector<std::string> metrics = comparison.shown;
  std::erase(metrics, comparison.objective);
  if (metrics.empty()) return {};
  std::string out =
      "<div class=\"scroll\"><table class=\"sortable\"><caption>Means of other metrics, and how "
      "sure their differences are</caption><thead><tr>" +
      head("variant", false);
  for (const std::string& metric : metrics) out += head(heading(quantity_of(metric)), true);
  out += "</tr></thead><tbody>";
  for (const std::size_t variant : shown_variants(comparison, scenario)) {
    out += "<tr><th scope=\"row\">" + html(comparison.variants[variant].name) + "</th>";
    for (const std::string& metric : metrics) {
      const ComparedCell* one = find_cell(comparison, scenario, metric, variant);
      out += one == nullptr
                 ? empty_cell()
                 : cell(one->mean, figures(one->mean * quantity_of(metric).factor), standing_span(*one));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

/// Every number of the comparison.
std::string complete_table(const Comparison& comparison, std::size_t scenario) {
  std::string out =
      "<details><summary>All metrics, with intervals</summary><div class=\"scroll\">"
      "<table class=\"sortable\"><thead><tr>" +
      head("metric", false) + head("variant", false) + head("runs", true) + head("mean", true) +
      head("least", true) + head("most", true) + head("difference", true) +
      head(percent_text(comparison.confidence) + " interval", true) + head("difference, %", true) +
      head("verdict", false) + "</tr></thead><tbody>";
  const std::size_t most = std::max<std::size_t>(1, kMostTableRows / comparison.scenarios.size());
  std::size_t rows = 0;
  for (const ComparedCell& one : comparison.cells) {
    if (one.scenario != scenario || one.variant >= comparison.variants.size() || ++rows > most) continue;
    const Quantity quantity = quantity_of(one.metric);
    const bool base = one.standing == Standing::kBaseline;
    out += "<tr><td>" + html(heading(quantity)) + "</td><th scope=\"row\">" +
           html(comparison.variants[one.variant].name) + "</th>" +
           cell(static_cast<double>(one.runs), std::to_string(one.runs)) +
           cell(one.mean, figures(one.mean * quantity.factor)) +
           cell(one.least, figures(one.least * quantity.factor)) +
           cell(one.most, figures(one.most * quantity.factor));
    out += base ? empty_cell() : cell(one.difference, signed_figures(one.difference * quantity.factor));
    out += base || !one.low ? empty_cell() : cell(*one.low, interval_text(one, quantity.factor));
    out += relative_cell(one) + "<td>" + standing_span(one) + "</td></tr>";
  }
  return out + "</tbody></table></div>" + left_out(std::min(rows, most), rows, "rows", "comparison.json") +
         "</details>";
}

/// What a decision costs, measured, beside what it is worth.
std::string costs_table(const Comparison& comparison) {
  if (comparison.costs.empty()) return {};
  std::string out =
      "<section><h2>What a decision costs</h2><div class=\"scroll\"><table class=\"sortable narrow\">"
      "<caption>Measured wall-clock time, on the machine that ran the benchmark</caption><thead><tr>" +
      head("scheduler", false) + head("nodes", true) + head("median, ns", true) + head("noise, %", true) +
      "</tr></thead><tbody>";
  for (const DecisionCost& cost : comparison.costs)
    out += "<tr><th scope=\"row\">" + html(cost.policy) + "</th>" +
           cell(static_cast<double>(cost.nodes), figures(static_cast<double>(cost.nodes))) +
           cell(cost.ns, figures(cost.ns)) + cell(cost.noise, figures(cost.noise * 100)) + "</tr>";
  return out + "</tbody></table></div></section>";
}

std::string metrics_of_one(const RunView& view) {
  std::string out = "<div class=\"scroll\"><table class=\"narrow\"><thead><tr>" + head("metric", false) +
                    head("value", true) + head("unit", false) + "</tr></thead><tbody>";
  for (const Metric& known : known_metrics()) {
    const auto found = view.metrics.find(known.name);
    if (found == view.metrics.end()) continue;
    const Quantity quantity = quantity_of(known.name);
    out += "<tr><th scope=\"row\" title=\"" + html(known.doc) + "\">" + html(quantity.label) + "</th>" +
           cell(found->second, figures(found->second * quantity.factor)) + "<td>" + html(quantity.unit) +
           "</td></tr>";
  }
  return out + "</tbody></table></div>";
}

std::string assertions_of(const RunView& view) {
  if (view.assertions.empty()) return {};
  std::string out = "<div class=\"scroll\"><table class=\"narrow\"><thead><tr>" + head("assertion", false) +
                    head("measured", true) + head("", false) + "</tr></thead><tbody>";
  for (const CheckedAssertion& one : view.assertions)
    out += "<tr><td><code>" + html(one.text) + "</code></td>" +
           (one.actual ? cell(*one.actual, figures(*one.actual)) : empty_cell()) + "<td>" +
           (one.holds ? "holds" : "<span class=\"failed\">failed</span>") + "</td></tr>";
  return out + "</tbody></table></div>";
}

std::string count_of(const RunView& view, std::string_view metric, std::string_view words) {
  const auto found = view.metrics.find(metric);
  if (found == view.metrics.end() || found->second == 0) return {};
  return ", " + figures(found->second) + " " + std::string(words);
}

std::string sentence_of(const RunView& view) {
  const auto value = [&](std::string_view metric) {
    const auto found = view.metrics.find(metric);
    return found == view.metrics.end() ? 0.0 : found->second;
  };
  const double jobs = value("jobs");
  std::string out = jobs == 0   ? std::string("No job was submitted.")
                    : jobs == 1 ? "One job: " + figures(value("jobs_succeeded")) + " succeeded"
                                : figures(jobs) + " jobs: " + figures(value("jobs_succeeded")) + " succeeded";
  if (jobs > 0)
    out += count_of(view, "jobs_failed", "failed") + count_of(view, "jobs_cancelled", "cancelled") +
           count_of(view, "jobs_unfinished", "had not ended when the run did") + ".";
  if (view.metrics.contains("makespan_s"))
    out += " From the first submission to the last end it took " + figures(value("makespan_s")) + " s";
  if (view.metrics.contains("mean_wait_s"))
    out += "; jobs waited " + figures(value("mean_wait_s")) + " s on average and " +
           figures(value("max_wait_s")) + " s at most";
  if (view.metrics.contains("makespan_s")) out += ".";
  if (view.metrics.contains("utilization"))
    out += " " + figures(value("utilization") * 100) + "\u2009% of the threads were in use.";
  return out;
}

}  // namespace

std::string verdict_html(const Comparison& comparison, const std::vector<RunView>& views) {
  std::string out;
  for (const std::string& verdict : comparison.verdicts)
    out += "<p class=\"verdict\">" + html(verdict) + "</p>";
  if (!comparison.runs.empty()) {
    for (const std::string& notice : comparison.notices) out += "<p class=\"note\">" + html(notice) + "</p>";
    if (comparison.verdicts.empty())
      out += "<p class=\"verdict\">There is no verdict: nothing was measured twice.</p>";
    return out;
  }
  if (views.empty()) return "<p class=\"verdict\">There is no run to report.</p>";
  const RunView& view = views.front();
  out = "<p class=\"verdict\">" + sentence_of(view) + "</p>";
  const auto failed = std::count_if(view.assertions.begin(), view.assertions.end(),
                                    [](const CheckedAssertion& one) { return !one.holds; });
  if (failed > 0)
    out += "<p class=\"verdict failed\">" + std::to_string(failed) + " of " +
           std::to_string(view.assertions.size()) + " assertions failed.</p>";
  if (view.ended == "stalled")
    out += "<p class=\"verdict failed\">The run stalled: what still waited could never run.</p>";
  return out;
}

std::string tables_html(const Comparison& comparison, const std::vector<RunView>& views) {
  if (comparison.runs.empty()) {
    if (views.empty()) return {};
    return "<section id=\"numbers\"><h2>Numbers</h2><div class=\"pair\">" + metrics_of_one(views.front()) +
           "<div>" + assertions_of(views.front()) + waits_html(views.front()) + "</div></div></section>";
  }
  std::string out;
  for (std::size_t scenario = 0; scenario < comparison.scenarios.size(); ++scenario)
    out += "<section><h2>" + html(comparison.scenarios[scenario]) + "</h2>" +
           objective_table(comparison, scenario) + overview_table(comparison, scenario) +
           complete_table(comparison, scenario) + "</section>";
  return out + costs_table(comparison);
}

}  // namespace duet::sim::report
