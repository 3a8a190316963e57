#include "sim/compare/bench_results.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "sim/compare/compare.h"
#include "sim/compare/statistics.h"
#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/json_write.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

constexpr std::uint64_t kMostBenchText = 256 << 20;
constexpr double kLeastFloor = 0.02;
constexpr double kLargeEffect = 0.474;
constexpr std::size_t kFewestRepetitions = 4;

std::optional<double> number_in(const JsonValue& object, std::string_view name) {
  const JsonValue value = object.member(name);
  return value.is(JsonType::kNumber) ? std::optional(value.number()) : std::nullopt;
}

std::string text_in(const JsonValue& object, std::string_view name) {
  const JsonValue value = object.member(name);
  return value.is(JsonType::kString) ? value.string() : std::string();
}

double ns_of_unit(const std::string& unit) {
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  return unit == "s" ? 1e9 : 1;
}

/// A benchmark's name, and which of its times counts. The library adds how the time was taken.
struct BenchName {
  std::string name;
  std::string_view time = "cpu_time";
};
BenchName bench_name(std::string name) {
  BenchName out{std::move(name)};
  const auto cut = [&](std::string_view suffix) {
    const std::size_t at = out.name.rfind(suffix);
    if (at == std::string::npos || at + suffix.size() != out.name.size()) return false;
    out.name.resize(at);
    return true;
  };
  // Whoever measures by himself has his time under "real".
  if (cut("/manual_time") || cut("/real_time")) out.time = "real_time";
  cut("/iterations:1");
  return out;
}

/// What one entry measured, in nanoseconds.
std::optional<double> measured_ns(const JsonValue& entry, std::string_view time_name) {
  if (const auto rate = number_in(entry, "items_per_second"); rate && *rate > 0) return 1e9 / *rate;
  const auto time = number_in(entry, time_name);
  if (!time) return std::nullopt;
  return *time * ns_of_unit(text_in(entry, "time_unit"));
}

/// What a file says of one benchmark.
struct Entries {
  std::vector<double> ns;
  std::optional<double> median;
  std::optional<double> cv;
  double floor = 0;
};

class BenchReader {
 public:
  explicit BenchReader(const JsonDoc& doc) : doc_(doc) {}

  void read(const JsonValue& entry) {
    const std::string run_name = text_in(entry, "run_name");
    const auto [name, time] = bench_name(run_name.empty() ? text_in(entry, "name") : run_name);
    if (name.empty()) return complain(entry, "an entry has no name");
    if (const JsonValue failed = entry.member("error_occurred"); failed && failed.boolean())
      return complain(entry, backquoted(name) + " failed: " + text_in(entry, "error_message"));
    if (!entries_.contains(name)) order_.push_back(name);
    Entries& known = entries_[name];
    known.floor = std::max(known.floor, number_in(entry, "noise_floor").value_or(0));
    const std::string aggregate = text_in(entry, "aggregate_name");
    const auto ns = measured_ns(entry, time);
    const bool counts = aggregate.empty() || aggregate == "median";  // A spread may be 0.
    if (counts && (!ns || !std::isfinite(*ns) || *ns <= 0))
      return complain(entry, backquoted(name) + " has no time");
    if (aggregate.empty()) known.ns.push_back(*ns);
    if (aggregate == "median") known.median = *ns;
    // A rate's spread, as a share, is that of its time.
    if (aggregate == "cv") known.cv = number_in(entry, time);
  }

  Result<std::vector<BenchSamples>> finish(const std::string& path) {
    std::vector<BenchSamples> samples;
    for (const std::string& name : order_) {
      const Entries& e = entries_.at(name);
      BenchSamples one{name, e.ns, 0, e.floor};
      if (one.ns.empty() && e.median) {
        one.ns = {*e.median};
        one.spread = e.cv.value_or(0);
      } else if (!one.ns.empty()) {
        one.spread = spread_of(one.ns) / median_of(one.ns);
      }
      if (!one.ns.empty()) samples.push_back(std::move(one));
    }
    if (!problems_.empty()) return std::move(problems_);
    if (samples.empty())
      return Problem{path, "there is no benchmark in it",
                     "what a benchmark prints with --benchmark_format=json"};
    return samples;
  }

 private:
  void complain(const JsonValue& entry, std::string what) {
    const JsonDoc::Spot spot = doc_.locate(entry.place());
    problems_.push_back({spot.source + ':' + std::to_string(spot.line), std::move(what), ""});
  }

  const JsonDoc& doc_;
  std::map<std::string, Entries> entries_;
  std::vector<std::string> order_;
  Problems problems_;
};

std::string nanoseconds(double ns) { return figure(ns); }

}  // namespace

