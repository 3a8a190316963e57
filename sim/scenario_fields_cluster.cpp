// The fields of a scenario file itself, of its cluster and of its policies.
#include "sim/node_models.h"
#include "sim/scenario_field_makers.h"

namespace duet::sim::fields {
namespace {

constexpr Field kClusterFields[] = {
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
    integer(
        S::kCluster, "stuck_after", "rounds", 0, kMillion, "0",
        "A node that is heard is suspect after so many rounds of repetition in which it answered none of its "
        "launches, however many these are. 0 = never."),
    interval(S::kCluster, "keys_kept_s", "86400",
             "For how long after a submission its idempotency key stands for its job; as long as the job "
             "lives in any case."),
    nested(S::kCluster, "mass_loss", kObject, S::kMassLoss,
           "When many nodes fall silent at once, they are given up slowly."),

    required(integer(
        S::kMassLoss, "percent", "%", 0, 100, "",
        "More than this share of the known nodes given up within `window_s`, the next one "
        "included, is a mass loss: that one waits. The first is never held back. 0 = nothing waits.")),
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
};

}  // namespace

std::span<const Field> cluster_fields() { return kClusterFields; }

}  // namespace duet::sim::fields
