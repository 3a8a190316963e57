// THE TABLE: every policy Duet has. One line each; nothing else needs to know them.
#include <algorithm>
#include <array>

#include "core/policy.h"

namespace duet {

#define DUET_POLICY(kind, maker) Result<std::unique_ptr<kind>> maker(const Params&)
DUET_POLICY(Queue, make_fcfs);
DUET_POLICY(Queue, make_sjf);
DUET_POLICY(Queue, make_priority);
DUET_POLICY(Queue, make_easy);
DUET_POLICY(Queue, make_easy_machines);
DUET_POLICY(Scheduler, make_first_fit);
DUET_POLICY(Scheduler, make_round_robin);
DUET_POLICY(Scheduler, make_bin_pack);
DUET_POLICY(Scheduler, make_spread);
DUET_POLICY(Scheduler, make_least_load);
DUET_POLICY(Scheduler, make_lowest_cpu);
DUET_POLICY(Scheduler, make_e_pvm);
DUET_POLICY(Scheduler, make_e_pvm_cube);
DUET_POLICY(Scheduler, make_two_choices);
DUET_POLICY(Autoscaler, make_fixed);
DUET_POLICY(Autoscaler, make_threshold);
DUET_POLICY(Autoscaler, make_queue_depth);
DUET_POLICY(FailureDetector, make_timeout);
DUET_POLICY(CpuEstimator, make_declared);
DUET_POLICY(CpuEstimator, make_iterations);
DUET_POLICY(CpuEstimator, make_learned);
#undef DUET_POLICY

namespace {

constexpr std::array kQueues{
    PolicyEntry<Queue>{"fcfs", "First come, first served: stops at the first job that does not fit.", "",
                       make_fcfs},
    PolicyEntry<Queue>{"sjf", "Shortest estimate first: stops at the first job that does not fit.", "",
                       make_sjf},
    PolicyEntry<Queue>{"priority", "Highest priority first: stops at the first job that does not fit.", "",
                       make_priority},
    PolicyEntry<Queue>{"easy", "EASY backfilling that counts free cores over identical nodes.", "",
                       make_easy},
    PolicyEntry<Queue>{"easy_machines", "EASY backfilling whose reservation holds concrete nodes.", "",
                       make_easy_machines},
};
constexpr std::array kSchedulers{
    PolicyEntry<Scheduler>{"first_fit", "The lowest node that has room.", "", make_first_fit},
    PolicyEntry<Scheduler>{"round_robin", "The next node with room after the one chosen last.", "",
                           make_round_robin},
    PolicyEntry<Scheduler>{"bin_pack", "The fullest node with room: 0.7 CPU + 0.3 memory utilisation.", "",
                           make_bin_pack},
    PolicyEntry<Scheduler>{"spread", "The emptiest node with room, by the same measure as bin_pack.", "",
                           make_spread},
    PolicyEntry<Scheduler>{"least_load", "The node with the least CPU allocated, relative to its size.", "",
                           make_least_load},
    PolicyEntry<Scheduler>{"lowest_cpu", "The node with the least CPU allocated, in millicores.", "",
                           make_lowest_cpu},
    PolicyEntry<Scheduler>{"e_pvm", "The node whose price a task raises least, prices being exponential.", "",
                           make_e_pvm},
    PolicyEntry<Scheduler>{"e_pvm_cube", "As e_pvm, with a fixed base and a fixed maximum of tasks.", "",
                           make_e_pvm_cube},
    PolicyEntry<Scheduler>{"two_choices", "The less loaded of two nodes drawn at random.", "",
                           make_two_choices},
};
constexpr std::array kAutoscalers{
    PolicyEntry<Autoscaler>{"fixed", "Groups keep the size the user gave them.", "", make_fixed},
    PolicyEntry<Autoscaler>{
        "threshold", "One more member when something finds no room, or all are loaded beyond a threshold.",
        "above_percent: percent of a member's CPU, 70, ask for one more beyond it", make_threshold},
    PolicyEntry<Autoscaler>{
        "queue_depth", "As many members as the operations that wait or run need.",
        "per_member: operations, 4, that one member is to have; idle_s: seconds, 60, without a queue before "
        "members are given up",
        make_queue_depth},
};
constexpr std::array kDetectors{
    PolicyEntry<FailureDetector>{
        "timeout", "A node is suspect, then dead, when nothing is heard of it for so long.",
        "profile: s0 s3 or fast, s0, sets the others; suspect_after_s: seconds, by profile, 0 = never; "
        "dead_after_s: seconds, by profile, 0 = never",
        make_timeout},
};
constexpr std::array kEstimators{
    PolicyEntry<CpuEstimator>{"declared", "What the submitter declared as the task's estimate.", "",
                              make_declared},
    PolicyEntry<CpuEstimator>{"iterations", "The task's iterations at a given rate; else as declared.",
                              "rate: iterations per second, 100000000, of every operation", make_iterations},
    PolicyEntry<CpuEstimator>{
        "learned", "What tasks like it took; as iterations until enough have ended.",
        "rate: iterations per second, 100000000, until enough is learned; "
        "from: run_time or cpu_time, run_time, what it learns from where that was measured",
        make_learned},
};

/// The table of a kind: Duet's entries, and those that main() has added.
template <class P, std::size_t N>
std::vector<PolicyEntry<P>>& table_of(const std::array<PolicyEntry<P>, N>& ours) {
  static std::vector<PolicyEntry<P>> table(ours.begin(), ours.end());
  return table;
}
template <class P, std::size_t N>
std::span<const PolicyEntry<P>> all_of(const std::array<PolicyEntry<P>, N>& ours) {
  return table_of(ours);
}
template <class P, std::size_t N>
void append(const std::array<PolicyEntry<P>, N>& ours, std::span<const PolicyEntry<P>> own) {
  table_of(ours).insert(table_of(ours).end(), own.begin(), own.end());
}

/// `taken` grows by the names that are right.
template <class P>
void check_own(Problems& problems, std::vector<std::string_view>& taken,
               std::span<const PolicyEntry<P>> own) {
  for (const PolicyEntry<P>& entry : own) {
    const std::string name(entry.name);
    if (const auto why = bad_policy_name(entry.name); !why.empty())
      problems.push_back({name, "no policy can be called so", std::string(why)});
    else if (std::find(taken.begin(), taken.end(), entry.name) != taken.end())
      problems.push_back({name, "there is already a policy of this name", "another name"});
    else if (entry.make == nullptr)
      problems.push_back({name, "it has no function that makes it", "PolicyEntry::make"});
    else
      taken.push_back(entry.name);
  }
}

template <class P>
void check(Problems& all, const char* kind, std::span<const PolicyEntry<P>> table,
           const PolicyChoice& choice) {
  const auto made = make_policy(table, choice);
  if (made) return;
  for (Problem problem : made.problems()) {
    problem.where = problem.where.empty() ? kind : std::string(kind) + "/" + problem.where;
    all.push_back(std::move(problem));
  }
}

}  // namespace

std::span<const PolicyEntry<Queue>> queue_policies() { return all_of(kQueues); }
std::span<const PolicyEntry<Scheduler>> scheduler_policies() { return all_of(kSchedulers); }
std::span<const PolicyEntry<Autoscaler>> autoscaler_policies() { return all_of(kAutoscalers); }
std::span<const PolicyEntry<FailureDetector>> detector_policies() { return all_of(kDetectors); }
std::span<const PolicyEntry<CpuEstimator>> estimator_policies() { return all_of(kEstimators); }

std::string_view bad_policy_name(std::string_view name) {
  if (name.empty() || name.size() > 40) return "a name has 1 to 40 characters";
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos)
    return "a name is made of a-z, 0-9 and _";
  if (name.front() < 'a') return "a name begins with a letter";
  if (name.back() == '_' || name.find("__") != std::string_view::npos)
    return "a name has no _ at its end, and no two in a row";
  return {};
}

