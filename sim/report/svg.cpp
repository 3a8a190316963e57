#include "sim/report/svg.h"

#include <algorithm>
#include <cmath>

#include "sim/report/page_text.h"

namespace duet::sim::report {
namespace {

constexpr double kLeft = 54;
constexpr double kRight = 14;
constexpr double kTop = 8;
constexpr double kBottom = 36;

void attribute(std::string& out, std::string_view name, double value) {
  out += ' ';
  out += name;
  out += "=\"";
  append_coordinate(out, value);
  out += '"';
}

void text_at(std::string& out, double x, double y, std::string_view style, std::string_view text) {
  out += "<text";
  attribute(out, "x", x);
  attribute(out, "y", y);
  out += " class=\"" + std::string(style) + "\">" + html(text) + "</text>";
}

void line_at(std::string& out, double x1, double y1, double x2, double y2, std::string_view style) {
  out += "<line";
  attribute(out, "x1", x1);
  attribute(out, "y1", y1);
  attribute(out, "x2", x2);
  attribute(out, "y2", y2);
  out += " class=\"" + std::string(style) + "\"/>";
}

}  // namespace

double round_up(double value) {
  if (!(value > 1e-300 && value < 1e302)) return 1;
  double step = 1;
  while (step > value) step /= 10;
  while (step * 10 <= value) step *= 10;
  for (const double times : {1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0})
    if (step * times >= value * (1 - 1e-12)) return step * times;
  return step * 10;
}

std::vector<double> ticks(const Axis& axis) {
  std::vector<double> out;
  if (!(axis.to > axis.from)) return {axis.from};
  if (axis.logarithmic) {
    double power = 1;
    while (power > axis.from * (1 + 1e-9)) power /= 10;
    while (power < axis.from * (1 - 1e-9)) power *= 10;
    double step = 10;
    while (std::log10(axis.to / power) / std::log10(step) > axis.most_ticks - 1) step *= 10;
    for (; power <= axis.to * (1 + 1e-9); power *= step) out.push_back(power);
    return out;
  }
  double step = 1;
  const double span = axis.to - axis.from;
  while (step > span) step /= 10;
  while (step * 10 < span) step *= 10;
  step /= 10;
  for (const double times : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0}) {
    if (span / (step * times) + 1 > axis.most_ticks + 1e-9) continue;
    step *= times;
    break;
  }
  const double first = std::ceil(axis.from / step - 1e-9);
  for (double i = first; i * step <= axis.to + step * 1e-9; ++i) out.push_back(i == 0 ? 0 : i * step);
  return out;
}

Panel::Panel(double width, double height, Axis x, Axis y, std::string_view says)
    : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)) {
  out_ = "<svg class=\"panel\" role=\"img\" viewBox=\"0 0 ";
  append_coordinate(out_, width);
  out_ += ' ';
  append_coordinate(out_, height);
  out_ += "\" aria-label=\"" + html(says) + "\">";
  axes();
}

double Panel::px(double x) const {
  const double share = x_.logarithmic
                           ? std::log10(std::max(x, x_.from) / x_.from) / std::log10(x_.to / x_.from)
                           : (x - x_.from) / (x_.to - x_.from);
  return kLeft + std::clamp(share, 0.0, 1.0) * (width_ - kLeft - kRight);
}

double Panel::py(double y) const {
  const double share = (y - y_.from) / (y_.to - y_.from);
  return height_ - kBottom - std::clamp(share, 0.0, 1.0) * (height_ - kTop - kBottom);
}

void Panel::axes() {
  const double bottom = height_ - kBottom;
  const auto ys = ticks(y_);
  for (const double y : ys) {
    if (y_.label.empty()) break;
    line_at(out_, kLeft, py(y), width_ - kRight, py(y), y == 0 ? "axis" : "grid");
    text_at(out_, kLeft - 6, py(y) + 4, "tick end", tick_text(y));
  }
  const auto xs = ticks(x_);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    line_at(out_, px(xs[i]), bottom, px(xs[i]), bottom + 4, "axis");
    const bool at_edge = px(xs[i]) > width_ - kRight - 8;
    text_at(out_, px(xs[i]) + (at_edge ? kRight - 2 : 0), bottom + 16, at_edge ? "tick end" : "tick mid",
            tick_text(xs[i]));
  }
  line_at(out_, kLeft, bottom, width_ - kRight, bottom, "axis");
  text_at(out_, kLeft, height_ - 6, "name", x_.label);
}

