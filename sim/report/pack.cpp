#include "sim/report/pack.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/codec/hash.h"
#include "core/codec/json_text.h"
#include "sim/diagnostics.h"
#include "sim/report/gantt.h"
#include "sim/report/page_parts.h"
#include "sim/report/svg.h"

namespace duet::sim::report {
namespace {

/// Of all runs together: what a page of two megabytes holds.
constexpr std::size_t kMostBars = 120'000;
constexpr std::size_t kMostSteps = 2000;
constexpr std::uint64_t kMerged = 3;  ///< In the place of a BarKind.

/// "build-12" is "build-" and 12; nothing if it does not end with a number that is written so.
struct NumberedName {
  std::string_view prefix;
  std::uint64_t number = 0;
};

std::optional<NumberedName> numbered(std::string_view name) {
  std::size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  if (digits == name.size() || name.size() - digits > 15) return std::nullopt;
  if (name[digits] == '0' && name.size() - digits > 1) return std::nullopt;
  NumberedName out{name.substr(0, digits), 0};
  for (const char digit : name.substr(digits))
    out.number = out.number * 10 + static_cast<unsigned>(digit - '0');
  return out;
}

std::uint64_t flags_of(std::uint64_t end, std::uint64_t kind, bool task, bool attempt) {
  return end + 8 * kind + 32 * std::uint64_t{task} + 64 * std::uint64_t{attempt};
}

void pack_lanes(Packer& packer, const std::vector<LaneRange>& lanes) {
  packer.number(lanes.size());
  std::uint32_t from = 0;
  for (const LaneRange& range : lanes) {
    packer.number(range.first - from);
    packer.number(range.count);
    from = range.first + range.count;
  }
}

/// Bars of one lane and one way to end that lie so close together that nobody could tell them apart.
struct Merged {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::uint32_t lane = 0;
  std::uint8_t how = 0;
  std::uint64_t count = 0;
};

std::vector<Merged> merge(const RunView& view, std::int64_t gap_ns) {
  std::vector<Merged> out;
  std::map<std::pair<std::uint32_t, std::uint8_t>, std::size_t> last;
  for (const Bar& bar : view.bars) {
    const auto how = static_cast<std::uint8_t>(bar.end);
    for (const LaneRange& range : bar.lanes) {
      for (std::uint32_t lane = range.first; lane < range.first + range.count; ++lane) {
        const auto [known, fresh] = last.try_emplace({lane, how}, out.size());
        if (!fresh && bar.start_ns - out[known->second].end <= gap_ns) {
          Merged& one = out[known->second];
          one.end = std::max(one.end, bar.end_ns);
          ++one.count;
          continue;
        }
        known->second = out.size();
        out.push_back({bar.start_ns, bar.end_ns, lane, how, 1});
      }
    }
  }
  return out;
}

PackedBars pack_merged(const RunView& view, std::int64_t unit_ns, std::size_t most) {
  std::int64_t gap = std::max<std::int64_t>(1, shown_until(view) / 20'000);
  std::vector<Merged> merged = merge(view, gap);
  while (merged.size() > most && gap < shown_until(view)) {
    gap += std::min(gap, shown_until(view) - gap);
    merged = merge(view, gap);
  }
  PackedBars out{merged.size(), true, {}};
  Packer packer;
  std::int64_t before = 0;
  for (const Merged& one : merged) {
    const std::int64_t start = one.start / unit_ns;
    packer.number(static_cast<std::uint64_t>(start - before));
    packer.number(static_cast<std::uint64_t>(one.end / unit_ns - start));
    packer.number(flags_of(one.how, kMerged, false, false));
    packer.number(one.count);
    pack_lanes(packer, {{one.lane, 1}});
    before = start;
  }
  out.text = packer.base64();
  return out;
}

void text_member(std::string& out, bool& first, std::string_view key, std::string_view value) {
  codec::append_key(out, first, key);
  codec::append_string(out, value);
}

void append_run(std::string& out, const RunView& view, std::size_t most_bars) {
  const std::int64_t until = shown_until(view);
  const std::int64_t unit = packing_unit(until, view.bars.size());
  const PackedBars bars = packed_bars(view, unit, most_bars);
  bool first = true;
  out += '{';
  text_member(out, first, "name", view.name);
  text_member(out, first, "unit", std::to_string(unit));
  text_member(out, first, "until", std::to_string(until / unit));
  text_member(out, first, "count", std::to_string(bars.count));
  text_member(out, first, "bars", bars.text);
  text_member(out, first, "jobs", bars.merged ? std::string() : packed_names(view.jobs));
  std::vector<std::uint32_t> lanes(view.nodes.size());
  for (const Lane& lane : view.lanes) ++lanes[lane.node];
  codec::append_key(out, first, "nodes");
  out += '[';
  for (std::size_t node = 0; node < view.nodes.size(); ++node) {
    out += node == 0 ? "[" : ",[";
    codec::append_string(out, view.nodes[node].name);
    out += ',' + std::to_string(lanes[node]) + ']';
  }
  out += ']';
  codec::append_key(out, first, "lanes");
  out += '[';
  for (std::size_t lane = 0; lane < view.lanes.size(); ++lane) {
    if (lane > 0) out += ',';
    codec::append_string(out, view.lanes[lane].label);
  }
  out += ']';
  text_member(out, first, "capacity", packed_steps(view.capacity, until, unit, false));
  text_member(out, first, "allocated", packed_steps(view.allocated, until, unit, false));
  text_member(out, first, "used", packed_steps(view.used, until, unit, false));
  text_member(out, first, "waiting", packed_steps(view.waiting, until, unit, true));
  text_member(out, first, "nodesUp", packed_steps(view.nodes_up, until, unit, false));
  out += '}';
}

}  // namespace

void Packer::number(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_ += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes_ += static_cast<char>(value);
}

void Packer::difference(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  number(bits << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void Packer::text(std::string_view bytes) { bytes_ += bytes; }

std::span<const std::uint8_t> Packer::bytes() const { return codec::as_bytes(bytes_); }

std::string Packer::base64() const { return base64_of(bytes()); }

std::string base64_of(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = std::uint32_t{bytes[i]} << 16;
    if (i + 1 < bytes.size()) three |= std::uint32_t{bytes[i + 1]} << 8;
    if (i + 2 < bytes.size()) three |= bytes[i + 2];
    out += kDigits[three >> 18];
    out += kDigits[three >> 12 & 63];
    out += i + 1 < bytes.size() ? kDigits[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kDigits[three & 63] : '=';
  }
  return out;
}

std::string packed_names(const std::vector<std::string>& names) {
  Packer packer;
  std::string prefix;
  std::uint64_t number = 0;
  bool counting = false;
  for (const std::string& name : names) {
    const auto parts = numbered(name);
    if (parts && counting && parts->prefix == prefix && parts->number == number + 1) {
      packer.number(0);
      ++number;
      continue;
    }
    const std::string shown = printable(name);  // What JSON could not say would not come through.
    packer.number(shown.size() + 1);
    packer.text(shown);
    counting = parts.has_value();
    if (!parts) continue;
    prefix = parts->prefix;
    number = parts->number;
  }
  return packer.base64();
}

std::string packed_steps(const Steps& steps, std::int64_t until_ns, std::int64_t unit_ns, bool largest) {
  if (steps.empty()) return {};
  Packer packer;
  std::int64_t before = 0;
  std::int64_t value_before = 0;
  // Of each corner the point that it leads to; sampled() gives both ends of every level.
  const Points points = sampled(steps, 0, until_ns, static_cast<double>(unit_ns), kMostSteps, largest);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0 && i + 1 < points.size() && points[i].second == points[i - 1].second) continue;
    const auto at = static_cast<std::int64_t>(std::llround(points[i].first));
    const auto value = static_cast<std::int64_t>(std::llround(points[i].second * 10));
    packer.number(static_cast<std::uint64_t>(std::max<std::int64_t>(0, at - before)));
    packer.difference(value - value_before);
    before = std::max(at, before);
    value_before = value;
  }
  return packer.base64();
}

std::int64_t packing_unit(std::int64_t until_ns, std::size_t bars) {
  const std::int64_t most = bars <= 20'000 ? 9'000'000'000'000'000 : 20'000'000;
  std::int64_t unit = 1;
  while (until_ns / unit > most) unit *= 10;
  return unit;
}

PackedBars packed_bars(const RunView& view, std::int64_t unit_ns, std::size_t most) {
  if (view.bars.size() > most) return pack_merged(view, unit_ns, most);
  PackedBars out{view.bars.size(), false, {}};
  Packer packer;
  std::int64_t before = 0;
  std::uint32_t job = 0;
  for (const Bar& bar : view.bars) {
    const std::int64_t start = bar.start_ns / unit_ns;
    packer.number(static_cast<std::uint64_t>(start - before));
    packer.number(static_cast<std::uint64_t>(bar.end_ns / unit_ns - start));
    packer.number(flags_of(static_cast<std::uint64_t>(bar.end), static_cast<std::uint64_t>(bar.kind),
                           bar.task > 0, bar.attempt > 1));
    packer.difference(std::int64_t{bar.job} - std::int64_t{job});
    if (bar.task > 0) packer.number(bar.task);
    if (bar.attempt > 1) packer.number(bar.attempt);
    pack_lanes(packer, bar.lanes);
    before = start;
    job = bar.job;
  }
  out.text = packer.base64();
  return out;
}

std::string page_data(const std::vector<RunView>& views) {
  std::string json = "{\"runs\":[";
  const std::size_t most = kMostBars / std::max<std::size_t>(1, views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (i > 0) json += ',';
    append_run(json, views[i], most);
  }
  json += "]}";
  std::string out;
  for (const char c : json) {  // Nothing in it may end the element.
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

}  // namespace duet::sim::report