Problems add_policies(const OwnPolicies& own) {
  Problems problems;
  std::vector<std::string_view> taken;
  const auto note = [&taken](const auto& table) {
    for (const auto& entry : table) taken.push_back(entry.name);
  };
  note(queue_policies());
  note(scheduler_policies());
  note(autoscaler_policies());
  note(detector_policies());
  note(estimator_policies());
  check_own(problems, taken, own.queues);
  check_own(problems, taken, own.schedulers);
  check_own(problems, taken, own.autoscalers);
  check_own(problems, taken, own.detectors);
  check_own(problems, taken, own.estimators);
  if (!problems.empty()) return problems;
  append(kQueues, own.queues);
  append(kSchedulers, own.schedulers);
  append(kAutoscalers, own.autoscalers);
  append(kDetectors, own.detectors);
  append(kEstimators, own.estimators);
  return {};
}

Problems check_policies(const ControllerConfig& config) {
  Problems all;
  check(all, "queue", queue_policies(), config.queue);
  check(all, "scheduler", scheduler_policies(), config.scheduler);
  check(all, "autoscaler", autoscaler_policies(), config.autoscaler);
  check(all, "detector", detector_policies(), config.detector);
  check(all, "estimator", estimator_policies(), config.estimator);
  return all;
}

}  // namespace duet
