#include "sim/report/gantt.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/report/page_text.h"
#include "sim/report/svg.h"

namespace duet::sim::report {
namespace {

constexpr double kGanttWidth = 1120;
constexpr double kGutter = 128;
constexpr double kEndGutter = 56;
/// Of a host's name, that fit into the gutter.
constexpr std::size_t kNameCharacters = 16;
constexpr double kPlotWidth = kGanttWidth - kGutter - kEndGutter;
constexpr std::size_t kTitledBars = 1500;
constexpr std::size_t kMostRows = 360;
constexpr std::size_t kMostSegments = 30'000;
/// In the order of drawing. A worker that was lost lies below what it had executed; other failures lie on
/// top.
constexpr std::size_t kStyles = 6;
constexpr std::array<std::string_view, kStyles> kStyleNames = {"failed",    "worker", "task",
                                                               "operation", "killed", "failed"};
constexpr std::size_t kFailedStyle = 5;

std::size_t style_of(const Bar& bar) {
  if (bar.kind == BarKind::kWorker) return is_failure(bar.end) ? 0 : 1;
  if (is_failure(bar.end)) return 5;
  if (bar.end == BarEnd::kKilled) return 4;
  return bar.kind == BarKind::kTask ? 2 : 3;
}

/// Where the lanes stand: several share a row if there are too many.
struct Rows {
  std::size_t count = 0;
  double height = 14;
  std::size_t lanes = 0;

  explicit Rows(std::size_t lane_count) : count(std::min(lane_count, kMostRows)), lanes(lane_count) {
    if (count > 24) height = 12;
    if (count > 60) height = std::max(2.5, std::floor(7200.0 / static_cast<double>(count)) / 10);
  }
  std::size_t row(std::size_t lane) const { return lanes == count ? lane : lane * count / lanes; }
};

/// One row's stretch of bars that could not be told apart.
struct Stretch {
  double from = 0;
  double to = 0;
};

using Layers = std::array<std::vector<std::vector<Stretch>>, kStyles>;

/// Merges what is closer together than `gap` pixels.
Layers merged(const RunView& view, const Rows& rows, double scale, double gap) {
  Layers layers;
  for (auto& layer : layers) layer.resize(rows.count);
  for (const Bar& bar : view.bars) {
    const std::size_t style = style_of(bar);
    const double from = static_cast<double>(bar.start_ns) * scale;
    const double least = style == kFailedStyle || style == 0 ? 2.0 : 0.5;
    const double to = std::max(from + least, static_cast<double>(bar.end_ns) * scale);
    for (const LaneRange& range : bar.lanes) {
      const std::size_t last = rows.row(range.first + range.count - 1);
      for (std::size_t row = rows.row(range.first); row <= last; ++row) {
        auto& stretches = layers[style][row];
        if (!stretches.empty() && from <= stretches.back().to + gap)
          stretches.back().to = std::max(stretches.back().to, to);
        else
          stretches.push_back({from, to});
      }
    }
  }
  return layers;
}

std::size_t size_of(const Layers& layers) {
  std::size_t count = 0;
  for (const auto& layer : layers)
    for (const auto& row : layer) count += row.size();
  return count;
}

class GanttDrawing {
 public:
  explicit GanttDrawing(const RunView& view)
      : view_(view),
        rows_(view.lanes.size()),
        until_(shown_until(view)),
        scale_(kPlotWidth / static_cast<double>(std::max<std::int64_t>(1, until_))) {}

  std::string draw() {
    const double height = 14 + static_cast<double>(rows_.count) * rows_.height + 40;
    bottom_ = height - 40;
    out_ = "<svg class=\"gantt\" role=\"img\" viewBox=\"0 0 1120 ";
    append_coordinate(out_, height);
    out_ += "\" aria-label=\"" + html(says()) + "\">";
    hosts();
    if (view_.bars.size() <= kTitledBars)
      titled_bars();
    else
      merged_bars();
    failures();
    axis();
    return out_ + "</svg>";
  }

