#include "sim/compare/comparison_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <tuple>

#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostText = std::uint64_t{2} << 30;
/// Scenarios times variants.
constexpr std::size_t kMostPlaces = 1'000'000;
/// Of metrics; there are not half as many.
constexpr std::size_t kMostMetrics = 256;
/// Beyond this a value is no measurement, and axes have no scale.
constexpr double kLargest = 1e300;

class ComparisonWriter {
 public:
  ComparisonWriter(const Comparison& comparison, const TextSink& sink) : c_(comparison), json_(sink) {}

  void write() {
    json_.object();
    integer("format", kComparisonFormat);
    text("title", c_.title);
    text("version", c_.version);
    text("command", c_.command);
    text("engine", c_.engine);
    texts("scenarios", c_.scenarios);
    texts("scenario_files", c_.scenario_files);
    write_variants();
    integer("baseline", c_.baseline);
    json_.key("seeds");
    json_.array(true);
    for (const std::uint64_t seed : c_.seeds) json_.raw(std::to_string(seed));
    json_.close();
    text("objective", c_.objective);
    texts("metrics", c_.metrics);
    texts("shown", c_.shown);
    number("confidence", c_.confidence);
    texts("verdicts", c_.verdicts);
    texts("notices", c_.notices);
    write_runs();
    write_cells();
    write_costs();
    json_.close();
    json_.finish();
  }

 private:
  void text(std::string_view key, std::string_view value) {
    json_.key(key);
    json_.string(value);
  }
  void number(std::string_view key, double value) {
    json_.key(key);
    if (std::isfinite(value))
      json_.number(value);
    else
      json_.raw("null");
  }
  void integer(std::string_view key, std::uint64_t value) {
    json_.key(key);
    json_.raw(std::to_string(value));
  }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    json_.key(key);
    json_.array();
    for (const std::string& value : values) json_.string(value);
    json_.close();
  }
  void write_variants() {
    json_.key("variants");
    json_.array();
    for (const Variant& variant : c_.variants) {
      json_.object(true);
      text("name", variant.name);
      json_.key("settings");
      json_.array();
      for (const Setting& setting : variant.settings) {
        json_.object();
        text("pointer", setting.pointer);
        text("value", setting.value);
        json_.close();
      }
      json_.close();
      json_.close();
    }
    json_.close();
  }
  void write_runs() {
    json_.key("runs");
    json_.array();
    for (const ComparedRun& run : c_.runs) {
      json_.object(true);
      integer("scenario", run.scenario);
      integer("variant", run.variant);
      integer("seed", run.seed);
      text("ended", run.ended);
      text("digest", run.digest);
      text("folder", run.folder);
      if (!run.failures.empty()) texts("failures", run.failures);
      json_.key("metrics");
      json_.object();
      for (const auto& [name, value] : run.metrics) number(name, value);
      json_.close();
      json_.close();
    }
    json_.close();
  }
  void write_cells() {
    json_.key("cells");
    json_.array();
    for (const ComparedCell& cell : c_.cells) {
      json_.object(true);
      text("metric", cell.metric);
      integer("scenario", cell.scenario);
      integer("variant", cell.variant);
      integer("runs", cell.runs);
      number("mean", cell.mean);
      number("least", cell.least);
      number("most", cell.most);
      integer("pairs", cell.pairs);
      number("difference", cell.difference);
      if (cell.low) number("low", *cell.low);
      if (cell.high) number("high", *cell.high);
      if (cell.relative) number("relative", *cell.relative);
      text("standing", name_of(cell.standing));
      json_.close();
    }
    json_.close();
  }
  void write_costs() {
    json_.key("costs");
    json_.array();
    for (const DecisionCost& cost : c_.costs) {
      json_.object(true);
      text("policy", cost.policy);
      integer("nodes", cost.nodes);
      number("ns", cost.ns);
      number("noise", cost.noise);
      json_.close();
    }
    json_.close();
  }

  const Comparison& c_;
  JsonWriter json_;
};

/// Takes a document apart; remembers what is missing first.
class ComparisonReader {
 public:
  explicit ComparisonReader(const JsonDoc& doc) : doc_(doc) {}

