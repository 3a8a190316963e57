#include "sim/report/run_view.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>

#include "core/lifecycle.h"
#include "sim/json_doc.h"
#include "sim/report/csv_rows.h"
#include "sim/text_file.h"

namespace duet::sim::report {
namespace {

constexpr std::array<std::string_view, 8> kEnds = {"succeeded",     "failed", "timed out", "killed",
                                                   "launch failed", "lost",   "unhealthy", "running"};
constexpr std::uint64_t kMaxSummary = std::uint64_t{64} << 20;
/// Threads of all bars: each takes some 50 bytes while the series are made.
constexpr std::size_t kMostHeld = 16'000'000;
/// Beyond this a metric is no measurement, and axes have no scale.
constexpr double kLargestMetric = 1e300;

struct TaskIdText {
  std::uint64_t job = 0;
  std::uint64_t task = 0;
};

std::optional<TaskIdText> task_id_of(std::string_view text) {
  TaskIdText id;
  const char* end = text.data() + text.size();
  const auto job = std::from_chars(text.data(), end, id.job);
  if (job.ec != std::errc{} || job.ptr == end || *job.ptr != '.') return std::nullopt;
  const auto task = std::from_chars(job.ptr + 1, end, id.task);
  if (task.ec != std::errc{} || task.ptr != end) return std::nullopt;
  return id;
}

std::optional<BarEnd> end_of(std::string_view outcome) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Outcome::kUnhealthy); ++i)
    if (outcome == name(static_cast<Outcome>(i))) return static_cast<BarEnd>(i);
  return std::nullopt;
}

BarKind kind_of_bar(std::string_view kind) {
  if (kind == "worker") return BarKind::kWorker;
  return kind == "operation" ? BarKind::kOperation : BarKind::kTask;
}

/// One folder on its way into a RunView. Each step returns false after a failure, which `problem` tells.
class Loader {
 public:
  explicit Loader(std::string folder) : folder_(std::move(folder)) {}

  Result<RunView> load() {
    if (!(summary() && info() && nodes() && jobs() && tasks() && attempts() && node_states()))
      return *problem_;
    sort();
    assign_lanes(view_, slots_);
    fill_series(view_, slots_, changes_);
    return std::move(view_);
  }

 private:
  bool summary();
  bool info();
  bool nodes();
  bool jobs();
  bool tasks();
  bool attempts();
  bool node_states();
  void sort();

  std::string path(std::string_view name) const { return (std::filesystem::path(folder_) / name).string(); }
  bool fail(const Problem& problem) {
    problem_ = problem;
    return false;
  }
  bool opened(const Result<CsvRows>& rows) { return rows ? true : fail(rows.problems().front()); }
  bool ended(const CsvRows& rows) { return rows.failure() ? fail(*rows.failure()) : true; }
  std::uint32_t node_named(CsvRows& rows, std::size_t column);
  void add_bar(CsvRows& rows, std::size_t slot, Bar bar);
  void read_policies(const JsonValue& policies);
  void read_assertions(const JsonValue& assertions);

  std::string folder_;
  RunView view_;
  Changes changes_;
  std::vector<std::vector<std::uint32_t>> slots_;
  std::size_t held_ = 0;  ///< Threads in all of them.
  std::map<std::string, std::uint32_t, std::less<>> node_numbers_;
  std::vector<std::int64_t> submitted_;     ///< Of the accepted jobs, by their ids from 1.
  std::vector<std::uint32_t> first_tasks_;  ///< Of the same, in kinds_.
  std::vector<BarKind> kinds_;
  std::optional<Problem> problem_;
};

void Loader::read_policies(const JsonValue& policies) {
  for (const char* kind : {"queue", "scheduler"}) {
    const JsonValue name = policies.member(kind).member("name");
    if (!name.is(JsonType::kString)) continue;
    if (!view_.policies.empty()) view_.policies += ", ";
    view_.policies += name.string();
  }
}

void Loader::read_assertions(const JsonValue& assertions) {
  for (JsonValue one = assertions.first_child(); one; one = one.next_sibling()) {
    CheckedAssertion checked;
    if (one.member("assertion").is(JsonType::kString)) checked.text = one.member("assertion").string();
    checked.holds = one.member("holds").is(JsonType::kBoolean) && one.member("holds").boolean();
    if (one.member("actual").is(JsonType::kNumber)) checked.actual = one.member("actual").number();
    view_.assertions.push_back(std::move(checked));
  }
}

