// THE TABLE: every policy Duet has. One line each; nothing else needs to know them.
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
    PolicyEntry<CpuEstimator>{"learned", "What tasks like it took; as iterations until enough have ended.",
                              "rate: iterations per second, 100000000, until enough is learned",
                              make_learned},
};

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

std::span<const PolicyEntry<Queue>> queue_policies() { return kQueues; }
std::span<const PolicyEntry<Scheduler>> scheduler_policies() { return kSchedulers; }
std::span<const PolicyEntry<Autoscaler>> autoscaler_policies() { return kAutoscalers; }
std::span<const PolicyEntry<FailureDetector>> detector_policies() { return kDetectors; }
std::span<const PolicyEntry<CpuEstimator>> estimator_policies() { return kEstimators; }

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