std::string Panel::path(const Points& points) const {
  std::string out = "M";
  for (const auto& [x, y] : points) {
    if (out.size() > 1) out += 'L';
    append_coordinate(out, px(x));
    out += ' ';
    append_coordinate(out, py(y));
  }
  return out;
}

void Panel::line(const Points& points, std::string_view style) {
  if (points.size() < 2) return;
  out_ += "<path class=\"line " + std::string(style) + "\" d=\"" + path(points) + "\"/>";
}

void Panel::area(const Points& points, std::string_view style) {
  if (points.size() < 2) return;
  Points closed = points;
  closed.emplace_back(points.back().first, y_.from);
  closed.emplace_back(points.front().first, y_.from);
  out_ += "<path class=\"area " + std::string(style) + "\" d=\"" + path(closed) + "Z\"/>";
}

void Panel::dot(double x, double y, std::string_view style, const std::string& title) {
  out_ += "<circle";
  attribute(out_, "cx", px(x));
  attribute(out_, "cy", py(y));
  out_ += " r=\"3.5\" class=\"dot " + std::string(style) + "\"><title>" + html(title) + "</title></circle>";
}

void Panel::rule(double x, std::string_view style) {
  line_at(out_, px(x), kTop, px(x), height_ - kBottom, style);
}

void Panel::interval(double from, double to, double y, std::string_view style) {
  const std::string classes = "interval " + std::string(style);
  line_at(out_, px(from), py(y), px(to), py(y), classes);
  for (const double end : {from, to}) line_at(out_, px(end), py(y) - 5, px(end), py(y) + 5, classes);
}

void Panel::label(double x, double y, const std::string& text, std::string_view style) {
  text_at(out_, px(x) + 6, py(y) - 5, style, text);
}

std::string Panel::finish() { return std::move(out_) + "</svg>"; }

double mean_of(const Steps& steps, std::int64_t from_ns, std::int64_t to_ns) {
  if (steps.empty() || to_ns <= from_ns) return 0;
  auto at = std::upper_bound(steps.begin(), steps.end(), from_ns,
                             [](std::int64_t t, const auto& step) { return t < step.first; });
  double value = at == steps.begin() ? 0 : std::prev(at)->second;
  double sum = 0;
  std::int64_t since = from_ns;
  for (; at != steps.end() && at->first < to_ns; ++at) {
    sum += value * static_cast<double>(at->first - since);
    since = at->first;
    value = at->second;
  }
  sum += value * static_cast<double>(to_ns - since);
  return sum / static_cast<double>(to_ns - from_ns);
}

double largest_of(const Steps& steps) {
  double largest = 0;
  for (const auto& [at, value] : steps) largest = std::max(largest, value);
  return largest;
}

Points sampled(const Steps& steps, std::int64_t from_ns, std::int64_t to_ns, double unit_ns, std::size_t most,
               bool largest) {
  Points out;
  if (steps.empty() || to_ns <= from_ns) return out;
  const auto x = [&](std::int64_t at) { return static_cast<double>(at) / unit_ns; };
  if (steps.size() <= most) {
    for (const auto& [at, value] : steps) {
      if (at > to_ns) break;
      if (!out.empty()) out.emplace_back(x(at), out.back().second);
      out.emplace_back(x(at), value);
    }
    if (!out.empty()) out.emplace_back(x(to_ns), out.back().second);
    return out;
  }
  std::size_t next = 0;
  double value = 0;
  const double part = static_cast<double>(to_ns - from_ns) / static_cast<double>(most);
  for (std::size_t i = 0; i < most; ++i) {
    const auto begin = from_ns + static_cast<std::int64_t>(part * static_cast<double>(i));
    const auto end =
        std::max(begin + 1, from_ns + static_cast<std::int64_t>(part * static_cast<double>(i + 1)));
    double peak = value;
    for (; next < steps.size() && steps[next].first < end; ++next) {
      value = steps[next].second;
      peak = std::max(peak, value);
    }
    const double shown = largest ? peak : mean_of(steps, begin, end);
    out.emplace_back(x(begin), shown);
    out.emplace_back(x(end), shown);
  }
  return out;
}

}  // namespace duet::sim::report
