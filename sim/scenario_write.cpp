#include "sim/scenario_write.h"

#include <algorithm>
#include <variant>

#include "core/check.h"
#include "core/lifecycle.h"
#include "sim/decimal.h"
#include "sim/payload.h"

namespace duet::sim {
namespace {

std::string decimal(std::int64_t units, int decimals) {
  std::string text;
  append_decimal(text, units, decimals);
  return text;
}

class ScenarioWriter {
 public:
  ScenarioWriter(const Scenario& scenario, const TextSink& sink) : scenario_(scenario), out_(sink) {}

  void write() {
    out_.object();
    text("name", scenario_.name);
    text("description", scenario_.description);
    raw("seed", std::to_string(scenario_.seed));
    if (scenario_.horizon) instant("horizon_s", *scenario_.horizon);
    cluster();
    policies();
    workload();
    events();
    faults();
    network();
    array("assertions");
    for (const Assertion& assertion : scenario_.assertions)
      out_.string(assertion.metric + ' ' + assertion.relation + ' ' + number_text(assertion.bound));
    out_.close();
    out_.close();
    out_.finish();
  }

 private:
  void raw(std::string_view key, std::string_view json) {
    out_.key(key);
    out_.raw(json);
  }
  void text(std::string_view key, std::string_view value) {
    out_.key(key);
    out_.string(value);
  }
  void integer(std::string_view key, std::int64_t value) { raw(key, std::to_string(value)); }
  void number(std::string_view key, double value) { raw(key, number_text(value)); }
  void numbers(std::string_view key, const std::vector<double>& values) {
    array(key);
    for (const double value : values) out_.number(value);
    out_.close();
  }
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void seconds(std::string_view key, Duration value) { raw(key, decimal(to_ns(value), 9)); }
  void instant(std::string_view key, Instant value) { raw(key, decimal(to_ns(value), 9)); }
  void object(std::string_view key, bool one_line = false) {
    out_.key(key);
    out_.object(one_line);
  }
  void array(std::string_view key, bool one_line = false) {
    out_.key(key);
    out_.array(one_line);
  }
  void memory(std::int64_t bytes) {
    DUET_CHECK(bytes % kMiB == 0);
    integer("memory_mib", bytes / kMiB);
  }
  void counts(const Resources& resources) {
    object("count", true);
    for (std::size_t i = 0; i < scenario_.countable.size(); ++i)
      if (resources.count[i] != 0) integer(scenario_.countable[i], resources.count[i]);
    out_.close();
  }

  void cluster();
  void power(const PowerModel& power);
  void nodes();
  void policies();
  void choice(std::string_view kind, const PolicyChoice& choice);
  void workload();
  void jobs(const std::vector<Arrival>& arrivals);
  void need(const TaskSpec& spec);
  void group(const TaskGroup& group, std::string_view count);
  void workers(const PoolSpec& pool);
  void table(const JobTable& table);
  void generate(const PoissonWorkload& workload);
  void generate(const LublinWorkload& workload);
  void events();
  void faults();
  void lasting(const Fault& fault);
  void messages(const MessageFaults& messages);
  void network();