Result<std::vector<BenchSamples>> read_bench(const std::string& path) {
  auto text = read_text(path, kMostBenchText);
  if (!text) return text.problems();
  return parse_bench(std::move(*text), path);
}

Result<std::vector<BenchSamples>> parse_bench(std::string text, const std::string& path) {
  Mistakes mistakes;
  const JsonDoc doc(path, std::move(text), mistakes);
  if (!doc.root()) return to_problems(doc, mistakes);
  const JsonValue list = doc.root().member("benchmarks");
  if (!list.is(JsonType::kArray))
    return Problem{path, "this is no file of Google Benchmark",
                   "what a benchmark writes with --benchmark_out=FILE --benchmark_out_format=json"};
  BenchReader reader(doc);
  for (JsonValue entry = list.first_child(); entry; entry = entry.next_sibling()) reader.read(entry);
  return reader.finish(path);
}

std::vector<DecisionCost> decision_costs(const std::vector<BenchSamples>& samples) {
  std::vector<DecisionCost> costs;
  for (const BenchSamples& one : samples) {
    constexpr std::string_view kPrefix = "decision/";
    if (!one.name.starts_with(kPrefix)) continue;
    const std::string_view rest = std::string_view(one.name).substr(kPrefix.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) continue;
    DecisionCost cost{std::string(rest.substr(0, slash)), 0, median_of(one.ns), one.spread};
    const std::string_view nodes = rest.substr(slash + 1);
    const auto [end, error] = std::from_chars(nodes.data(), nodes.data() + nodes.size(), cost.nodes);
    const bool whole = end == nodes.data() + nodes.size() || *end == '/';
    if (error == std::errc{} && whole) costs.push_back(std::move(cost));
  }
  std::sort(costs.begin(), costs.end(), [](const DecisionCost& a, const DecisionCost& b) {
    return std::tie(a.policy, a.nodes) < std::tie(b.policy, b.nodes);
  });
  return costs;
}

std::vector<BenchMovement> compare_bench(const std::vector<BenchSamples>& after,
                                         const std::vector<BenchSamples>& before) {
  std::vector<BenchMovement> movements;
  for (const BenchSamples& now : after) {
    const auto found =
        std::find_if(before.begin(), before.end(), [&](const BenchSamples& b) { return b.name == now.name; });
    if (found == before.end()) continue;
    const RankTest test = mann_whitney(now.ns, found->ns);
    BenchMovement m{now.name, median_of(found->ns), median_of(now.ns)};
    m.change = (m.after - m.before) / m.before;
    m.floor = std::max({kLeastFloor, 2 * now.spread, 2 * found->spread, now.floor, found->floor});
    m.probability = test.probability;
    m.cliffs_delta = test.cliffs_delta();
    const bool few = std::min(now.ns.size(), found->ns.size()) < kFewestRepetitions;
    if (few && found->floor > 0 && std::abs(m.change) > m.floor)
      m.standing = m.change > 0 ? Standing::kWorse : Standing::kBetter;
    else if (few)
      m.standing = std::abs(m.change) > m.floor ? Standing::kUnknown : Standing::kTie;
    else if (m.probability < 0.05 && std::abs(m.cliffs_delta) >= kLargeEffect && std::abs(m.change) > m.floor)
      m.standing = m.change > 0 ? Standing::kWorse : Standing::kBetter;
    movements.push_back(std::move(m));
  }
  return movements;
}

Table bench_table(const std::vector<BenchMovement>& movements, Format format) {
  const bool people = format == Format::kTable;
  Table table{
      {"benchmark", "before_ns", "after_ns", "change", "noise_floor", "p", "cliffs_delta", "standing"}, {}};
  const auto number = [&](double value) {
    return Cell::plain(people ? nanoseconds(value) : number_text(value));
  };
  const auto share = [&](double value, bool sign) {
    return Cell::plain(people ? percent(value, sign) : number_text(value));
  };
  for (const BenchMovement& m : movements)
    table.rows.push_back(
        {m.name, number(m.before), number(m.after), share(m.change, true), share(m.floor, false),
         number(m.probability), number(m.cliffs_delta),
         people && m.standing == Standing::kUnknown ? "too few repetitions" : name_of(m.standing)});
  return table;
}

Table bench_table(const std::vector<BenchSamples>& samples) {
  Table table{{"benchmark", "repetitions", "median_ns", "spread"}, {}};
  for (const BenchSamples& one : samples)
    table.rows.push_back({one.name, std::uint64_t{one.ns.size()}, Cell::plain(nanoseconds(median_of(one.ns))),
                          Cell::plain(figure(one.spread))});
  return table;
}

}  // namespace duet::sim
