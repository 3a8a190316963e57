#include "sim/scenario_fields.h"

#include <algorithm>
#include <iterator>

#include "sim/node_models.h"

namespace duet::sim {
namespace {

using enum FieldType;
using S = Section;

// 64 bits of nanoseconds end at 9.2e9 s: a job that starts as late as it may, and runs as long as it may,
// still leaves room for some messages.
constexpr double kMaxSeconds = 4e9;   // 127 years
constexpr double kMaxInterval = 1e7;  // 115 days: of messages
constexpr double kMaxCount = 9e18;    // fits 64 bits, and is a double exactly
constexpr double kMaxCores = 1e8;     // of one node: a whole cluster can be one pool
constexpr double kMillion = 1e6;
constexpr double kMaxMemory = 1e9;  // MiB: a pebibyte

constexpr Field seconds(S section, std::string_view name, std::string_view fallback, std::string_view doc,
                        bool above_zero = false) {
  return {.section = section,
          .name = name,
          .type = kSeconds,
          .above_min = above_zero,
          .max = kMaxSeconds,
          .fallback = fallback,
          .doc = doc};
}
/// Of the protocol, and of the network below it.
constexpr Field interval(S section, std::string_view name, std::string_view fallback, std::string_view doc,
                         bool above_zero = false) {
  Field field = seconds(section, name, fallback, doc, above_zero);
  field.max = kMaxInterval;
  return field;
}
constexpr Field integer(S section, std::string_view name, std::string_view unit, double min, double max,
                        std::string_view fallback, std::string_view doc) {
  return {.section = section,
          .name = name,
          .type = kInteger,
          .unit = unit,
          .min = min,
          .max = max,
          .fallback = fallback,
          .doc = doc};
}
constexpr Field number(S section, std::string_view name, std::string_view unit, double max,
                       std::string_view fallback, std::string_view doc, bool above_zero = true) {
  return {.section = section,
          .name = name,
          .type = kNumber,
          .unit = unit,
          .above_min = above_zero,
          .max = max,
          .fallback = fallback,
          .doc = doc};
}
constexpr Field plain(S section, std::string_view name, FieldType type, std::string_view fallback,
                      std::string_view doc) {
  return {.section = section, .name = name, .type = type, .max = 1, .fallback = fallback, .doc = doc};
}
constexpr Field choice(S section, std::string_view name, std::string_view choices, std::string_view fallback,
                       std::string_view doc) {
  return {.section = section,
          .name = name,
          .type = kChoice,
          .fallback = fallback,
          .choices = choices,
          .doc = doc};
}
constexpr Field nested(S section, std::string_view name, FieldType type, S child, std::string_view doc) {
  return {.section = section, .name = name, .type = type, .child = child, .doc = doc};
}
constexpr Field required(Field field) {
  field.required = true;
  return field;
}

// What one task asks for and does stands in jobs, in groups of a bag, and (without times) in generated jobs.
constexpr Field cores(S s) {
  return integer(s, "cores", "hardware threads", 1, kMaxCores, "1",
                 "Hardware threads of each task. Not with `cpu_m` or `exclusive`.");
}
constexpr Field cpu_m(S s) {
  return integer(s, "cpu_m", "millicores", 0, 1000 * kMaxCores, "",
                 "Instead of `cores`: shares of threads, 1000 = one hardware thread.");
}
constexpr Field memory(S s) {
  return integer(s, "memory_mib", "MiB", 0, kMaxMemory, "0", "Memory of each task.");
}
constexpr Field counts(S s) {
  return plain(s, "count", kCounts, "{}", "Countable things that each task takes, such as `{\"gpus\": 1}`.");
}
constexpr Field exclusive(S s) {
  return plain(s, "exclusive", kFlag, "false",
               "Each task takes one whole core with all its hardware threads.");
}
constexpr Field duration(S s) {
  return seconds(s, "duration_s", "", "How long a task runs, whatever the node. This or `operations`.", true);
}
constexpr Field operations(S s) {
  return integer(s, "operations", "operations", 1, kMaxCount, "",
                 "Instead of `duration_s`: work that each thread of a task does at the speed of its node.");
}
constexpr Field weight(S s) {
  return integer(s, "cpu_weight", "", 1, 10'000, "1",
                 "Where several operations want a core at once, each gets a share by its weight.");
}
constexpr Field estimate(S s) {
  return seconds(s, "estimate_s", "0",
                 "What the user thinks a task takes; for scheduling only. 0 = no estimate.");
}
constexpr Field timeout(S s) {
  return seconds(s, "timeout_s", "0", "A task is ended and has failed this long after its start. 0 = never.");
}
constexpr Field operation(S s) {
  return plain(s, "operation", kText, "\"\"",
               "What kind of work it is, for estimators that learn: tasks of one `operation` cost alike.");
}
constexpr Field iterations(S s) {
  return integer(s, "iterations", "iterations", 0, kMaxCount, "0",
                 "How much of its `operation` each task does; for estimators only. 0 = not given.");
}
constexpr Field pool(S s) {
  return plain(s, "pool", kName, "",
               "Each task is an operation that a worker of this pool executes; it needs nothing of its own.");
}
constexpr Field fail_attempts(S s) {
  return integer(s, "fail_attempts", "attempts", 0, 1e9, "0",
                 "The first so many attempts of each task fail at their end.");
}
constexpr Field exit_code(S s) {
  return integer(s, "exit_code", "", -64, 255, "1",
                 "What these attempts exit with: 1 to 255, or minus the signal.");
}
constexpr Field tasks(S s) {
  return integer(s, "tasks", "tasks", 1, kMillion, "1",
                 "Tasks of the job: a gang if the job is rigid, independent ones if it is a bag.");
}
constexpr Field retries(S s) {
  return integer(s, "retries", "attempts", 0, kMillion, "0",
                 "Further attempts of a task (of a rigid job: of the whole job) after failures of its own.");
}
constexpr Field generated_jobs(S s) {
  return required(integer(s, "jobs", "jobs", 1, 1e8, "", "How many jobs."));
}
constexpr Field at_s(S s) {
  return required(seconds(s, "at_s", "", "When; at one instant in the order of the file."));
}
// Of faults that last.
constexpr Field until(S s) { return seconds(s, "until_s", "", "It ends then. This or `for_s`.", true); }
constexpr Field lasts(S s) { return seconds(s, "for_s", "", "It lasts so long. This or `until_s`.", true); }
constexpr Field node(S s) { return required(plain(s, "node", kName, "", "The node.")); }
// What may happen to messages.
constexpr Field loss(S s) { return plain(s, "loss", kRatio, "0", "Of messages that never arrive."); }
constexpr Field duplicate(S s) {
  return plain(s, "duplicate", kRatio, "0", "Of messages that arrive twice.");
}
constexpr Field delay(S s) {
  return plain(s, "delay", kRatio, "0", "Of messages that take up to `max_delay_s` longer.");
}
constexpr Field max_delay(S s) {
  return seconds(s, "max_delay_s", "0", "The most that a delayed message takes longer.");
}
constexpr Field estimate_factor(S s) {
  return number(s, "estimate_factor", "", 1e6, "1", "Estimate = this times the run time. 0 = no estimates.",
                false);
}

constexpr Field kFields[] = {
    plain(S::kScenario, "$schema", kText, "",
          "Path of `scenario.schema.json`, for editors; otherwise ignored."),
    plain(S::kScenario, "name", kText, "\"\"", "What reports call it."),
    plain(S::kScenario, "description", kText, "\"\"", "What it shows, and why its assertions hold."),
    plain(S::kScenario, "seed", kSeed, "1", "All randomness of a run comes from it."),
    seconds(S::kScenario, "horizon_s", "", "The run stops here. Without it: when all is done.", true),
    required(nested(S::kScenario, "cluster", kObject, S::kCluster, "The nodes.")),
    nested(S::kScenario, "policies", kObject, S::kPolicies, "Who decides what, and how."),
    required(nested(S::kScenario, "workload", kObject, S::kWorkload, "The jobs.")),
    nested(S::kScenario, "events", kObjects, S::kEvent, "What an operator does during the run."),
    nested(S::kScenario, "faults", kObjects, S::kFault, "What breaks during the run."),
    nested(S::kScenario, "network", kObject, S::kNetwork, "Message faults, drawn from the seed."),
    plain(S::kScenario, "assertions", kTexts, "[]",
          "What must hold at the end, such as `\"makespan_s <= 120\"`; a failed one makes the run exit 1."),

    plain(S::kCluster, "countable", kNames, "[]",
          "Names of countable kinds, such as `[\"gpus\"]`; at most six."),
    nested(S::kCluster, "node_types", kMap, S::kNodeType, "Kinds of node, by name."),
    required(nested(S::kCluster, "nodes", kObjects, S::kNodes, "The nodes, in the order of their ids.")),
    interval(S::kCluster, "latency_s", "0", "Of a message between controller and agent, one way."),
    interval(S::kCluster, "commit_delay_s", "0", "Until a record of the controller is durable."),
    interval(S::kCluster, "heartbeat_s", "10", "Between heartbeats of an agent. 0 = none are sent."),
    interval(S::kCluster, "resend_after_s", "5", "An unanswered message is sent again after this.", true),
    interval(S::kCluster, "kill_grace_s", "10", "From the polite request to end a task to the forced end."),
    integer(S::kCluster, "max_losses", "losses", 0, kMillion, "16",
            "A task lost with its node more often than this fails."),
    integer(S::kCluster, "stuck_after", "launches", 0, kMillion, "0",
            "A node that is heard, but answers no launch, is suspect after so many repetitions. 0 = never."),
    interval(S::kCluster, "keys_kept_s", "86400",
             "For how long after a submission its idempotency key stands for its job; as long as the job "
             "lives in any case."),
    nested(S::kCluster, "mass_loss", kObject, S::kMassLoss,
           "When many nodes fall silent at once, they are given up slowly."),

    required(integer(S::kMassLoss, "percent", "%", 0, 100, "",
                     "More than this share of the nodes given up within `window_s` is a mass loss. 0 = "
                     "nothing is.")),
    interval(S::kMassLoss, "window_s", "60", "How long a node counts as just given up."),
    interval(S::kMassLoss, "interval_s", "10", "In a mass loss, from one node that is given up to the next."),

    choice(S::kNodeType, "model", kNodeModels, "",
           "A machine that Duet knows; the other fields then say what is different."),
    integer(S::kNodeType, "cores", "cores", 1, kMaxCores, "1",
            "Its cores. Tasks may use all but the first `reserved_cores`."),
    integer(S::kNodeType, "reserved_cores", "cores", 0, kMaxCores, "0",
            "Left to the operating system and Duet itself; nothing of theirs is simulated."),
    plain(S::kNodeType, "zones", kNames, "[]",
          "Names of the cores that tasks may use, for `tasks.csv`: one for each, or none."),
    integer(S::kNodeType, "threads_per_core", "hardware threads", 1, 64, "1",
            "Hardware threads of each core."),
    number(S::kNodeType, "speed_hz", "operations/s", 1e18, "1e9",
           "Of one thread that has its core to itself. Not with `turbo_hz`."),
    {.section = S::kNodeType,
     .name = "turbo_hz",
     .type = kNumbers,
     .unit = "operations/s",
     .above_min = true,
     .max = 1e18,
     .doc = "Instead of `speed_hz`: the speed by the number of busy cores (1, 2, ...); the last holds for "
            "all above."},
    number(S::kNodeType, "smt_yield", "", 64, "",
           "What a core with several busy threads does together, as a multiple of one alone: at most, and by "
           "default, "
           "`threads_per_core`."),
    integer(S::kNodeType, "memory_mib", "MiB", 0, kMaxMemory, "0", "Memory that tasks may use."),
    plain(S::kNodeType, "count", kCounts, "{}", "Countable things it has, such as `{\"gpus\": 2}`."),

    nested(S::kNodeType, "power", kObject, S::kPower, "What it draws. Without it there is no `energy_j`."),

    {.section = S::kPower,
     .name = "core_w",
     .type = kNumbers,
     .unit = "W",
     .max = kMillion,
     .doc = "Of a core by the number of its busy threads (0, 1, 2, ...); the last holds for all above. "
            "Required unless the model has it."},
    number(S::kPower, "uncore_w", "W", kMillion, "0", "Of all else in the node, while it is on.", false),
    number(S::kPower, "off_w", "W", kMillion, "0", "Of a node that is off.", false),

    required(plain(S::kNodes, "type", kName, "", "One of `node_types`, or the name of a model.")),
    integer(S::kNodes, "count", "nodes", 1, kMillion, "1",
            "How many. If given, they are called `name` and a number from 0."),
    plain(S::kNodes, "name", kName, "", "Of the node or nodes; by default the name of the type."),

    plain(S::kPolicies, "queue", kPolicy, "\"fcfs\"", "Which job is tried when."),
    plain(S::kPolicies, "scheduler", kPolicy, "\"first_fit\"", "Which node a task goes to."),
    plain(S::kPolicies, "autoscaler", kPolicy, "\"fixed\"", "How many members a group has."),
    plain(S::kPolicies, "detector", kPolicy, "\"timeout\"", "When a silent node is given up."),
    plain(S::kPolicies, "estimator", kPolicy, "\"declared\"", "How long a task is thought to run."),

    nested(S::kWorkload, "jobs", kObjects, S::kJob, "The jobs one by one. This, `generate` or `table`."),
    nested(S::kWorkload, "generate", kGenerator, S::kPoisson, "Jobs drawn from the seed by a model."),
    nested(S::kWorkload, "table", kObject, S::kTable, "An imported job log: what `duet import` writes."),

    plain(S::kJob, "id", kName, "", "Its name in results and events; by default `job` and its place from 1."),
    plain(S::kJob, "user", kText, "\"\"", "On whose behalf."),
    seconds(S::kJob, "at_s", "0", "When it is submitted; at one instant in the order of the file."),
    choice(S::kJob, "kind", "rigid|bag|dag|service", "\"rigid\"",
           "`rigid`: its tasks start together or not at all. `bag`: each as capacity allows. `dag`: groups "
           "that come "
           "`after` others. `service`: `replicas` that run until it is cancelled."),
    tasks(S::kJob),
    integer(S::kJob, "replicas", "replicas", 0, kMillion, "1", "Of a service, instead of `tasks`."),
    cores(S::kJob),
    cpu_m(S::kJob),
    memory(S::kJob),
    counts(S::kJob),
    exclusive(S::kJob),
    duration(S::kJob),
    operations(S::kJob),
    weight(S::kJob),
    estimate(S::kJob),
    timeout(S::kJob),
    operation(S::kJob),
    iterations(S::kJob),
    pool(S::kJob),
    fail_attempts(S::kJob),
    exit_code(S::kJob),
    nested(S::kJob, "workers", kObject, S::kWorkers, "Of a service: its replicas are the workers of a pool."),
    nested(S::kJob, "groups", kObjects, S::kGroup,
           "Of a DAG, or of a bag whose tasks differ: its tasks by groups, instead of the fields from "
           "`tasks` to "
           "`exit_code`."),
    retries(S::kJob),
    seconds(S::kJob, "backoff_s", "0",
            "What failed by itself waits so long; twice as long each further time."),
    plain(S::kJob, "scheduler", kName, "", "Places its tasks; by default the scheduler of /policies."),
    integer(S::kJob, "priority", "", -kMillion, kMillion, "0",
            "For the queue `priority`: the highest goes first."),
    nested(S::kJob, "repeat", kObject, S::kRepeat, "Submit it several times, as `id` and a number from 0."),

    required(plain(S::kWorkers, "pool", kName, "", "What operations call it.")),
    integer(S::kWorkers, "min", "workers", 0, kMillion, "0", "The autoscaler does not go below."),
    integer(S::kWorkers, "max", "workers", 1, kMillion, "",
            "Nor above; by default as many as the cluster has room for."),
    integer(S::kWorkers, "full_percent", "%", 1, 100, "80",
            "A worker gets no operation that would load it beyond this; an idle one takes any."),
    integer(S::kWorkers, "queue_limit", "operations", 0, kMillion, "0",
            "A job whose operations would make more than so many wait is refused. 0 = none is."),
    plain(S::kWorkers, "pull", kFlag, "false",
          "Workers get operations when they ask for one, one at a time."),
    plain(S::kWorkers, "dry_run", kFlag, "false", "The autoscaler only says what it would do."),
    seconds(S::kWorkers, "cooldown_up_s", "0", "After a change of their number none is added for so long."),
    seconds(S::kWorkers, "cooldown_down_s", "0", "After a change of their number none is ended for so long."),

    plain(S::kGroup, "name", kName, "", "By which other groups of a DAG come after it."),
    plain(S::kGroup, "after", kNames, "[]", "Groups of the DAG whose tasks must have succeeded first."),
    integer(S::kGroup, "tasks", "tasks", 1, kMillion, "1", "Tasks of the group."),
    cores(S::kGroup),
    cpu_m(S::kGroup),
    memory(S::kGroup),
    counts(S::kGroup),
    exclusive(S::kGroup),
    duration(S::kGroup),
    operations(S::kGroup),
    weight(S::kGroup),
    estimate(S::kGroup),
    timeout(S::kGroup),
    operation(S::kGroup),
    iterations(S::kGroup),
    pool(S::kGroup),
    fail_attempts(S::kGroup),
    exit_code(S::kGroup),

    required(integer(S::kRepeat, "count", "jobs", 1, kMillion, "", "How many times in all.")),
    seconds(S::kRepeat, "every_s", "0", "From one to the next."),

    required(choice(S::kPoisson, "model", "poisson", "", "Exponential gaps, exponential run times.")),
    generated_jobs(S::kPoisson),
    number(S::kPoisson, "mean_gap_s", "s", kMaxSeconds, "1", "Between submissions."),
    number(S::kPoisson, "mean_duration_s", "s", kMaxSeconds, "60",
           "Of the run times. Not with `mean_operations`."),
    number(S::kPoisson, "mean_operations", "operations", kMaxCount, "",
           "Instead of `mean_duration_s`: work of each thread of a task."),
    plain(S::kPoisson, "fixed_size", kFlag, "false", "Every job is exactly the mean."),
    estimate_factor(S::kPoisson),
    tasks(S::kPoisson),
    cores(S::kPoisson),
    cpu_m(S::kPoisson),
    memory(S::kPoisson),
    counts(S::kPoisson),
    exclusive(S::kPoisson),
    timeout(S::kPoisson),
    retries(S::kPoisson),

    required(choice(
        S::kLublin, "model", "lublin", "",
        "Lublin and Feitelson's model of rigid jobs on supercomputers (JPDC 63(11), 2003), batch part.")),
    generated_jobs(S::kLublin),
    integer(S::kLublin, "max_cores", "hardware threads", 1, kMaxCores, "256", "The largest job."),
    plain(S::kLublin, "gangs", kFlag, "false",
          "A job of n threads is a gang of n one-thread tasks, not one task."),
    number(S::kLublin, "load_factor", "", 1e6, "1", "Divides the gaps between submissions."),
    estimate_factor(S::kLublin),

    required(plain(S::kTable, "columns", kNames, "", "What the values of a row are, in their order.")),
    required(plain(S::kTable, "rows", kRows, "", "One array per job.")),

    plain(S::kColumn, "id", kName, "",
          "Its name in results: a string or an integer; by default the row from 1."),
    required(seconds(S::kColumn, "submit_s", "",
                     "When it is submitted; at one instant in the order of the rows.")),
    seconds(S::kColumn, "duration_s", "0", "How long it runs; in each row this or `operations` is above 0."),
    integer(S::kColumn, "operations", "operations", 0, kMaxCount, "0", "Work of each of its threads."),
    seconds(S::kColumn, "estimate_s", "0", "What the user thought it takes. 0 = no estimate."),
    seconds(S::kColumn, "timeout_s", "0", "It is ended this long after its start. 0 = never."),
    integer(S::kColumn, "tasks", "tasks", 1, kMillion, "1", "Tasks that start together."),
    integer(S::kColumn, "cores", "hardware threads", 1, kMaxCores, "1", "Of each task."),
    integer(S::kColumn, "user", "", 0, 4e9, "0", "On whose behalf, as a number. 0 = unknown."),

    at_s(S::kEvent),
    plain(S::kEvent, "cancel", kName, "", "The job of this `id`."),
    plain(S::kEvent, "scale", kName, "", "The service of this `id` is to have so many `replicas`."),
    integer(S::kEvent, "replicas", "replicas", 0, kMillion, "", "With `scale`: how many."),
    plain(S::kEvent, "update", kName, "",
          "The service of this `id` is to run `to` instead, replica by replica."),
    nested(S::kEvent, "to", kObject, S::kGroup, "With `update`: the new replicas; `tasks` says how many."),
    plain(S::kEvent, "submit_again", kName, "",
          "The listed job of this `id` is submitted once more, under the same idempotency key: as by someone "
          "who got no answer."),
    plain(S::kEvent, "changed", kFlag, "false",
          "With `submit_again`: as another job (of one retry more), which must be refused."),
    plain(S::kEvent, "drain", kName, "", "This node gets no new tasks."),
    plain(S::kEvent, "evict", kName, "", "As `drain`, and its tasks are ended and run elsewhere."),
    plain(S::kEvent, "undrain", kName, "", "This node gets tasks again."),

    at_s(S::kFault),
    plain(S::kFault, "crash", kName, "", "This node stops with all that runs on it."),
    plain(S::kFault, "restart", kName, "", "This node is back, empty."),
    nested(S::kFault, "slow_node", kObject, S::kSlowNode, "Operations on a node take longer for a while."),
    nested(S::kFault, "partition", kObject, S::kPartition,
           "Messages between the controller and some nodes are lost."),
    nested(S::kFault, "network", kObject, S::kNetworkFault,
           "Messages are lost, repeated and late at random: as `/network`, for a while."),
    nested(S::kFault, "clock_skew", kObject, S::kClockSkew, "The clock of a node's agent is wrong."),
    nested(S::kFault, "controller_restart", kObject, S::kControllerRestart,
           "The controller dies; another one starts from the store."),
    nested(S::kFault, "store_delay", kObject, S::kStoreDelay, "Records take longer to become durable."),
    nested(S::kFault, "store_failure", kObject, S::kStoreFailure, "Records cannot be stored."),
    nested(S::kFault, "agent_restart", kObject, S::kAgentRestart,
           "A node's agent dies, and what it runs goes on; another agent takes it over."),
    nested(S::kFault, "stuck_node", kObject, S::kStuckNode,
           "A node starts nothing, though its agent goes on: launches wait."),

    node(S::kSlowNode),
    required({.section = S::kSlowNode,
              .name = "factor",
              .type = kNumber,
              .min = 1,
              .max = kMillion,
              .doc = "Its speed is divided by this."}),
    until(S::kSlowNode),
    lasts(S::kSlowNode),

    required(plain(S::kPartition, "nodes", kNames, "", "Those that are cut off.")),
    choice(S::kPartition, "direction", "both|to_agent|to_controller", "\"both\"",
           "Which messages are lost: those to the agents, those to the controller, or both."),
    until(S::kPartition),
    lasts(S::kPartition),

    loss(S::kNetworkFault),
    duplicate(S::kNetworkFault),
    delay(S::kNetworkFault),
    max_delay(S::kNetworkFault),
    plain(S::kNetworkFault, "nodes", kNames, "", "Those whose messages suffer; by default all."),
    until(S::kNetworkFault),
    lasts(S::kNetworkFault),

    node(S::kClockSkew),
    {.section = S::kClockSkew,
     .name = "rate",
     .type = kRatio,
     .min = 0.5,
     .max = 2,
     .fallback = "1",
     .doc = "How fast it goes: 1.01 = fast by a hundredth."},
    seconds(S::kClockSkew, "offset_s", "0",
            "How far it jumps at the start; a monotone clock never goes back."),
    until(S::kClockSkew),
    lasts(S::kClockSkew),

    until(S::kControllerRestart),
    lasts(S::kControllerRestart),

    required(seconds(S::kStoreDelay, "delay_s", "", "What a commit takes at least.")),
    until(S::kStoreDelay),
    lasts(S::kStoreDelay),

    until(S::kStoreFailure),
    lasts(S::kStoreFailure),

    node(S::kAgentRestart),
    until(S::kAgentRestart),
    lasts(S::kAgentRestart),

    node(S::kStuckNode),
    until(S::kStuckNode),
    lasts(S::kStuckNode),

    loss(S::kNetwork),
    duplicate(S::kNetwork),
    delay(S::kNetwork),
    max_delay(S::kNetwork),
    seconds(S::kNetwork, "until_s", "", "From then on every message arrives; by default never."),
};

}  // namespace

std::span<const Field> scenario_fields() { return kFields; }

std::span<const Field> fields_of(Section section) {
  const auto begin = std::find_if(std::begin(kFields), std::end(kFields),
                                  [&](const Field& f) { return f.section == section; });
  const auto end =
      std::find_if(begin, std::end(kFields), [&](const Field& f) { return f.section != section; });
  return {begin, end};
}

const Field* find_field(Section section, std::string_view name) {
  for (const Field& field : fields_of(section))
    if (field.name == name) return &field;
  return nullptr;
}

}  // namespace duet::sim