  const Scenario& scenario_;
  JsonWriter out_;
};

void ScenarioWriter::cluster() {
  object("cluster");
  array("countable", true);
  for (const std::string& name : scenario_.countable) out_.string(name);
  out_.close();
  object("node_types");
  // By name: the order in which types are given means nothing.
  std::vector<const NodeType*> types;
  for (const NodeType& type : scenario_.node_types) types.push_back(&type);
  std::sort(types.begin(), types.end(),
            [](const NodeType* a, const NodeType* b) { return a->name < b->name; });
  for (const NodeType* type : types) {
    object(type->name, true);
    integer("cores", type->cores());
    // Left out where there is nothing to say, so that older scenarios keep their hashes.
    if (type->reserved_cores > 0) integer("reserved_cores", type->reserved_cores);
    if (!type->zones.empty()) {
      array("zones");
      for (const std::string& zone : type->zones) out_.string(zone);
      out_.close();
    }
    integer("threads_per_core", type->offer.threads_per_core);
    if (type->speed.size() == 1) {
      number("speed_hz", type->speed.front());
    } else {
      numbers("turbo_hz", type->speed);
    }
    number("smt_yield", type->smt_yield);
    memory(type->offer.capacity.memory_bytes);
    counts(type->offer.capacity);
    if (type->power) power(*type->power);
    out_.close();
  }
  out_.close();
  nodes();
  seconds("latency_s", scenario_.latency);
  seconds("commit_delay_s", scenario_.commit_delay);
  seconds("heartbeat_s", scenario_.agent.heartbeat);
  seconds("resend_after_s", scenario_.agent.resend_after);
  seconds("kill_grace_s", scenario_.agent.kill_grace);
  integer("max_losses", scenario_.controller.max_losses);
  if (scenario_.controller.stuck_after > 0) integer("stuck_after", scenario_.controller.stuck_after);
  if (scenario_.controller.keys_kept != ControllerConfig{}.keys_kept)
    seconds("keys_kept_s", scenario_.controller.keys_kept);
  if (const MassLoss& loss = scenario_.controller.mass_loss; loss != MassLoss{}) {
    object("mass_loss", true);
    integer("percent", loss.percent);
    seconds("window_s", loss.window);
    seconds("interval_s", loss.interval);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::power(const PowerModel& power) {
  object("power");
  numbers("core_w", power.core_w);
  number("uncore_w", power.uncore_w);
  number("off_w", power.off_w);
  out_.close();
}

/// Runs of nodes of one type that are called name0, name1, ... become one entry.
void ScenarioWriter::nodes() {
  const std::vector<Node>& all = scenario_.nodes;
  array("nodes");
  for (std::size_t i = 0; i < all.size();) {
    const std::string& first = all[i].name;
    const std::string base =
        first.size() > 1 && first.ends_with('0') ? first.substr(0, first.size() - 1) : "";
    std::size_t count = 1;
    while (!base.empty() && i + count < all.size() && all[i + count].type == all[i].type &&
           all[i + count].name == base + std::to_string(count))
      ++count;
    out_.object(true);
    text("type", scenario_.node_types[all[i].type].name);
    if (count > 1) integer("count", static_cast<std::int64_t>(count));
    text("name", count > 1 ? base : first);
    out_.close();
    i += count;
  }
  out_.close();
}

void ScenarioWriter::choice(std::string_view kind, const PolicyChoice& choice) {
  object(kind, true);
  text("name", choice.name);
  for (const auto& [name, value] : choice.params.items) {
    out_.key(name);
    if (const auto* b = std::get_if<bool>(&value)) {
      out_.raw(*b ? "true" : "false");
    } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
      out_.integer(*i);
    } else if (const auto* d = std::get_if<double>(&value)) {
      std::string digits = number_text(*d);  // with a point or exponent, so that it stays a double
      if (digits.find_first_of(".e") == digits.npos) digits += ".0";
      out_.raw(digits);
    } else {
      out_.string(std::get<std::string>(value));
    }
  }
  out_.close();
}

void ScenarioWriter::policies() {
  const ControllerConfig& config = scenario_.controller;
  object("policies");
  choice("queue", config.queue);
  choice("scheduler", config.scheduler);
  choice("autoscaler", config.autoscaler);
  choice("detector", config.detector);
  choice("estimator", config.estimator);
  out_.close();
}

void ScenarioWriter::workload() {
  object("workload");
  if (const auto* arrivals = std::get_if<std::vector<Arrival>>(&scenario_.workload)) jobs(*arrivals);
  if (const auto* log = std::get_if<JobTable>(&scenario_.workload)) table(*log);
  if (const auto* poisson = std::get_if<PoissonWorkload>(&scenario_.workload)) generate(*poisson);
  if (const auto* lublin = std::get_if<LublinWorkload>(&scenario_.workload)) generate(*lublin);
  out_.close();
}

void ScenarioWriter::need(const TaskSpec& spec) {
  if (!spec.pool.empty()) return text("pool", spec.pool);
  if (!spec.exclusive && spec.need.cpu_m > 0 && spec.need.cpu_m % kThread == 0)
    integer("cores", spec.need.cpu_m / kThread);
  else if (!spec.exclusive)
    integer("cpu_m", spec.need.cpu_m);
  memory(spec.need.memory_bytes);
  counts(spec.need);
  flag("exclusive", spec.exclusive);
}

void ScenarioWriter::group(const TaskGroup& group, std::string_view count) {
  const TaskSpec& spec = group.spec;
  integer(count, group.count);
  need(spec);
  if (spec.work.duration == kForever) {
  } else if (spec.work.duration > Duration{0}) {
    seconds("duration_s", spec.work.duration);
  } else {
    integer("operations", spec.work.operations);
  }
  if (spec.work.weight != 1) integer("cpu_weight", spec.work.weight);
  seconds("estimate_s", spec.estimate);
  seconds("timeout_s", spec.timeout);
  // Left out where there is nothing to say, as in cluster().
  if (!spec.operation.empty()) text("operation", spec.operation);
  if (spec.iterations > 0) integer("iterations", spec.iterations);
  const auto behaviour = decode_behaviour(spec.work.payload);
  DUET_CHECK(behaviour.has_value());
  if (behaviour->fail_attempts == 0) return;
  integer("fail_attempts", behaviour->fail_attempts);
  integer("exit_code", behaviour->exit_code);
}

void ScenarioWriter::workers(const PoolSpec& pool) {
  object("workers", true);
  text("pool", pool.name);
  integer("min", pool.minimum);
  integer("max", pool.maximum);
  integer("full_percent", pool.full_permille / 10);
  integer("queue_limit", pool.queue_limit);
  flag("pull", pool.pull);
  flag("dry_run", pool.dry_run);
  seconds("cooldown_up_s", pool.cooldown_up);
  seconds("cooldown_down_s", pool.cooldown_down);
  out_.close();
}

void ScenarioWriter::jobs(const std::vector<Arrival>& arrivals) {
  array("jobs");
  for (const Arrival& arrival : arrivals) {
    const JobSpec& spec = *arrival.spec;
    const bool grouped = spec.kind == JobKind::kDag || spec.groups.size() > 1;
    DUET_CHECK(!spec.groups.empty() &&
               (!grouped || spec.kind == JobKind::kBag || spec.kind == JobKind::kDag));
    out_.object(true);
    text("id", spec.key);
    text("user", spec.user);
    instant("at_s", arrival.at);
    text("kind", name(spec.kind));
    if (!grouped) {
      group(spec.groups.front(), spec.kind == JobKind::kService ? "replicas" : "tasks");
    } else {
      array("groups");
      for (std::size_t g = 0; g < spec.groups.size(); ++g) {
        out_.object();
        if (spec.kind == JobKind::kDag) {
          // Names mean nothing but who comes after whom.
          text("name", std::to_string(g));
          array("after");
          for (const std::uint32_t earlier : spec.groups[g].after) out_.string(std::to_string(earlier));
          out_.close();
        }
        group(spec.groups[g], "tasks");
        out_.close();
      }
      out_.close();
    }
    integer("retries", spec.retries);
    // Left out where there is nothing to say, so that older scenarios keep their hashes.
    if (spec.pool) workers(*spec.pool);
    if (spec.backoff > Duration{0}) seconds("backoff_s", spec.backoff);
    if (!spec.scheduler.empty()) text("scheduler", spec.scheduler);
    if (spec.priority != 0) integer("priority", spec.priority);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::table(const JobTable& table) {
  object("table");
  array("columns", true);
  for (const char* column :
       {"id", "submit_s", "duration_s", "operations", "estimate_s", "timeout_s", "tasks", "cores"})
    out_.string(column);
  // Most tables know no users; those that do not are as they were before there was the column.
  const bool users =
      std::any_of(table.jobs.begin(), table.jobs.end(), [](const TableJob& job) { return job.user > 0; });
  if (users) out_.string("user");
  out_.close();
  array("rows");
  for (const TableJob& job : table.jobs) {
    out_.array(true);
    out_.string(job.id);
    out_.raw(decimal(job.submit_ns, 9));
    out_.raw(decimal(job.duration_ns, 9));
    out_.integer(job.operations);
    out_.raw(decimal(job.estimate_ns, 9));
    out_.raw(decimal(job.timeout_ns, 9));
    out_.integer(job.tasks);
    out_.integer(job.cores);
    if (users) out_.integer(job.user);
    out_.close();
  }
  out_.close();
  out_.close();
}

void ScenarioWriter::generate(const PoissonWorkload& workload) {
  object("generate");
  text("model", "poisson");
  integer("jobs", static_cast<std::int64_t>(workload.jobs));
  number("mean_gap_s", workload.mean_gap_s);
  if (workload.mean_operations > 0)
    number("mean_operations", workload.mean_operations);
  else
    number("mean_duration_s", workload.mean_duration_s);
  flag("fixed_size", workload.fixed_size);
  number("estimate_factor", workload.estimate_factor);
  integer("tasks", workload.tasks);
  need(workload.task);
  seconds("timeout_s", workload.task.timeout);
  integer("retries", workload.retries);
  out_.close();
}

void ScenarioWriter::generate(const LublinWorkload& workload) {
  object("generate");
  text("model", "lublin");
  integer("jobs", static_cast<std::int64_t>(workload.jobs));
  integer("max_cores", workload.max_cores);
  flag("gangs", workload.gangs);
  number("load_factor", workload.load_factor);
  number("estimate_factor", workload.estimate_factor);
  out_.close();
}

void ScenarioWriter::events() {
  using Kind = OperatorEvent::Kind;
  array("events");
  for (const OperatorEvent& event : scenario_.events) {
    out_.object(true);
    instant("at_s", event.at);
    if (event.kind == Kind::kCancel) {
      text("cancel", event.job);
    } else if (event.kind == Kind::kScale) {
      text("scale", event.job);
      integer("replicas", event.replicas);
    } else if (event.kind == Kind::kUpdate) {
      text("update", event.job);
      object("to");
      group(event.spec->groups.front(), "tasks");
      out_.close();
    } else if (event.kind == Kind::kSubmitAgain) {
      text("submit_again", event.job);
      flag("changed", event.changed);
    } else
      text(event.kind == Kind::kDrain   ? "drain"
           : event.kind == Kind::kEvict ? "evict"
                                        : "undrain",
           scenario_.nodes[event.node].name);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::faults() {
  array("faults");
  for (const Fault& fault : scenario_.faults) {
    out_.object(true);
    instant("at_s", fault.at);
    if (fault.lasts())
      lasting(fault);
    else
      text(fault.kind == Fault::Kind::kCrash ? "crash" : "restart", scenario_.nodes[fault.node].name);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::lasting(const Fault& fault) {
  using Kind = Fault::Kind;
  const auto nodes = [&] {
    array("nodes");
    for (const std::uint32_t node : fault.nodes) out_.string(scenario_.nodes[node].name);
    out_.close();
  };
  switch (fault.kind) {
    case Kind::kSlowNode:
      object("slow_node");
      text("node", scenario_.nodes[fault.node].name);
      number("factor", fault.factor);
      break;
    case Kind::kPartition:
      object("partition");
      nodes();
      text("direction", fault.direction == Fault::Direction::kBoth      ? "both"
                        : fault.direction == Fault::Direction::kToAgent ? "to_agent"
                                                                        : "to_controller");
      break;
    case Kind::kNetwork:
      object("network");
      messages(fault.messages);
      if (fault.nodes.size() < scenario_.nodes.size()) nodes();
      break;
    case Kind::kClockSkew:
      object("clock_skew");
      text("node", scenario_.nodes[fault.node].name);
      raw("rate", decimal(fault.rate_ppm, 6));
      seconds("offset_s", fault.delay);
      break;
    case Kind::kAgentRestart:
    case Kind::kStuckNode:
      object(fault.kind == Kind::kStuckNode ? "stuck_node" : "agent_restart");
      text("node", scenario_.nodes[fault.node].name);
      break;
    case Kind::kStoreDelay:
      object("store_delay");
      seconds("delay_s", fault.delay);
      break;
    default:
      object(fault.kind == Kind::kControllerRestart ? "controller_restart" : "store_failure");
      break;
  }
  if (fault.until != kNever) instant("until_s", fault.until);
  out_.close();
}

void ScenarioWriter::messages(const MessageFaults& messages) {
  raw("loss", decimal(messages.loss_ppm, 6));
  raw("duplicate", decimal(messages.duplicate_ppm, 6));
  raw("delay", decimal(messages.delay_ppm, 6));
  seconds("max_delay_s", messages.max_delay);
}

void ScenarioWriter::network() {
  const NetworkFaults& network = scenario_.network;
  object("network", true);
  messages(network);
  if (network.any() && network.until != kNever) instant("until_s", network.until);
  out_.close();
}

}  // namespace

void canonical_json(const Scenario& scenario, const TextSink& sink) {
  ScenarioWriter(scenario, sink).write();
}

std::string canonical_json(const Scenario& scenario) {
  std::string text;
  canonical_json(scenario, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace duet::sim