 private:
  double y(std::size_t row) const { return 14 + static_cast<double>(row) * rows_.height; }
  void rect(double x, double top, double width, double height) {
    for (const auto& [name, value] : {std::pair("x", x), {"y", top}, {"width", width}, {"height", height}}) {
      out_ += ' ';
      out_ += name;
      out_ += "=\"";
      append_coordinate(out_, value);
      out_ += '"';
    }
  }
  void text(double x, double top, std::string_view style, std::string_view words) {
    out_ += "<text x=\"";
    append_coordinate(out_, x);
    out_ += "\" y=\"";
    append_coordinate(out_, top);
    out_ += "\" class=\"" + std::string(style) + "\">" + html(words) + "</text>";
  }
  void rule(double x1, double y1, double x2, double y2, std::string_view style) {
    out_ += "<path class=\"" + std::string(style) + "\" d=\"M";
    append_coordinate(out_, x1);
    out_ += ' ';
    append_coordinate(out_, y1);
    out_ += 'L';
    append_coordinate(out_, x2);
    out_ += ' ';
    append_coordinate(out_, y2);
    out_ += "\"/>";
  }
  std::string says() const;
  void hosts();
  void titled_bars();
  void merged_bars();
  void failures();
  void axis();

  const RunView& view_;
  Rows rows_;
  std::int64_t until_;
  double scale_;
  double bottom_ = 0;
  std::string out_;
};

std::string GanttDrawing::says() const {
  std::size_t failed = 0;
  for (const Bar& bar : view_.bars) failed += is_failure(bar.end);
  return std::to_string(view_.bars.size()) + " attempts on " + std::to_string(view_.nodes.size()) +
         (view_.nodes.size() == 1 ? " node, " : " nodes, ") + std::to_string(failed) +
         " of them failed or lost";
}

/// A rule above each host and its name, and the names of lanes where there is room for them.
void GanttDrawing::hosts() {
  double free_from = 0;
  for (std::size_t lane = 0; lane < view_.lanes.size(); ++lane) {
    const Lane& one = view_.lanes[lane];
    const double top = y(rows_.row(lane));
    const bool first = lane == 0 || view_.lanes[lane - 1].node != one.node;
    if (first && (rows_.lanes == rows_.count || lane == 0)) rule(0, top, kGanttWidth, top, "host");
    if (first && top + 10 >= free_from) {
      const bool beside = rows_.height >= 10 && !one.label.empty();
      text(0, top + 11, "hostname", shortened(view_.nodes[one.node].name, beside ? 11 : kNameCharacters));
      // Where a name stands for many hosts, air between them says so.
      free_from = top + (rows_.lanes == rows_.count ? 22 : 38);
    }
    if (rows_.height >= 10 && !one.label.empty())
      text(kGutter - 8, top + rows_.height - 3, "tick end", one.label);
  }
}

void GanttDrawing::titled_bars() {
  for (std::size_t style = 0; style < kStyles; ++style) {
    for (const Bar& bar : view_.bars) {
      if (style_of(bar) != style) continue;
      const double from = static_cast<double>(bar.start_ns) * scale_;
      const double width = std::max(style == kFailedStyle || style == 0 ? 2.0 : 0.5,
                                    static_cast<double>(bar.end_ns) * scale_ - from - 0.3);
      for (const LaneRange& range : bar.lanes) {
        const std::size_t row = rows_.row(range.first);
        const std::size_t last = rows_.row(range.first + range.count - 1);
        // What a worker executes lies within it.
        const double inset = style < 2 ? 0.5 : bar.kind == BarKind::kOperation ? 2.5 : 1;
        const double tall = static_cast<double>(last - row + 1) * rows_.height - 2 * inset;
        out_ += "<rect class=\"bar " + std::string(kStyleNames[style]) + "\"";
        rect(kGutter + from, y(row) + inset, width, std::max(1.0, tall));
        out_ += "><title>" + html(story_of(view_, bar)) + "</title></rect>";
      }
    }
  }
}

void GanttDrawing::merged_bars() {
  double gap = 0.4;
  Layers layers = merged(view_, rows_, scale_, gap);
  while (size_of(layers) > kMostSegments && gap < 16) layers = merged(view_, rows_, scale_, gap *= 2);
  for (std::size_t style = 0; style < kStyles; ++style) {
    std::string path;
    for (std::size_t row = 0; row < rows_.count; ++row) {
      for (const Stretch& stretch : layers[style][row]) {
        path += 'M';
        append_coordinate(path, kGutter + stretch.from);
        path += ' ';
        append_coordinate(path, y(row) + rows_.height / 2);
        path += 'h';
        append_coordinate(path, std::max(0.1, stretch.to - stretch.from));
      }
    }
    if (path.empty()) continue;
    out_ += "<path class=\"bars " + std::string(kStyleNames[style]) + "\" stroke-width=\"";
    append_coordinate(out_, std::max(1.0, rows_.height - (rows_.height > 6 ? 2 : 0.5)));
    out_ += "\" d=\"" + path + "\"/>";
  }
}

/// How many attempts failed, at the end of each row that has any.
void GanttDrawing::failures() {
  const auto by_lane = failures_by_lane(view_);
  std::vector<std::uint32_t> by_row(rows_.count);
  for (std::size_t lane = 0; lane < by_lane.size(); ++lane) by_row[rows_.row(lane)] += by_lane[lane];
  double free_from = 0;
  text(kGanttWidth - kEndGutter + 8, 9, "tick", "failed");
  // Rows that are too thin for a number are counted with those around them.
  std::uint32_t count = 0;
  for (std::size_t row = 0; row < rows_.count; ++row) {
    count += by_row[row];
    const double base = y(row) + rows_.height - 3;
    if (base < free_from + 10) continue;
    if (count > 0) text(kGanttWidth - kEndGutter + 8, base, "tick failed", std::to_string(count));
    free_from = base;
    count = 0;
  }
}

void GanttDrawing::axis() {
  const TimeUnit unit = time_unit(until_);
  const Axis axis{0, static_cast<double>(until_) / unit.ns, "", false, 6};
  rule(kGutter, bottom_, kGutter + kPlotWidth, bottom_, "axis");
  for (const double tick : ticks(axis)) {
    const double x = kGutter + tick * unit.ns * scale_;
    rule(x, bottom_, x, bottom_ + 4, "axis");
    text(x, bottom_ + 16, "tick mid", tick_text(tick));
  }
  text(kGutter, bottom_ + 34, "name", "time, " + std::string(unit.name));
}

/// The host's share of held threads in each column, added up from the bars.
void add_share(std::vector<double>& cells, double from, double to, double weight) {
  const auto columns = static_cast<double>(cells.size());
  from = std::clamp(from, 0.0, columns);
  to = std::clamp(to, 0.0, columns);
  for (auto i = static_cast<std::size_t>(from); i < cells.size() && static_cast<double>(i) < to; ++i) {
    const double begin = std::max(from, static_cast<double>(i));
    const double end = std::min(to, static_cast<double>(i + 1));
    cells[i] += std::max(0.0, end - begin) * weight;
  }
}

}  // namespace

std::int64_t shown_until(const RunView& view) {
  std::int64_t last = 0;
  for (const Bar& bar : view.bars) last = std::max(last, bar.end_ns);
  for (const auto& [at, value] : view.waiting) last = std::max(last, at);
  if (last == 0) last = view.end_ns;
  return std::max<std::int64_t>(1, std::min(view.end_ns == 0 ? last : view.end_ns, last));
}

std::vector<std::uint32_t> failures_by_lane(const RunView& view) {
  std::vector<std::uint32_t> out(view.lanes.size());
  for (const Bar& bar : view.bars)
    if (is_failure(bar.end) && !bar.lanes.empty()) ++out[bar.lanes.front().first];
  return out;
}

std::string story_of(const RunView& view, const Bar& bar) {
  std::string text = view.jobs[bar.job] + ", task " + std::to_string(bar.task);
  if (bar.attempt > 1) text += ", attempt " + std::to_string(bar.attempt);
  text += "\nnode " + view.nodes[bar.node].name;
  text += "\n" + seconds_shown(bar.start_ns) + " to " + seconds_shown(bar.end_ns);
  return text + "\n" + std::string(name_of(bar.end));
}

Heat heat_of(const RunView& view, std::size_t columns, std::size_t most_hosts) {
  Heat heat;
  const std::size_t hosts = std::min(view.nodes.size(), most_hosts);
  if (hosts == 0) return heat;
  const auto group_of = [&](std::size_t node) { return node * hosts / view.nodes.size(); };
  heat.shares.assign(hosts, std::vector<double>(columns));
  heat.hosts.resize(hosts);
  std::vector<double> threads(hosts);
  std::vector<std::size_t> members(hosts);
  for (std::size_t node = 0; node < view.nodes.size(); ++node) {
    const std::size_t group = group_of(node);
    if (members[group]++ == 0) heat.hosts[group] = view.nodes[node].name;
    threads[group] += view.nodes[node].threads();
  }
  for (std::size_t group = 0; group < hosts; ++group)
    if (members[group] > 1)
      heat.hosts[group] = shortened(heat.hosts[group], 11) + " +" + std::to_string(members[group] - 1);
  const double scale = static_cast<double>(columns) / static_cast<double>(shown_until(view));
  for (const Bar& bar : view.bars) {
    if (bar.kind == BarKind::kOperation) continue;  // Its worker holds the threads.
    const std::size_t group = group_of(bar.node);
    add_share(heat.shares[group], static_cast<double>(bar.start_ns) * scale,
              static_cast<double>(bar.end_ns) * scale, bar.threads / threads[group]);
  }
  for (auto& row : heat.shares)
    for (double& share : row) share = std::min(1.0, share);
  return heat;
}

std::string gantt_svg(const RunView& view) { return GanttDrawing(view).draw(); }

std::string heat_svg(const RunView& view) {
  constexpr std::size_t kColumns = 32;  // wide enough for "100" and a gap
  const Heat heat = heat_of(view, kColumns, kMostStrips);
  constexpr double kCell = kPlotWidth / static_cast<double>(kColumns);
  constexpr double kTall = 18;
  std::string out = "<svg class=\"heat\" role=\"img\" viewBox=\"0 0 1120 ";
  append_coordinate(out, static_cast<double>(heat.hosts.size()) * kTall);
  out += "\" aria-label=\"How much of each host's threads was held, in per cent\">";
  const auto place = [&](double x, double y) {
    out += " x=\"";
    append_coordinate(out, x);
    out += "\" y=\"";
    append_coordinate(out, y);
    out += '"';
  };
  for (std::size_t host = 0; host < heat.hosts.size(); ++host) {
    const double top = static_cast<double>(host) * kTall;
    out += "<text class=\"hostname\"";
    place(0, top + 13);
    out += ">" + html(shortened(heat.hosts[host], kNameCharacters)) + "</text>";
    double sum = 0;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const double share = heat.shares[host][i];
      sum += share;
      const auto shade = static_cast<int>(std::lround(share * 6));
      out += "<rect class=\"h" + std::to_string(shade) + "\"";
      place(kGutter + static_cast<double>(i) * kCell, top + 1);
      out += " width=\"" + decimals(kCell - 0.5, 1) + "\" height=\"16\"/><text class=\"heat" +
             std::string(shade > 3 ? "high" : "low") + "\"";
      place(kGutter + (static_cast<double>(i) + 0.5) * kCell - 0.2, top + 13);
      out += ">" + std::to_string(std::lround(share * 100)) + "</text>";
    }
    out += "<text class=\"tick\"";
    place(kGanttWidth - kEndGutter + 8, top + 13);
    out +=
        ">" + decimals(100 * sum / static_cast<double>(kColumns), 0) + std::string(kThinSpace) + "%</text>";
  }
  return out + "</svg>";
}

}  // namespace duet::sim::report