bool Loader::summary() {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder_, ignored))
    return fail({folder_, "is no folder", "the folder that duet sim --out wrote"});
  auto text = read_text(path("summary.json"), kMaxSummary);
  if (!text) return fail(text.problems().front());
  Mistakes mistakes;
  const JsonDoc doc(path("summary.json"), std::move(*text), mistakes);
  if (!doc.root()) return fail(to_problems(doc, mistakes).front());
  const JsonValue root = doc.root();
  const auto word = [&](const char* key, std::string& to) {
    if (root.member(key).is(JsonType::kString)) to = root.member(key).string();
  };
  word("scenario", view_.scenario);
  word("scenario_sha256", view_.scenario_hash);
  word("engine", view_.engine);
  word("digest", view_.digest);
  word("ended", view_.ended);
  view_.name = view_.scenario;
  const JsonValue seed = root.member("seed");
  if (seed.is(JsonType::kNumber))
    std::from_chars(seed.raw().data(), seed.raw().data() + seed.raw().size(), view_.seed);
  const JsonValue end = root.member("end_s");
  const auto end_ns = end.is(JsonType::kNumber) ? nanoseconds(end.raw()) : std::nullopt;
  if (!end_ns) return fail({path("summary.json"), "has no end_s", "a summary that duet sim --out wrote"});
  view_.end_ns = *end_ns;
  for (JsonValue metric = root.member("metrics").first_child(); metric; metric = metric.next_sibling())
    if (metric.is(JsonType::kNumber) && std::abs(metric.number()) <= kLargestMetric)
      view_.metrics[metric.key()] = metric.number();
  read_policies(root.member("policies"));
  read_assertions(root.member("assertions"));
  return true;
}

/// Whoever keeps results may leave run_info.json out: it differs from run to run.
bool Loader::info() {
  std::error_code ignored;
  if (!std::filesystem::exists(path("run_info.json"), ignored)) return true;
  auto text = read_text(path("run_info.json"), kMaxSummary);
  if (!text) return fail(text.problems().front());
  Mistakes mistakes;
  const JsonDoc doc(path("run_info.json"), std::move(*text), mistakes);
  if (!doc.root()) return fail(to_problems(doc, mistakes).front());
  const JsonValue command = doc.root().member("command_line");
  const JsonValue version = doc.root().member("duet_version");
  if (command.is(JsonType::kString)) view_.command = command.string();
  if (version.is(JsonType::kString)) view_.version = version.string();
  return true;
}

bool Loader::nodes() {
  auto rows = CsvRows::open(path("nodes.csv"),
                            {"node", "type", "cores", "threads_per_core", "reserved_cores", "zones"});
  if (!opened(rows)) return false;
  while (rows->next()) {
    ViewedNode node;
    node.name = rows->name(0);
    node.type = rows->name(1);
    node.cores = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows->number(2), 1'000'000));
    node.threads_per_core = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows->number(3), 1024));
    node.reserved_cores = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows->number(4), 1'000'000));
    std::string_view zones = rows->text(5);
    while (!zones.empty()) {
      const std::size_t blank = std::min(zones.find(' '), zones.size());
      node.zones.emplace_back(zones.substr(0, blank));
      zones.remove_prefix(std::min(blank + 1, zones.size()));
    }
    if (node.zones.size() != node.cores) node.zones.clear();
    if (node.cores == 0 || node.threads_per_core == 0) rows->reject(2, "at least one core and thread");
    node_numbers_[node.name] = static_cast<std::uint32_t>(view_.nodes.size());
    view_.nodes.push_back(std::move(node));
  }
  return ended(*rows);
}

bool Loader::jobs() {
  auto rows = CsvRows::open(path("jobs.csv"), {"job_id", "submission_time", "final_state", "waiting_time"});
  if (!opened(rows)) return false;
  while (rows->next()) {
    if (rows->text(2) == "REJECTED") continue;  // They have no tasks, and no number.
    view_.jobs.push_back(rows->name(0));
    submitted_.push_back(rows->instant(1).value_or(0));
    if (const auto wait = rows->instant(3)) view_.waits_ns.push_back(*wait);
  }
  std::sort(view_.waits_ns.begin(), view_.waits_ns.end());
  return ended(*rows);
}

std::uint32_t Loader::node_named(CsvRows& rows, std::size_t column) {
  const auto found = node_numbers_.find(rows.text(column));
  if (found != node_numbers_.end()) return found->second;
  rows.reject(column, "one of the nodes in nodes.csv");
  return 0;
}

void Loader::add_bar(CsvRows& rows, std::size_t slot, Bar bar) {
  auto threads = threads_of_slot(rows.text(slot));
  if (!threads) rows.reject(slot, "at most 256 threads, as 0-3 or A:1,5");
  held_ += threads ? threads->size() : 0;
  if (held_ > kMostHeld) rows.reject(slot, "at most 16 million threads held by all attempts together");
  bar.threads = std::max<std::uint32_t>(1, bar.threads);
  bar.end_ns = std::max(bar.start_ns, std::min(bar.end_ns, view_.end_ns));
  slots_.push_back(threads ? std::move(*threads) : std::vector<std::uint32_t>{});
  view_.bars.push_back(std::move(bar));
}

