// The fields of workloads: jobs one by one, models that draw them, imported logs.
#include "sim/scenario_field_makers.h"

namespace duet::sim::fields {
namespace {

constexpr Field kJobFields[] = {
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
    health(S::kJob),
    nested(S::kJob, "workers", kObject, S::kWorkers, "Of a service: its replicas are the workers of a pool."),
    nested(S::kJob, "groups", kObjects, S::kGroup,
           "Of a DAG, or of a bag whose tasks differ: its tasks by groups, instead of the fields from "
           "`tasks` to "
           "`health`."),
    retries(S::kJob),
    seconds(S::kJob, "backoff_s", "0",
            "What failed by itself waits so long; twice as long each further time."),
    choice(
        S::kJob, "restart", "always|on_failure|never", "",
        "What becomes of a replica that ended by itself: it runs again, or only if it failed, or never; by "
        "default "
        "`always`. With `retries` at most so many times in a row on failure. Of other jobs `on_failure` "
        "means "
        "any number of `retries`."),
    plain(S::kJob, "scheduler", kName, "", "Places its tasks; by default the scheduler of /policies."),
    integer(S::kJob, "priority", "", -kMillion, kMillion, "0",
            "For the queue `priority`: the highest goes first."),
    nested(S::kJob, "repeat", kObject, S::kRepeat, "Submit it several times, as `id` and a number from 0."),

    seconds(S::kHealth, "interval_s", "10", "From one probe to the next.", true),
    seconds(S::kHealth, "timeout_s", "1", "A probe without an answer for so long has failed.", true),
    seconds(S::kHealth, "start_period_s", "0",
            "So long after an attempt's start, and until its first success, failures do not count."),
    integer(S::kHealth, "failures", "failures", 1, kMillion, "3",
            "So many in a row, and the attempt is ended: it has failed."),

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
    seconds(S::kWorkers, "cooldown_up_s", "0",
            "After the autoscaler has changed their number it adds none for so long."),
    seconds(S::kWorkers, "cooldown_down_s", "0",
            "After the autoscaler has changed their number it ends none for so long. `threshold` never ends "
            "any."),

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
    health(S::kGroup),

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
};

}  // namespace

std::span<const Field> job_fields() { return kJobFields; }

}  // namespace duet::sim::fields
