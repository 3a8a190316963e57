// duet trace step: walks through the decisions of a run, with the cluster at each.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "core/codec/cat.h"
#include "core/codec/render.h"
#include "core/codec/task_story.h"
#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/decision_text.h"
#include "tools/duet/decision_walk.h"
#include "tools/duet/guarded.h"
#include "tools/duet/instant_option.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/run_folder.h"
#include "tools/duet/step_keys.h"

namespace duet::front {
namespace {

using sim::Table;

constexpr std::uint64_t kShownAtOnce = 10;

/// Where to begin; the first decision for which all of them hold.
struct StepStart {
  std::uint64_t step = 0;
  std::uint64_t decision = 0;
  Instant at = Instant::min();

  bool reached(const DecisionWalk& walk) const {
    return walk.walk().number() >= step && walk.number() >= decision && walk.walk().now() >= at;
  }
};

struct StepPlan {
  std::string trace;
  codec::DecisionFilter filter;
  StepStart start;
  std::uint64_t count = kShownAtOnce;  ///< 0: all.
  Format format = Format::kTable;
};

Problem not_a_count(const std::string& option) { return {option, "counts from 1", ""}; }

Result<StepPlan> plan_of(const TraceStepCommand& command) {
  StepPlan plan;
  plan.trace = trace_of(command.run);
  plan.format = command.format;
  plan.count = command.count.value_or(kShownAtOnce);
  const std::string& about = command.task.empty() ? command.job : command.task;
  if (!about.empty()) {
    const auto found = codec::filter_by_task(about);
    if (!found) return found.problems();
    if (!command.task.empty() && !found->task)
      return Problem{"--task", "'" + about + "' is a job", "17.0 (a task), or --job " + about};
    if (!command.job.empty() && found->task)
      return Problem{"--job", "'" + about + "' is a task", "--task " + about};
    plan.filter.job = found->job;
    plan.filter.task = found->task;
  }
  plan.filter.node = command.node;
  if (command.from == 0U) return not_a_count("--from");
  if (command.decision == 0U) return not_a_count("--decision");
  plan.start.step = command.from.value_or(0);
  plan.start.decision = command.decision.value_or(0);
  if (!command.at.empty()) {
    const auto at = instant_from("--at", command.at);
    if (!at) return at.problems();
    plan.start.at = *at;
  }
  return plan;
}

/// Writes decisions in one format, one after the other.
class DecisionPrinter {
 public:
  explicit DecisionPrinter(Format format)
      : format_(format), json_([this](std::string_view text) { out_ += text; }) {
    if (format_ == Format::kJson) json_.array();
    if (format_ == Format::kCsv) out_ = to_text(Table{decision_columns(), {}}, Format::kCsv);
  }
  /// False if it could not be written.
  bool add(const DecisionWalk& walk) {
    const Controller& controller = *walk.walk().controller();
    if (format_ == Format::kTable) {
      out_ += (any_ ? "\n" : "") + decision_text(walk.number(), walk.decision(), controller);
    } else if (format_ == Format::kJson) {
      write_decision(json_, walk.number(), walk.decision(), controller);
    } else {
      Table table{decision_columns(), {}};
      add_rows(table, walk.number(), walk.decision());
      const std::string text = to_text(table, Format::kCsv);
      out_ += text.substr(text.find('\n') + 1);
    }
    any_ = true;
    return flush();
  }
  bool finish() {
    if (format_ == Format::kJson) json_.close(), json_.finish();
    return flush();
  }
  bool any() const { return any_; }

 private:
  bool flush() {
    const bool written = out_.empty() || sim::print(out_);
    out_.clear();
    return written;
  }

