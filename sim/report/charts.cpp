// The charts of the page: differences per seed, waits, load and queue over time.
#include <algorithm>
#include <cmath>

#include "sim/compare/compare.h"
#include "sim/report/gantt.h"
#include "sim/report/page_parts.h"
#include "sim/report/page_text.h"
#include "sim/report/svg.h"

namespace duet::sim::report {
namespace {

constexpr double kPanelWidth = 560;
constexpr double kPanelHeight = 220;
constexpr std::size_t kMostCorners = 480;
/// Of variants, each with its dots.
constexpr std::size_t kMostPanels = 8;

std::string figure(std::string_view caption, const std::string& drawing, std::string_view attributes = {}) {
  return "<figure" + std::string(attributes) + "><figcaption>" + html(caption) + "</figcaption>" + drawing +
         "</figure>";
}

struct Difference {
  std::uint64_t seed = 0;
  double value = 0;
};

/// The objective of a variant minus that of the baseline, seed by seed.
std::vector<Difference> differences(const Comparison& comparison, std::size_t scenario, std::size_t variant) {
  std::vector<Difference> out;
  const double factor = quantity_of(comparison.objective).factor;
  const auto base = values_of(comparison, scenario, comparison.baseline, comparison.objective);
  auto other = base.begin();
  for (const auto& [seed, value] : values_of(comparison, scenario, variant, comparison.objective)) {
    while (other != base.end() && other->first < seed) ++other;
    if (other != base.end() && other->first == seed) out.push_back({seed, (value - other->second) * factor});
  }
  return out;
}

std::string difference_panel(const Comparison& comparison, std::size_t scenario, std::size_t variant,
                             const std::vector<Difference>& all, double reach) {
  const Quantity quantity = quantity_of(comparison.objective);
  const ComparedCell* cell = find_cell(comparison, scenario, comparison.objective, variant);
  const std::string& name = comparison.variants[variant].name;
  std::string says = name + " against " + comparison.variants[comparison.baseline].name + ": ";
  says += cell == nullptr
              ? "not measured"
              : "mean difference " + signed_figures(cell->difference * quantity.factor) + " " + quantity.unit;
  std::string label = "difference of " + heading(quantity);
  Panel panel(kPanelWidth, 150, {-reach, reach, std::move(label), false, 5}, {0, 1, "", false, 2}, says);
  panel.rule(0, "zero");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double at = 0.35 + 0.6 * (static_cast<double>(i) + 0.5) / static_cast<double>(all.size());
    panel.dot(all[i].value, at, "s1",
              "seed " + std::to_string(all[i].seed) + ": " + signed_figures(all[i].value));
  }
  if (cell != nullptr && cell->low && cell->high) {
    panel.interval(*cell->low * quantity.factor, *cell->high * quantity.factor, 0.16, "s2");
    panel.dot(cell->difference * quantity.factor, 0.16, "s2", "mean");
  }
  return figure(name, panel.finish());
}

std::string difference_charts(const Comparison& comparison, std::size_t scenario) {
  // The baseline has no panel of its own.
  const auto chosen = best_variants(comparison, scenario, kMostPanels + 1);
  std::vector<std::pair<std::size_t, std::vector<Difference>>> all;
  double reach = 0;
  for (const std::size_t variant : chosen) {
    if (variant == comparison.baseline) continue;
    all.emplace_back(variant, differences(comparison, scenario, variant));
    for (const Difference& one : all.back().second) reach = std::max(reach, std::abs(one.value));
  }
  std::string panels;
  for (const auto& [variant, of_variant] : all)
    if (!of_variant.empty())
      panels += difference_panel(comparison, scenario, variant, of_variant, round_up(reach * 1.05));
  if (panels.empty()) return {};
  return "<section><h2>Seed by seed: " + html(comparison.scenarios[scenario]) +
         "</h2><p class=\"note\">Each dot is one seed, its height means nothing; below the dots their mean "
         "and "
         "its " +
         percent_text(comparison.confidence) + " interval. Left of the line the variant has less than " +
         html(comparison.variants[comparison.baseline].name) + '.' +
         (comparison.variants.size() > kMostPanels + 1
              ? " Drawn are the best " + std::to_string(kMostPanels) + " of " +
                    std::to_string(comparison.variants.size() - 1) + " variants."
              : "") +
         "</p><div class=\"panels\">" + panels + "</div></section>";
}

struct WaitsAxis {
  Axis x;
  double unit_ns = 1e9;
};

/// The share of jobs, in per cent, that waited no longer than x.
Points waits_curve(const RunView& view, double unit_ns, double to) {
  Points out;
  const std::size_t count = view.waits_ns.size();
  if (count == 0) return out;
  const std::size_t stride = std::max<std::size_t>(1, count / 240);
  double before = 0;
  out.emplace_back(0, 0);
  for (std::size_t i = 0; i < count; i += stride) {
    const std::size_t last = std::min(count - 1, i + stride - 1);
    const double x = static_cast<double>(view.waits_ns[last]) / unit_ns;
    const double share = 100 * static_cast<double>(last + 1) / static_cast<double>(count);
    out.emplace_back(x, before);
    out.emplace_back(x, share);
    before = share;
  }
  out.emplace_back(to, before);
  return out;
}

WaitsAxis waits_axis(const std::vector<const RunView*>& views) {
  std::vector<std::int64_t> all;
  for (const RunView* view : views)
    for (const std::int64_t wait : view->waits_ns)
      if (wait > 0) all.push_back(wait);
  if (all.empty()) return {{0, 1, "wait, s", false, 6}, 1e9};
  std::sort(all.begin(), all.end());
  const TimeUnit unit = time_unit(all.back());
  const std::string label = "wait, " + std::string(unit.name);
  const double median = static_cast<double>(all[all.size() / 2]) / unit.ns;
  const double most = static_cast<double>(all.back()) / unit.ns;
  if (most < 50 * median) return {{0, round_up(most), label, false, 6}, unit.ns};
  const double least = std::max(static_cast<double>(all[all.size() / 20]) / unit.ns, most / 1e5);
  return {{std::pow(10.0, std::floor(std::log10(least))), std::pow(10.0, std::ceil(std::log10(most))),
           label + "; logarithmic, shorter waits are counted at the left edge", true, 6},
          unit.ns};
}

/// The curve of `view`, and that of the baseline dashed over it, if there is one.
std::string wait_panel(const RunView& view, const RunView* base, const WaitsAxis& axis) {
  const std::string says = view.waits_ns.empty()
                               ? view.name + ": no job started"
                               : view.name + ": half of the jobs waited at most " +
                                     seconds_shown(view.waits_ns[(view.waits_ns.size() - 1) / 2]);
  Panel panel(kPanelWidth, kPanelHeight, axis.x, {0, 100, "%", false, 6}, says);
  panel.line(waits_curve(view, axis.unit_ns, axis.x.to), "s1");
  if (base != nullptr) panel.line(waits_curve(*base, axis.unit_ns, axis.x.to), "base");
  return panel.finish();
}

std::string wait_charts(const std::vector<const RunView*>& views) {
  const WaitsAxis axis = waits_axis(views);
  std::string panels;
  for (const RunView* view : views)
    if (view != views.front() && !view->waits_ns.empty())
      panels += figure(view->name, wait_panel(*view, views.front(), axis));
  if (panels.empty()) return {};
  return "<section><h2>How long jobs waited: " + html(views.front()->scenario) +
         "</h2><p class=\"note\">The share of jobs, in\u2009%, that waited no longer. Dashed: " +
         html(views.front()->name) + ". Seed " + std::to_string(views.front()->seed) +
         ".</p><div class=\"panels\">" + panels + "</div></section>";
}

std::string data_attributes(std::size_t index, std::string_view chart) {
  return " class=\"live\" data-run=\"" + std::to_string(index) + "\" data-chart=\"" + std::string(chart) +
         "\"";
}

std::string load_panel(const RunView& view, std::size_t index) {
  const std::int64_t until = shown_until(view);
  const TimeUnit unit = time_unit(until);
  const double most = std::max(largest_of(view.capacity), largest_of(view.allocated));
  const double mean = mean_of(view.allocated, 0, until);
  Panel panel(kPanelWidth, kPanelHeight,
              {0, static_cast<double>(until) / unit.ns, "time, " + std::string(unit.name), false, 6},
              {0, round_up(most), "threads", false, 5}, "Threads held: " + figures(mean) + " on average");
  panel.area(sampled(view.allocated, 0, until, unit.ns, kMostCorners, false), "s1");
  panel.line(sampled(view.allocated, 0, until, unit.ns, kMostCorners, false), "s1");
  if (!view.used.empty()) panel.line(sampled(view.used, 0, until, unit.ns, kMostCorners, false), "s2");
  panel.line(sampled(view.capacity, 0, until, unit.ns, kMostCorners, false), "base");
  const std::string caption = view.used.empty()
                                  ? "Threads held (blue) of those of the nodes that are up (dashed)"
                                  : "Threads held (blue), of them executing (dark), and those of the nodes "
                                    "that are up (dashed)";
  return figure(caption, panel.finish(), data_attributes(index, "load"));
}

std::string queue_panel(const RunView& view, std::size_t index) {
  const std::int64_t until = shown_until(view);
  const TimeUnit unit = time_unit(until);
  const double most = largest_of(view.waiting);
  Panel panel(kPanelWidth, kPanelHeight,
              {0, static_cast<double>(until) / unit.ns, "time, " + std::string(unit.name), false, 6},
              {0, round_up(most), "tasks", false, 5}, "At most " + figures(most) + " tasks waited");
  panel.line(sampled(view.waiting, 0, until, unit.ns, kMostCorners, true), "s1");
  return figure("Tasks that wait, for a place or for other tasks; at most " + figures(most), panel.finish(),
                data_attributes(index, "queue"));
}

std::string nodes_panel(const RunView& view, std::size_t index) {
  const std::int64_t until = shown_until(view);
  const TimeUnit unit = time_unit(until);
  const double most = largest_of(view.nodes_up);
  Panel panel(kPanelWidth, 150,
              {0, static_cast<double>(until) / unit.ns, "time, " + std::string(unit.name), false, 6},
              {0, round_up(most), "nodes", false, 4}, "At most " + figures(most) + " nodes were up");
  panel.line(sampled(view.nodes_up, 0, until, unit.ns, kMostCorners, false), "s1");
  return figure("Nodes that are up", panel.finish(), data_attributes(index, "nodes"));
}

std::string gantt_caption(const RunView& view) {
  std::size_t failed = 0;
  bool workers = false;
  for (const Bar& bar : view.bars) {
    failed += is_failure(bar.end);
    workers |= bar.kind == BarKind::kWorker;
  }
  std::string out = decimals(static_cast<double>(view.bars.size()), 0) + " attempts";
  if (failed > 0) out += ", " + decimals(static_cast<double>(failed), 0) + " failed or lost (red)";
  if (workers) out += "; workers are light, what they execute is dark";
  return out;
}

}  // namespace

