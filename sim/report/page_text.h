// Text for the page: names made harmless, numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace duet::sim::report {

/// Any text as HTML text or the value of an attribute in double quotes.
std::string html(std::string_view text);

/// At most so many characters of a name, the last of them an ellipsis if there were more.
std::string shortened(const std::string& name, std::size_t characters);

/// Three significant digits, whole from 100 on, a true minus, thin spaces between thousands: "−1 234",
/// "0.0456".
std::string figures(double value);
/// The same with a plus before what is above 0.
std::string signed_figures(double value);
/// A tick of an axis: figures() without zeros at the end.
std::string tick_text(double value);
/// With exactly so many decimals, and so on.
std::string decimals(double value, int count);

/// A share as per cent, with a decimal only if it needs one: 0.95 is "95 %", 0.975 is "97.5 %".
std::string percent_text(double share);

/// A coordinate with at most one decimal: "12", "12.5".
void append_coordinate(std::string& out, double value);

/// How a metric is shown: mean_wait_s is "mean wait" in "s".
struct Quantity {
  std::string label;
  std::string unit;  ///< Empty: a count.
  double factor = 1;
};
Quantity quantity_of(std::string_view metric);
/// "mean wait, s"
std::string heading(const Quantity& quantity);

/// The unit in which a span of time is best read.
struct TimeUnit {
  std::string_view name;  ///< s, min, h, d
  double ns = 1e9;
};
TimeUnit time_unit(std::int64_t span_ns);

/// "12.3 s", for a tooltip.
std::string seconds_shown(std::int64_t ns);

inline constexpr std::string_view kThinSpace = "\u2009";
inline constexpr std::string_view kMinus = "\u2212";

}  // namespace duet::sim::report