bool Loader::tasks() {
  auto rows = CsvRows::open(path("tasks.csv"), {"task_id", "node", "slot", "attempts", "state", "outcome",
                                                "start", "end", "threads", "kind"});
  if (!opened(rows)) return false;
  while (rows->next()) {
    const auto id = task_id_of(rows->text(0));
    if (!id || id->job == 0 || id->job > submitted_.size()) {
      rows->reject(0, "the number of a job in jobs.csv and of its task, as 17.0");
      break;
    }
    if (first_tasks_.size() < id->job)
      first_tasks_.resize(id->job, static_cast<std::uint32_t>(kinds_.size()));
    kinds_.push_back(kind_of_bar(rows->text(9)));
    const auto start = rows->instant(6);
    // Idle replicas want no place.
    if (rows->text(4) != "idle") changes_.waiting.emplace_back(submitted_[id->job - 1], 1);
    if (!start) continue;
    changes_.waiting.emplace_back(*start, -1);
    Bar bar;
    bar.job = static_cast<std::uint32_t>(id->job - 1);
    bar.task = static_cast<std::uint32_t>(id->task);
    bar.start_ns = *start;
    const auto end = rows->instant(7);
    if (end && rows->text(4) == "pending") changes_.waiting.emplace_back(*end, 1);
    bar.end_ns = end.value_or(view_.end_ns);
    bar.attempt = static_cast<std::uint32_t>(rows->number(3));
    bar.node = node_named(*rows, 1);
    bar.threads = static_cast<std::uint32_t>(rows->number(8));
    bar.kind = kinds_.back();
    // Of a task that waits for its next attempt the file does not say how the last one ended.
    bar.end = !end ? BarEnd::kRunning : end_of(rows->text(5)).value_or(BarEnd::kLost);
    add_bar(*rows, 2, std::move(bar));
  }
  return ended(*rows);
}

bool Loader::attempts() {
  auto rows = CsvRows::open(path("attempts.csv"),
                            {"task_id", "attempt", "node", "slot", "outcome", "start", "end", "threads"});
  if (!opened(rows)) return false;
  while (rows->next()) {
    const auto id = task_id_of(rows->text(0));
    if (!id || id->job == 0 || id->job > first_tasks_.size()) {
      rows->reject(0, "a task of tasks.csv");
      break;
    }
    const auto start = rows->instant(5);
    const auto end = rows->instant(6);
    Bar bar;
    bar.attempt = static_cast<std::uint32_t>(rows->number(1));
    if (bar.attempt == 0 && end) changes_.waiting.emplace_back(*end, -1);
    if (bar.attempt == 0 || !start) continue;
    // It waited before, and waits again from its end on.
    changes_.waiting.emplace_back(*start, -1);
    changes_.waiting.emplace_back(end.value_or(*start), 1);
    bar.job = static_cast<std::uint32_t>(id->job - 1);
    bar.task = static_cast<std::uint32_t>(id->task);
    bar.start_ns = *start;
    bar.end_ns = end.value_or(view_.end_ns);
    bar.node = node_named(*rows, 2);
    bar.threads = static_cast<std::uint32_t>(rows->number(7));
    const std::size_t task = first_tasks_[bar.job] + std::size_t{bar.task};
    if (task < kinds_.size()) bar.kind = kinds_[task];
    const auto outcome = end_of(rows->text(4));
    if (!outcome) rows->reject(4, "how the attempt ended");
    bar.end = outcome.value_or(BarEnd::kLost);
    add_bar(*rows, 3, std::move(bar));
  }
  return ended(*rows);
}

bool Loader::node_states() {
  auto rows = CsvRows::open(path("node_states.csv"), {"time", "node", "state"});
  if (!opened(rows)) return false;
  while (rows->next()) {
    const bool up = rows->text(2) != name(NodeState::kDown) && rows->text(2) != name(NodeState::kUnknown);
    changes_.nodes.push_back({rows->instant(0).value_or(0), node_named(*rows, 1), up});
  }
  return ended(*rows);
}

/// Bars by start; slots_ goes with them.
void Loader::sort() {
  std::vector<std::uint32_t> order(view_.bars.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto key = [this](std::uint32_t i) {
    const Bar& bar = view_.bars[i];
    return std::tuple(bar.start_ns, bar.job, bar.task, bar.attempt);
  };
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return key(a) < key(b); });
  std::vector<Bar> bars;
  std::vector<std::vector<std::uint32_t>> slots;
  bars.reserve(order.size());
  slots.reserve(order.size());
  for (const std::uint32_t i : order) {
    bars.push_back(std::move(view_.bars[i]));
    slots.push_back(std::move(slots_[i]));
  }
  view_.bars = std::move(bars);
  slots_ = std::move(slots);
}

}  // namespace

std::string_view name_of(BarEnd end) { return kEnds[static_cast<std::size_t>(end)]; }

bool is_failure(BarEnd end) {
  return end == BarEnd::kFailed || end == BarEnd::kTimedOut || end == BarEnd::kLaunchFailed ||
         end == BarEnd::kLost || end == BarEnd::kUnhealthy;
}

Result<RunView> load_run_view(const std::string& folder) { return Loader(folder).load(); }

}  // namespace duet::sim::report