std::string waits_html(const RunView& view) {
  if (view.waits_ns.empty()) return {};
  return figure("The share of jobs, in\u2009%, that waited no longer",
                wait_panel(view, nullptr, waits_axis({&view})));
}

std::string comparison_charts_html(const Comparison& comparison, const std::vector<RunView>& views) {
  std::string out;
  if (comparison.runs.empty()) return out;
  for (std::size_t scenario = 0; scenario < comparison.scenarios.size(); ++scenario)
    out += difference_charts(comparison, scenario);
  std::vector<std::string> scenarios;
  for (const RunView& view : views)
    if (std::find(scenarios.begin(), scenarios.end(), view.scenario) == scenarios.end())
      scenarios.push_back(view.scenario);
  for (const std::string& scenario : scenarios) {
    std::vector<const RunView*> of_scenario;
    for (const RunView& view : views)
      if (view.scenario == scenario) of_scenario.push_back(&view);
    // The baseline first: the others are drawn against it.
    if (comparison.baseline < comparison.variants.size())
      std::stable_partition(of_scenario.begin(), of_scenario.end(), [&](const RunView* view) {
        return view->name == comparison.variants[comparison.baseline].name;
      });
    out += wait_charts(of_scenario);
  }
  return out;
}

std::string run_section_html(const RunView& view, std::size_t index, bool alone) {
  std::string out = "<section class=\"run\" id=\"run-" + std::to_string(index) + "\"><h2>" +
                    (alone ? "Over time" : "Over time: " + html(view.name)) + "</h2>";
  out += "<p class=\"note\">" + (alone ? "" : html(view.scenario) + ", ") + "seed " +
         std::to_string(view.seed) + (view.policies.empty() ? "" : ", " + html(view.policies)) + ", " +
         html(view.engine) + " engine</p>";
  if (view.bars.empty()) return out + "<p>No attempt ever started.</p></section>";
  out += "<div class=\"panels\">" + load_panel(view, index) + queue_panel(view, index);
  if (view.nodes_up.size() > 2 || (view.nodes_up.size() == 2 && view.nodes_up[1].first > 0))
    if (largest_of(view.nodes_up) > 1) out += nodes_panel(view, index);
  out += "</div>";
  out += figure(gantt_caption(view), "<div class=\"scroll wide\">" + gantt_svg(view) + "</div>",
                data_attributes(index, "gantt"));
  const bool grouped = view.nodes.size() > kMostStrips;
  out += figure(std::string("How much of each host's threads was held, in\u2009%; at the right the mean") +
                    (grouped ? "; +n: of that many more hosts together" : ""),
                "<div class=\"scroll wide\">" + heat_svg(view) + "</div>");
  return out + "</section>";
}

}  // namespace duet::sim::report