  Comparison read(const JsonValue& root) {
    Comparison c;
    if (integer(root, "format") != kComparisonFormat) {
      complain(root.member("format"), "this is not format " + std::to_string(kComparisonFormat));
      return c;
    }
    c.title = text(root, "title");
    c.version = text(root, "version");
    c.command = text(root, "command");
    c.engine = text(root, "engine");
    c.scenarios = texts(root, "scenarios");
    c.scenario_files = texts(root, "scenario_files");
    for (JsonValue v = list(root, "variants"); v; v = v.next_sibling()) {
      Variant& variant = c.variants.emplace_back();
      variant.name = text(v, "name");
      for (JsonValue s = list(v, "settings"); s; s = s.next_sibling())
        variant.settings.push_back({text(s, "pointer"), text(s, "value")});
    }
    if (c.scenarios.size() * c.variants.size() > kMostPlaces)
      complain(root.member("variants"), "with all scenarios these are more than a million");
    c.baseline = index(root, "baseline", c.variants.size());
    for (JsonValue seed = list(root, "seeds"); seed; seed = seed.next_sibling())
      c.seeds.push_back(whole(seed));
    c.objective = metric(root, "objective");
    c.metrics = texts(root, "metrics");
    c.shown = texts(root, "shown");
    for (const char* name : {"metrics", "shown"})
      if ((name[0] == 'm' ? c.metrics : c.shown).size() > kMostMetrics)
        complain(root.member(name), "these are more than there are");
    c.confidence = number(root, "confidence");
    if (!(c.confidence > 0 && c.confidence < 1)) complain(root.member("confidence"), "this is no confidence");
    c.verdicts = texts(root, "verdicts");
    c.notices = texts(root, "notices");
    for (JsonValue r = list(root, "runs"); r; r = r.next_sibling()) c.runs.push_back(run(r, c));
    for (JsonValue v = list(root, "cells"); v; v = v.next_sibling()) c.cells.push_back(cell(v, c));
    for (JsonValue v = list(root, "costs"); v; v = v.next_sibling())
      c.costs.push_back({text(v, "policy"), integer(v, "nodes"), number(v, "ns"), number(v, "noise")});
    if (!std::is_sorted(c.runs.begin(), c.runs.end(), in_order))
      complain(root.member("runs"), "these are not in order");
    if (!std::is_sorted(c.cells.begin(), c.cells.end(),
                        [](const ComparedCell& a, const ComparedCell& b) { return a.scenario < b.scenario; }))
      complain(root.member("cells"), "these are not in order");
    return c;
  }
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  static bool in_order(const ComparedRun& a, const ComparedRun& b) {
    return std::tie(a.scenario, a.variant, a.seed) < std::tie(b.scenario, b.variant, b.seed);
  }
  void complain(const JsonValue& value, const std::string& what) {
    if (problem_) return;
    const JsonDoc::Spot spot = doc_.locate(value ? value.place() : JsonPlace{});
    problem_ = Problem{spot.source + ':' + std::to_string(spot.line) + ':' + std::to_string(spot.column),
                       what, "a comparison.json as this version of duet compare writes it"};
  }
  JsonValue member(const JsonValue& object, std::string_view name, JsonType type) {
    const JsonValue value = object.member(name);
    if (value.is(type)) return value;
    complain(value ? value : object, "there is no usable " + backquoted(name));
    return {};
  }
  std::string text(const JsonValue& object, std::string_view name) {
    const JsonValue value = member(object, name, JsonType::kString);
    return value ? value.string() : std::string();
  }
  std::string metric(const JsonValue& object, std::string_view name) {
    std::string word = text(object, name);
    if (find_metric(word) == nullptr) complain(object.member(name), "there is no metric " + backquoted(word));
    return word;
  }
  std::vector<std::string> texts(const JsonValue& object, std::string_view name) {
    std::vector<std::string> values;
    for (JsonValue item = list(object, name); item; item = item.next_sibling())
      if (item.is(JsonType::kString))
        values.push_back(item.string());
      else
        complain(item, "this is no text");
    return values;
  }
  JsonValue list(const JsonValue& object, std::string_view name) {
    const JsonValue value = member(object, name, JsonType::kArray);
    return value ? value.first_child() : JsonValue();
  }
  double number(const JsonValue& object, std::string_view name) {
    if (object.member(name).is(JsonType::kNull)) return std::numeric_limits<double>::quiet_NaN();
    const JsonValue value = member(object, name, JsonType::kNumber);
    return value ? measured(value) : 0;
  }
  double measured(const JsonValue& value) {
    if (std::abs(value.number()) <= kLargest) return value.number();
    complain(value, "this is too large for a measurement");
    return 0;
  }
  std::uint64_t whole(const JsonValue& value) {
    std::uint64_t number = 0;
    const std::string_view raw = value.raw();
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
    if (error != std::errc{} || end != raw.data() + raw.size()) complain(value, "this is no whole number");
    return number;
  }
  std::uint64_t integer(const JsonValue& object, std::string_view name) {
    const JsonValue value = member(object, name, JsonType::kNumber);
    return value ? whole(value) : 0;
  }
  std::size_t index(const JsonValue& object, std::string_view name, std::size_t size) {
    const std::uint64_t at = integer(object, name);
    if (at < size) return at;
    complain(object.member(name) ? object.member(name) : object, "this counts beyond the end");
    return 0;
  }
  ComparedRun run(const JsonValue& value, const Comparison& c) {
    ComparedRun run;
    run.scenario = index(value, "scenario", c.scenarios.size());
    run.variant = index(value, "variant", c.variants.size());
    run.seed = integer(value, "seed");
    run.ended = text(value, "ended");
    run.digest = text(value, "digest");
    run.folder = text(value, "folder");
    if (value.member("failures")) run.failures = texts(value, "failures");
    const JsonValue metrics = member(value, "metrics", JsonType::kObject);
    for (JsonValue m = metrics ? metrics.first_child() : JsonValue(); m; m = m.next_sibling())
      if (m.is(JsonType::kNumber)) run.metrics[m.key()] = measured(m);
    return run;
  }
  ComparedCell cell(const JsonValue& value, const Comparison& c) {
    ComparedCell cell;
    cell.metric = text(value, "metric");
    cell.scenario = index(value, "scenario", c.scenarios.size());
    cell.variant = index(value, "variant", c.variants.size());
    cell.runs = integer(value, "runs");
    cell.mean = number(value, "mean");
    cell.least = number(value, "least");
    cell.most = number(value, "most");
    cell.pairs = integer(value, "pairs");
    cell.difference = number(value, "difference");
    if (value.member("low")) cell.low = number(value, "low");
    if (value.member("high")) cell.high = number(value, "high");
    if (value.member("relative")) cell.relative = number(value, "relative");
    const std::string standing = text(value, "standing");
    for (const Standing known : {Standing::kBaseline, Standing::kTie, Standing::kBetter, Standing::kWorse,
                                 Standing::kDiffers, Standing::kUnknown})
      if (standing == name_of(known)) cell.standing = known;
    if (standing != name_of(cell.standing)) complain(value.member("standing"), "there is no such standing");
    return cell;
  }

  const JsonDoc& doc_;
  std::optional<Problem> problem_;
};

}  // namespace

void write_comparison(const Comparison& comparison, const TextSink& sink) {
  ComparisonWriter(comparison, sink).write();
}

Result<Comparison> read_comparison(const std::string& path) {
  std::error_code ignored;
  const std::string file =
      fs::is_directory(path, ignored) ? (fs::path(path) / "comparison.json").string() : path;
  auto text = read_text(file, kMostText);
  if (!text) return text.problems();
  return parse_comparison(std::move(*text), file);
}

Result<Comparison> parse_comparison(std::string text, const std::string& source) {
  Mistakes mistakes;
  const JsonDoc doc(source, std::move(text), mistakes);
  if (!doc.root()) return to_problems(doc, mistakes);
  ComparisonReader reader(doc);
  Comparison comparison = reader.read(doc.root());
  if (reader.problem()) return *reader.problem();
  return comparison;
}

}  // namespace duet::sim
