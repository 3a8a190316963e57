#include "sim/report/page_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "sim/decimal.h"
#include "sim/diagnostics.h"

namespace duet::sim::report {

namespace {

/// One line.
void append_html(std::string& out, std::string_view text) {
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  for (std::size_t line = 0; (line = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(line + 1)) {
    append_html(out, text.substr(0, line));
    out += '\n';
  }
  append_html(out, text);
  return out;
}

std::string decimals(double value, int count) {
  if (!std::isfinite(value)) return std::isnan(value) ? "none" : value < 0 ? "\u2212\u221e" : "\u221e";
  std::array<char, 400> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::abs(value),
                                 std::chars_format::fixed, count);
  const std::string_view text(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
  const std::size_t whole = std::min(text.find('.'), text.size());
  std::string out;
  if (value < 0 && text.find_first_not_of("0.") != std::string_view::npos) out = kMinus;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += kThinSpace;
    out += text[i];
  }
  return out += text.substr(whole);
}

std::string figures(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size == std::floor(size) && size < 1e15) return decimals(value, 0);
  if (size >= 99.95 || !std::isfinite(size)) return decimals(value, 0);
  if (size >= 9.995) return decimals(value, 1);
  if (size >= 0.9995) return decimals(value, 2);
  if (size < 1e-9) return decimals(0, 0);
  int count = 3;
  for (double scaled = size; scaled < 0.09995; scaled *= 10) ++count;
  return decimals(value, count);
}

std::string tick_text(double value) {
  std::string text = figures(value);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string signed_figures(double value) { return (value > 0 ? "+" : "") + figures(value); }

std::string shortened(const std::string& name, std::size_t characters) {
  const std::string shown = printable(name);
  if (width(shown) <= characters) return shown;
  std::size_t end = 0;
  for (std::size_t count = 0; count < characters; ++end)
    count += (static_cast<unsigned char>(shown[end]) & 0xc0) != 0x80;
  return shown.substr(0, end - 1) + "\u2026";
}

std::string percent_text(double share) {
  const double value = share * 100;
  return decimals(value, std::abs(value - std::round(value)) < 0.05 ? 0 : 1) + std::string(kThinSpace) + "%";
}

void append_coordinate(std::string& out, double value) {
  const auto tenths = static_cast<std::int64_t>(std::llround(value * 10));
  if (tenths < 0) out += '-';
  const std::int64_t size = std::abs(tenths);
  out += std::to_string(size / 10);
  if (size % 10 != 0) {
    out += '.';
    out += static_cast<char>('0' + size % 10);
  }
}

Quantity quantity_of(std::string_view metric) {
  Quantity quantity;
  if (metric == "utilization" || metric.starts_with("utilization_")) {
    quantity.label = "utilisation" + std::string(metric.substr(11));
    quantity.unit = "%";
    quantity.factor = 100;
  } else if (metric.ends_with("_core_s")) {
    quantity.label = metric.substr(0, metric.size() - 7);
    quantity.unit = "core s";
  } else if (metric.ends_with("_s")) {
    quantity.label = metric.substr(0, metric.size() - 2);
    quantity.unit = "s";
  } else if (metric.ends_with("_j")) {
    quantity.label = metric.substr(0, metric.size() - 2);
    quantity.unit = "J";
  } else {
    quantity.label = metric;
  }
  for (char& c : quantity.label)
    if (c == '_') c = ' ';
  return quantity;
}

std::string heading(const Quantity& quantity) {
  return quantity.unit.empty() ? quantity.label : quantity.label + ", " + quantity.unit;
}

TimeUnit time_unit(std::int64_t span_ns) {
  const double seconds = static_cast<double>(span_ns) / 1e9;
  if (seconds > 3 * 86400.0) return {"d", 86400e9};
  if (seconds > 3 * 3600.0) return {"h", 3600e9};
  if (seconds > 600) return {"min", 60e9};
  return {"s", 1e9};
}

std::string seconds_shown(std::int64_t ns) {
  std::string out;
  append_seconds(out, ns);
  return out + " s";
}

}  // namespace duet::sim::report
