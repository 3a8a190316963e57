#include "sim/assertions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/check.h"
#include "sim/diagnostics.h"
#include "sim/json_write.h"

namespace duet::sim {
namespace {

constexpr std::array kMetrics = {
    Metric{"makespan_s", "s", Better::kLess,
           "from the first submission to the last end of a job, in seconds"},
    Metric{"makespan_bound_s", "s", Better::kNeither,
           "what no schedule of the jobs that succeeded undercuts: the largest, over all instants, of the "
           "instant plus the thread-seconds submitted from then on / hardware threads, and of a submission "
           "plus the run time of one of its tasks; from the first submission. Absent if run times depend on "
           "the neighbours"},
    Metric{"jobs", "", Better::kNeither, "jobs submitted"},
    Metric{"jobs_succeeded", "", Better::kMore, "jobs that succeeded"},
    Metric{"jobs_failed", "", Better::kLess, "jobs that failed"},
    Metric{"jobs_cancelled", "", Better::kNeither, "jobs that were cancelled"},
    Metric{"jobs_unfinished", "", Better::kLess, "jobs that had not ended when the run did"},
    Metric{"tasks_retried", "", Better::kLess,
           "attempts that failed by themselves and were followed by another of the same task"},
    Metric{"jobs_refused", "", Better::kLess, "jobs that were not accepted; they count as failed"},
    Metric{"tasks_lost", "", Better::kLess,
           "attempts lost with their node or with the worker that executed them"},
    Metric{"scaled_up", "", Better::kNeither, "times the autoscaler made a pool larger"},
    Metric{"scaled_down", "", Better::kNeither, "times it made one smaller"},
    Metric{"scaling_actions", "", Better::kLess, "both together"},
    Metric{"flaps", "", Better::kLess,
           "of these, those that undid the one before, of the same pool, within 60 s"},
    Metric{"over_provisioned", "workers", Better::kLess,
           "mean number of workers beyond the demand, while a pool is there; sum over the pools. Demand: the "
           "workers that all accepted operations would need at once, each worker with as many of one kind as "
           "its `full` admits, within `min` and `max`"},
    Metric{"under_provisioned", "workers", Better::kLess,
           "mean number of running workers that the demand lacks"},
    Metric{"attempts", "", Better::kNeither, "attempts placed"},
    Metric{"mean_wait_s", "s", Better::kLess,
           "mean over the jobs that started of start minus submission; the start is the first among the last "
           "attempts of the job's tasks"},
    Metric{"max_wait_s", "s", Better::kLess, "the longest such wait"},
    Metric{"p50_wait_s", "s", Better::kLess, "the wait that half of them do not exceed (nearest rank)"},
    Metric{"p90_wait_s", "s", Better::kLess, "the wait that 90 % of them do not exceed (nearest rank)"},
    Metric{"p95_wait_s", "s", Better::kLess, "the wait that 95 % of them do not exceed (nearest rank)"},
    Metric{"p99_wait_s", "s", Better::kLess, "the wait that 99 % of them do not exceed (nearest rank)"},
    Metric{"mean_turnaround_s", "s", Better::kLess,
           "mean of end minus submission over the jobs that succeeded"},
    Metric{"max_turnaround_s", "s", Better::kLess, "the longest of these"},
    Metric{"p50_turnaround_s", "s", Better::kLess,
           "the turnaround that half of them do not exceed (nearest rank)"},
    Metric{"p90_turnaround_s", "s", Better::kLess,
           "the turnaround that 90 % of them do not exceed (nearest rank)"},
    Metric{"p95_turnaround_s", "s", Better::kLess,
           "the turnaround that 95 % of them do not exceed (nearest rank)"},
    Metric{"p99_turnaround_s", "s", Better::kLess,
           "the turnaround that 99 % of them do not exceed (nearest rank)"},
    Metric{"mean_bounded_slowdown", "", Better::kLess,
           "mean over the jobs that succeeded of max(1, turnaround / max(run time, 10 s)), run time from "
           "that start to the end"},
    Metric{"max_bounded_slowdown", "", Better::kLess, "the largest of these"},
    Metric{"p50_bounded_slowdown", "", Better::kLess,
           "the one that half of them do not exceed (nearest rank)"},
    Metric{"p90_bounded_slowdown", "", Better::kLess,
           "the one that 90 % of them do not exceed (nearest rank)"},
    Metric{"p95_bounded_slowdown", "", Better::kLess,
           "the one that 95 % of them do not exceed (nearest rank)"},
    Metric{"p99_bounded_slowdown", "", Better::kLess,
           "the one that 99 % of them do not exceed (nearest rank)"},
    Metric{"users", "", Better::kNeither, "named users with a job that succeeded, if there are two or more"},
    Metric{"user_fairness", "", Better::kMore,
           "Jain's index of their mean bounded slowdowns, (sum x)^2 / (n * sum x^2): 1 if all fare alike, "
           "1/n at worst"},
    Metric{"utilization", "", Better::kMore,
           "allocated: busy_core_s / (hardware threads of the cluster * seconds from the first submission to "
           "the last end of a job or attempt)"},
    Metric{"utilization_used", "", Better::kMore, "used: used_core_s / the same"},
    Metric{"busy_core_s", "thread-s", Better::kNeither,
           "sum over attempts of hardware threads held * seconds held, from start to end"},
    Metric{"used_core_s", "thread-s", Better::kNeither,
           "of these, what was used: of an attempt with operations that came to its end, these / the top "
           "speed of its node, per thread; of a worker, the time in which it executed any operation; of any "
           "other attempt, the share of threads that it asked for"},
    Metric{"lost_core_s", "thread-s", Better::kLess,
           "hardware threads held * seconds held of the attempts that ended without success; of no service's "
           "replicas"},
    Metric{"fragmentation", "", Better::kLess,
           "mean, over the time in which tasks wait, of the share of the free CPU that none of them can use: "
           "that of nodes with less free than the smallest of them asks for. By CPU alone, nodes that are "
           "off left out"},
    Metric{"nodes_down", "", Better::kLess, "nodes that were down when the run ended"},
    Metric{"nodes_lost", "", Better::kLess, "times a node was declared down"},
    Metric{"mean_detection_s", "s", Better::kLess,
           "mean, over the nodes declared down while off, without agent or behind a partition, of the time "
           "since that began"},
    Metric{"max_detection_s", "s", Better::kLess, "the longest of these"},
    Metric{"false_alarms", "", Better::kLess,
           "times a node was declared down while it was on, its agent lived and no partition cut it off"},
    Metric{"estimate_error", "", Better::kLess,
           "of the estimator `learned`: the median of |predicted - ran| / ran over the last 31 tasks"},
    Metric{"energy_j", "J", Better::kLess,
           "what the nodes drew that have a `power` model, from instant 0 to the end of the run"},
    Metric{"energy_idle_j", "J", Better::kNeither,
           "what they would have drawn in that time with nothing to run"},
};

constexpr std::array<std::string_view, 6> kRelations = {"<", "<=", "==", "!=", ">=", ">"};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view next_word(std::string_view text, std::size_t& at, bool (*ends)(char)) {
  while (at < text.size() && is_blank(text[at])) ++at;
  const std::size_t begin = at;
  while (at < text.size() && !is_blank(text[at]) && !ends(text[at])) ++at;
  return text.substr(begin, at - begin);
}

bool relates(double actual, std::string_view relation, double bound) {
  if (relation == "<") return actual < bound;
  if (relation == "<=") return actual <= bound;
  if (relation == "==") return actual == bound;
  if (relation == "!=") return actual != bound;
  if (relation == ">=") return actual >= bound;
  DUET_CHECK(relation == ">");
  return actual > bound;
}

std::string relation_hint(std::string_view relation) {
  if (relation == "=") return "did you mean `==`?";
  if (relation == "=<") return "did you mean `<=`?";
  if (relation == "=>") return "did you mean `>=`?";
  return "right: < <= == != >= or >, as in `makespan_s <= 120`";
}

}  // namespace

std::span<const Metric> known_metrics() { return kMetrics; }

const Metric* find_metric(std::string_view name) {
  const auto found =
      std::find_if(kMetrics.begin(), kMetrics.end(), [&](const Metric& m) { return m.name == name; });
  return found == kMetrics.end() ? nullptr : &*found;
}

std::string metric_table() {
  std::string text = "| metric | unit | better | what it is |\n|---|---|---|---|\n";
  for (const Metric& metric : kMetrics) {
    const std::string_view better = metric.better == Better::kLess   ? "less"
                                    : metric.better == Better::kMore ? "more"
                                                                     : "";
    // A bar would end the column.
    std::string doc(metric.doc);
    for (std::size_t at = 0; (at = doc.find('|', at)) != doc.npos; at += 2) doc.insert(at, 1, '\\');
    text += "| `" + std::string(metric.name) + "` | " + std::string(metric.unit) + " | " +
            std::string(better) + " | " + doc + " |\n";
  }
  return text;
}

std::variant<Assertion, AssertionMistake> parse_assertion(std::string_view text) {
  constexpr auto is_relation = [](char c) { return c == '<' || c == '=' || c == '!' || c == '>'; };
  std::size_t at = 0;
  const auto begin_of = [&](std::string_view word) {
    return static_cast<std::size_t>(word.data() - text.data());
  };

  const std::string_view metric = next_word(text, at, is_relation);
  std::vector<std::string_view> names;
  for (const Metric& known : kMetrics) names.push_back(known.name);
  if (std::find(names.begin(), names.end(), metric) == names.end()) {
    std::string all = "right: one of";
    for (const std::string_view name : names) all += ' ' + std::string(name);
    const std::string what =
        metric.empty() ? "an assertion starts with a metric" : "there is no metric " + backquoted(metric);
    return AssertionMistake{begin_of(metric), metric.size(), what, did_you_mean(metric, names, all)};
  }
  const std::string_view relation =
      next_word(text, at, [](char c) { return c != '<' && c != '=' && c != '!' && c != '>'; });
  if (std::find(kRelations.begin(), kRelations.end(), relation) == kRelations.end()) {
    const std::string what =
        relation.empty() ? "no relation follows the metric" : backquoted(relation) + " is no relation";
    return AssertionMistake{begin_of(relation), relation.size(), what, relation_hint(relation)};
  }
  const std::string_view number = next_word(text, at, [](char) { return false; });
  double bound = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bound);
  if (error != std::errc{} || end != number.data() + number.size() || !std::isfinite(bound)) {
    const std::string what =
        number.empty() ? "no bound follows the relation" : backquoted(number) + " is no number";
    return AssertionMistake{begin_of(number), number.size(), what,
                            "right: a number, as in `makespan_s <= 120`"};
  }
  const std::string_view rest = next_word(text, at, [](char) { return false; });
  if (!rest.empty()) {
    return AssertionMistake{begin_of(rest), text.size() - begin_of(rest), "nothing may follow the bound",
                            "right: one assertion per string"};
  }
  return Assertion{std::string(metric), std::string(relation), bound, std::string(text)};
}

std::vector<Verdict> evaluate(const std::vector<Assertion>& assertions, const Metrics& metrics) {
  std::vector<Verdict> verdicts;
  for (const Assertion& assertion : assertions) {
    Verdict verdict{&assertion, std::nullopt, false};
    const auto found = metrics.find(assertion.metric);
    if (found != metrics.end() && !std::isnan(found->second)) {
      verdict.actual = found->second;
      verdict.holds = relates(found->second, assertion.relation, assertion.bound);
    }
    verdicts.push_back(verdict);
  }
  return verdicts;
}

std::string to_text(const Verdict& verdict) {
  std::string text = printable(verdict.assertion->text) + ": ";
  if (!verdict.actual) return text + "this run has no " + verdict.assertion->metric;
  const std::string actual = std::isfinite(*verdict.actual) ? number_text(*verdict.actual) : "infinite";
  return text + (verdict.holds ? "" : "it is ") + actual;
}

}  // namespace duet::sim