  Format format_;
  std::string out_;
  sim::JsonWriter json_;
  bool any_ = false;
};

/// What is wrong with a plan that met no decision; nothing if there just is none.
std::optional<Problem> met_nothing(const StepPlan& plan, const DecisionWalk& walk) {
  const codec::Walk& run = walk.walk();
  if (plan.start.step > run.last_number())
    return Problem{"--from", "there is no step " + std::to_string(plan.start.step),
                   "a step from 1 to " + std::to_string(run.last_number())};
  if (plan.start.decision > walk.number())
    return Problem{"--decision", "there is no decision " + std::to_string(plan.start.decision),
                   walk.number() == 0 ? "nothing was decided in this run"
                                      : "a decision from 1 to " + std::to_string(walk.number())};
  if (plan.start.at > run.last_instant())
    return Problem{"--at", "the run has ended by then",
                   "an instant up to " + codec::seconds_text(to_ns(run.last_instant()))};
  if (plan.filter.job && walk.story().chapters().empty())
    return Problem{run.reader().name(),
                   plan.filter.task
                       ? "has no task " + codec::to_text(TaskId{*plan.filter.job, *plan.filter.task})
                       : "has no job " + std::to_string(plan.filter.job->value),
                   walk.story().hint()};
  if (plan.filter.node.empty() || run.controller() == nullptr) return std::nullopt;
  const Cluster& cluster = run.controller()->cluster();
  if (cluster.find(plan.filter.node)) return std::nullopt;
  std::vector<std::string_view> names;
  for (std::uint64_t n = 0; n < cluster.size(); ++n) names.push_back(cluster.node(NodeId{n}).name);
  return Problem{
      run.reader().name(), "has no node " + sim::backquoted(plan.filter.node),
      sim::did_you_mean(plan.filter.node, names, "one of " + std::to_string(names.size()) + " nodes")};
}

int print_steps(const StepPlan& plan, std::atomic<std::uint64_t>& progress) {
  auto walk = DecisionWalk::open(plan.trace, plan.filter, &progress);
  if (!walk) return refuse(walk.problems());
  DecisionPrinter printer(plan.format);
  std::uint64_t left = plan.count;
  for (;;) {
    const auto more = walk->next();
    if (!more) {
      printer.finish();
      return refuse(more.problems());
    }
    if (!*more) break;
    if (!plan.start.reached(*walk)) continue;
    if (plan.count != 0 && left == 0) {
      // There is more: say where, and check the rest of the trace.
      if (plan.format == Format::kTable)
        sim::say("next: --decision " + std::to_string(walk->number()) + ", or -n 0 for all\n");
      break;
    }
    if (!printer.add(*walk)) return sim::kExitUsage;
    --left;
  }
  if (const auto problem = walk->walk().read_on()) {
    printer.finish();
    return refuse({*problem});
  }
  if (!printer.any())
    if (const auto problem = met_nothing(plan, *walk)) return refuse({*problem});
  if (!printer.any() && plan.format == Format::kTable) sim::say("no decision from there on\n");
  return printer.finish() ? sim::kExitOk : sim::kExitUsage;
}

/// Shows decisions on a terminal. Keeps what it has shown; behind that it replays from the start.
class StepBrowser {
 public:
  StepBrowser(const StepPlan& plan, std::atomic<std::uint64_t>& progress)
      : plan_(plan), progress_(progress) {}

  int run() {
    if (!show([&](const DecisionWalk& walk) { return plan_.start.reached(walk); })) return code_;
    for (;;) {
      sim::say("\n[n]ext [p]revious NUMBER [q]uit: ");
      const StepKey key = read_step_key(
          [] {
            char c = 0;
            return ::read(STDIN_FILENO, &c, 1) == 1 ? std::optional<char>(c) : std::nullopt;
          },
          [](const std::string& text) { sim::say(text); });
      sim::say("\n\n");
      if (key.what == StepKey::What::kQuit) return sim::kExitOk;
      if (!answer(key)) return code_;
    }
  }

 private:
  static constexpr std::size_t kKept = 1000;

  bool answer(const StepKey& key) {
    const auto here = std::lower_bound(met_.begin(), met_.end(), current_);
    if (key.what == StepKey::What::kNext) {
      if (std::next(here) != met_.end()) return show_number(*std::next(here));
      return show([&](const DecisionWalk& walk) { return walk.number() > current_; });
    }
    if (key.what == StepKey::What::kPrevious) {
      if (here != met_.begin()) return show_number(*std::prev(here));
      sim::say("this is the first\n");
      return true;
    }
    return show_number(key.number);
  }

  /// The decision with this number, or the next one that is wanted.
  bool show_number(std::uint64_t number) {
    if (const auto kept = kept_.find(number); kept != kept_.end()) {
      current_ = number;
      return sim::print(kept->second);
    }
    if (walk_ && !met_.empty() && number <= met_.back()) walk_.reset();
    return show([&](const DecisionWalk& walk) { return walk.number() >= number; });
  }

  /// Goes on until `there`. False if nothing more can be done, with the exit code in code_.
  template <class There>
  bool show(There&& there) {
    if (!walk_) {
      auto opened = DecisionWalk::open(plan_.trace, plan_.filter, &progress_);
      if (!opened) return code_ = refuse(opened.problems()), false;
      walk_.emplace(std::move(*opened));
    }
    for (;;) {
      const auto more = walk_->next();
      if (!more) return code_ = refuse(more.problems()), false;
      if (!*more) break;
      if (met_.empty() || met_.back() < walk_->number()) met_.push_back(walk_->number());
      if (!there(*walk_)) continue;
      current_ = walk_->number();
      if (kept_.size() >= kKept) kept_.clear();
      std::string& text = kept_[current_];
      text = decision_text(current_, walk_->decision(), *walk_->walk().controller());
      return sim::print(text);
    }
    walk_.reset();
    sim::say("there is no further decision\n");
    code_ = sim::kExitOk;
    return !met_.empty() && current_ != 0;
  }

  const StepPlan& plan_;
  std::atomic<std::uint64_t>& progress_;
  std::optional<DecisionWalk> walk_;
  std::vector<std::uint64_t> met_;  ///< Numbers of all wanted decisions so far, ascending.
  std::map<std::uint64_t, std::string> kept_;
  std::uint64_t current_ = 0;
  int code_ = sim::kExitUsage;
};

}  // namespace

int run(const TraceStepCommand& command) {
  const auto plan = plan_of(command);
  if (!plan) return refuse(plan.problems());
  const bool keys = command.format == Format::kTable && !command.count && ::isatty(STDIN_FILENO) == 1 &&
                    ::isatty(STDOUT_FILENO) == 1;
  if (!keys) return guarded(plan->trace, [&](auto& progress) { return print_steps(*plan, progress); });
  const RawTerminal raw;
  return guarded(plan->trace, [&](auto& progress) { return StepBrowser(*plan, progress).run(); });
}

}  // namespace duet::front
