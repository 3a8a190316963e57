// Charts drawn as SVG: one panel is a pair of axes and what is drawn between them. Colours are classes, which
// the page's style sheet fills.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/report/run_view.h"

namespace duet::sim::report {

using Points = std::vector<std::pair<double, double>>;

struct Axis {
  double from = 0;
  double to = 1;
  std::string label;         ///< With its unit.
  bool logarithmic = false;  ///< `from` is above 0 then.
  int most_ticks = 6;
};

/// 1, 2 or 5 times a power of ten apart, so many at most, within [from, to]; powers of ten if logarithmic.
std::vector<double> ticks(const Axis& axis);

/// The smallest round number that is not below: so that an axis ends at a tick.
double round_up(double value);

class Panel {
 public:
  /// `says` is the conclusion, for those who do not see the drawing.
  Panel(double width, double height, Axis x, Axis y, std::string_view says);

  /// A line with one of the classes base, s1, s2, s3, limit.
  void line(const Points& points, std::string_view style);
  /// The same filled down to the axis.
  void area(const Points& points, std::string_view style);
  void dot(double x, double y, std::string_view style, const std::string& title);
  /// A vertical or horizontal line through the panel.
  void rule(double x, std::string_view style);
  /// An interval around y, as a bar with ends.
  void interval(double from, double to, double y, std::string_view style);
  /// Text at a place, to its right.
  void label(double x, double y, const std::string& text, std::string_view style);
  std::string finish();

 private:
  double px(double x) const;
  double py(double y) const;
  std::string path(const Points& points) const;
  void axes();

  double width_, height_;
  Axis x_, y_;
  std::string out_;
};

/// Steps as a polyline of at most about `most` corners between two instants, x in `unit_ns`: exact if there
/// are few, else the mean (or the largest) of each of equal parts.
Points sampled(const Steps& steps, std::int64_t from_ns, std::int64_t to_ns, double unit_ns, std::size_t most,
               bool largest);

/// The mean of the steps over [from, to).
double mean_of(const Steps& steps, std::int64_t from_ns, std::int64_t to_ns);
double largest_of(const Steps& steps);

}  // namespace duet::sim::report
