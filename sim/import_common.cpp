#include "sim/import_common.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "sim/decimal.h"
#include "sim/diagnostics.h"

namespace duet::sim {
namespace {

std::size_t count_digits(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  return n;
}

/// True if `text` is a decimal number without a sign.
bool is_unsigned_number(std::string_view text) {
  const std::size_t whole = count_digits(text);
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = count_digits(text);
    text.remove_prefix(fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && count_digits(text) == text.size();
}

NodeType core_type(std::uint32_t cores) {
  NodeType type;
  type.name = cores == 1 ? "host" : "pool";
  type.offer.cores = cores;
  type.offer.threads_per_core = 1;
  type.offer.capacity.cpu_m = kThread * cores;
  type.speed = {kWorkSpeed};
  type.smt_yield = 1.0;
  return type;
}

/// A cluster in which nothing takes time but the jobs, and nothing fails: no latency, no heartbeats, no
/// detection.
Scenario ideal_cluster(const ImportOptions& options) {
  const bool pool = options.shape == ImportOptions::Shape::kPool;
  Scenario scenario;
  scenario.node_types.push_back(core_type(pool ? options.size : 1));
  if (pool) {
    scenario.nodes.push_back({"pool", 0});
  } else {
    scenario.nodes.reserve(options.size);
    for (std::uint32_t i = 0; i < options.size; ++i)
      scenario.nodes.push_back({"host" + std::to_string(i), 0});
  }
  scenario.agent.heartbeat = Duration(0);
  const ParamValue never = std::int64_t{0};
  scenario.controller.detector = {"timeout", {{{"dead_after_s", never}, {"suspect_after_s", never}}}};
  scenario.controller.inventory.reserve(scenario.nodes.size());
  for (const Node& node : scenario.nodes) scenario.controller.inventory.push_back(node.name);
  return scenario;
}

}  // namespace

bool is_log_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return is_unsigned_number(text);
}

LogNumber read_log_number(std::string_view text, int decimals, std::int64_t limit) {
  LogNumber number;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (!is_unsigned_number(text)) {
    number.state = LogNumber::State::kNotANumber;
    return number;
  }
  const Decimal decimal = read_decimal(text, decimals);
  if (decimal.too_large || decimal.units > static_cast<std::uint64_t>(limit)) {
    number.state = LogNumber::State::kTooLarge;
    return number;
  }
  number.value = static_cast<std::int64_t>(decimal.units) * (negative ? -1 : 1);
  number.exact = decimal.exact;
  return number;
}

std::string log_name(std::string_view path) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view ending : {".gz", ".swf", ".txt", ".json"})
    if (name.size() > ending.size() && name.ends_with(ending)) name.remove_suffix(ending.size());
  return printable(name);
}

std::string ImportReport::text() const {
  std::string out = std::to_string(kept) + " of " + std::to_string(records) + " jobs kept\n";
  for (const auto& [reason, count, first] : dropped)
    out += "  " + std::to_string(count) + " dropped: " + reason + " (first: " + first + ")\n";
  if (overruns > 0) out += "  " + std::to_string(overruns) + " ran longer than their estimate\n";
  return out;
}

LogImport::LogImport(std::string_view path, const ImportOptions& options) : path_(path), options_(options) {
  DUET_CHECK(check(options).empty());
  too_big_ = "needs more than the " + std::to_string(options.size) + " cores of the cluster";
}

Problems LogImport::check(const ImportOptions& options) {
  const bool pool = options.shape == ImportOptions::Shape::kPool;
  const std::uint32_t most = pool ? ImportOptions::kMaxCores : ImportOptions::kMaxHosts;
  if (options.size >= 1 && options.size <= most) return {};
  const std::string what = pool ? "a pool of " : "a cluster of ";
  return {{pool ? "--pool" : "--hosts", what + std::to_string(options.size) + (pool ? " cores" : " hosts"),
           "1 to " + std::to_string(most)}};
}

void LogImport::drop(std::string_view reason, std::string_view where) {
  ++report_.records;
  for (auto& dropped : report_.dropped) {
    if (dropped.reason != reason) continue;
    ++dropped.count;
    return;
  }
  report_.dropped.push_back({std::string(reason), 1, std::string(where)});
}

void LogImport::add(LogJob job, std::string_view where) {
  if (job.submit_ns < 0) return drop("submission time unknown or negative", where);
  if (job.run_ns <= 0) return drop("run time <= 0", where);
  if (job.processors <= 0) return drop("needs no processors", where);
  if (job.processors > options_.size) return drop(too_big_, where);
  ++report_.records;
  ++report_.kept;

  const bool overrun = job.walltime_ns && job.run_ns > *job.walltime_ns;
  report_.overruns += overrun ? 1 : 0;
  TableJob row;
  row.submit_ns = job.submit_ns;
  (options_.as_work ? row.operations : row.duration_ns) = job.run_ns;
  row.estimate_ns = job.walltime_ns.value_or(job.run_ns);
  if (options_.overrun == ImportOptions::Overrun::kKill) {
    row.timeout_ns = job.walltime_ns.value_or(0);
  } else if (overrun) {
    row.estimate_ns = job.run_ns;
  }
  const auto processors = static_cast<std::uint32_t>(job.processors);
  const bool gang = options_.shape == ImportOptions::Shape::kHosts;
  row.tasks = gang ? processors : 1;
  row.cores = gang ? 1 : processors;
  row.user = job.user;
  row.id = std::move(job.id);
  jobs_.push_back(std::move(row));
}

Result<Imported> LogImport::finish() {
  if (jobs_.empty()) {
    if (report_.records == 0) return Problem{path_, "there is no job in it", {}};
    std::string reasons;
    for (const auto& [reason, count, first] : report_.dropped)
      reasons +=
          (reasons.empty() ? "" : "; ") + std::to_string(count) + " x " + reason + " (first: " + first + ")";
    return Problem{
        path_, "none of its " + std::to_string(report_.records) + " jobs can be kept: " + reasons, {}};
  }
  std::ranges::stable_sort(jobs_, {}, &TableJob::submit_ns);
  Imported imported{ideal_cluster(options_), std::move(report_)};
  imported.scenario.name = log_name(path_);
  imported.scenario.description = "Imported from a job log: " + std::to_string(jobs_.size()) + " jobs.";
  imported.scenario.workload = JobTable{std::move(jobs_)};
  return imported;
}

}  // namespace duet::sim
