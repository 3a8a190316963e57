#include "live/api/job_body.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "core/lifecycle.h"
#include "core/policy.h"
#include "live/operations/operation.h"
#include "live/runtime/operation_call.h"
#include "live/runtime/task_command.h"
#include "live/runtime/worker_health.h"

namespace duet::live {
namespace {

using nlohmann::json;

/// What a task is, whether it stands in a job or in a group of a DAG.
constexpr std::string_view task_members = R"(
  "command": {"type": "array", "maxItems": 4096, "items": {"type": "string"},
    "description": "The program, looked up in PATH if it has no slash, and its arguments. No shell."},
  "env": {"type": "object", "additionalProperties": {"type": "string"},
    "description": "Variables of its environment, which is empty but for a few."},
  "directory": {"type": "string", "description": "Where it runs; default: a fresh folder of its own."},
  "image": {"type": "string", "minLength": 1, "description": "Of a container; default: a plain process."},
  "ports": {"type": "integer", "minimum": 0, "maximum": 64,
    "description": "TCP ports that it wants: PORT, PORT1, ... in its environment."},
  "cpu": {"type": "integer", "minimum": 0, "maximum": 1000000000,
    "description": "Millicores; 1000 is one hardware thread. Default 0."},
  "memory": {"type": "integer", "minimum": 0, "maximum": 1073741824, "description": "MiB. Default 0."},
  "exclusive": {"type": "boolean", "description": "Takes a whole slot, whatever cpu says."},
  "count": {"type": "integer", "minimum": 1, "maximum": 1000000, "description": "Equal tasks. Default 1."},
  "health": {"type": "object", "additionalProperties": false,
    "description": "How a task proves that it works. Ask one of http, tcp, exec.",
    "properties": {
      "http": {"type": "string", "pattern": "^/",
        "description": "A GET of this path: 200 to 299 is healthy."},
      "tcp": {"type": "boolean", "enum": [true], "description": "Whether its port accepts connections."},
      "exec": {"type": "array", "minItems": 1, "items": {"type": "string"},
        "description": "A program in the confinement of the task: exit code 0 is healthy."},
      "port": {"type": "integer", "minimum": 0, "maximum": 63,
        "description": "For http and tcp: which of its ports; 0 is PORT, 1 is PORT1. Default 0."},
      "interval_s": {"type": "number", "minimum": 0.1, "maximum": 1000000,
        "description": "From one probe to the next. Default 10."},
      "timeout_s": {"type": "number", "minimum": 0.001, "maximum": 1000000,
        "description": "A probe without an answer for so long has failed. Default 1."},
      "start_period_s": {"type": "number", "minimum": 0, "maximum": 1000000,
        "description": "After its start, until the first success, failures do not count so long. Default 0."},
      "failures": {"type": "integer", "minimum": 1, "maximum": 1000000,
        "description": "So many in a row, and the attempt is ended. Default 3."}}},
  "timeout_s": {"type": "number", "minimum": 0, "maximum": 1000000000,
    "description": "An attempt is killed so long after its start; 0: never."},
  "estimate_s": {"type": "number", "minimum": 0, "maximum": 1000000000,
    "description": "How long a task is expected to run; for scheduling only."},
  "pool": {"type": "string", "minLength": 1, "maxLength": 63,
    "description": "The tasks are operations, which workers of this pool execute: they need nothing else."},
  "operation": {"type": "string", "minLength": 1, "maxLength": 63,
    "description": "What kind of work it is; of an operation, which one its worker is to execute."},
  "data": {"type": "object", "description": "Of an operation: what its worker is to know. Default {}."},
  "iterations": {"type": "integer", "minimum": 1, "maximum": 1000000000000000,
    "description": "How much of that work, for estimators. Default: what the operation says of its data."})";

constexpr std::string_view workers_schema = R"("workers": {"type": "object", "required": ["pool"],
    "additionalProperties": false,
    "description": "Of a service: its replicas are the workers of a pool. Without a command, Duet's own.",
    "properties": {
      "pool": {"type": "string", "minLength": 1, "maxLength": 63, "description": "Its name."},
      "min": {"type": "integer", "minimum": 0, "maximum": 1000000,
        "description": "Workers: the autoscaler does not go below. Default 0."},
      "max": {"type": "integer", "minimum": 1, "maximum": 1000000,
        "description": "Nor above. Default: replicas, at least 1."},
      "full_percent": {"type": "number", "minimum": 0.1, "maximum": 100,
        "description": "No operation that would load a worker beyond; an idle one takes any. Default 80."},
      "queue_limit": {"type": "integer", "minimum": 0, "maximum": 1000000,
        "description": "Operations beyond so many that wait are refused. Default 0: none are."},
      "pull": {"type": "boolean", "description": "Workers get one operation at a time, when they ask."},
      "dry_run": {"type": "boolean", "description": "The autoscaler only says what it would do."},
      "cooldown_up_s": {"type": "number", "minimum": 0, "maximum": 1000000},
      "cooldown_down_s": {"type": "number", "minimum": 0, "maximum": 1000000},
      "slot_port": {"type": "boolean",
        "description": "A worker's first port is the node's first, plus 1, plus the number of its slot."}}})";

const std::string kind_description =
    R"("description": "rigid: one task, or several that start together; bag: independent tasks; )"
    R"(dag: groups; service: replicas that are kept running. )"
    R"(Default: service with replicas, dag with groups, bag with a count above 1, else rigid.")";

constexpr std::string_view name_schema =
    R"({"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"})";

std::string schedulers() {
  std::string text;
  for (const auto& entry : scheduler_policies())
    text += (text.empty() ? "\"" : ", \"") + std::string(entry.name) + "\"";
  return text;
}

constexpr Duration kServiceBackoff = std::chrono::seconds(1);

Duration seconds(const json& object, const char* name) {
  if (!object.contains(name)) return Duration{0};
  return Duration(std::llround(object[name].get<double>() * 1e9));
}

class JobReader {
 public:
  JobSpec job(const json& body) {
    JobSpec spec;
    spec.key = body["name"].get<std::string>();
    spec.user = body.value("user", "");
    spec.retries = body.value("retries", 0U);
    spec.priority = body.value("priority", 0);
    spec.scheduler = body.value("scheduler", "");
    spec.backoff = seconds(body, "backoff_s");
    spec.kind = kind_of(body);
    restart(body, spec);
    // What cannot start would be started again at once, for ever.
    const bool endless = spec.kind == JobKind::kService || spec.retries == kUnlimited;
    if (endless && !body.contains("backoff_s")) spec.backoff = kServiceBackoff;
    if (spec.kind == JobKind::kDag) {
      dag(body, spec);
    } else {
      if (body.contains("groups")) wrong("/groups", "only a job of kind dag has groups");
      spec.groups.push_back(group(body, "", body.contains("workers")));
      if (spec.kind == JobKind::kService) replicas(body, spec);
      if (body.contains("workers")) workers(body, spec);
    }
    if (spec.kind != JobKind::kService && body.contains("replicas") && spec.kind != JobKind::kDag)
      wrong("/replicas", "only a job of kind service has replicas", "say count");
    if (spec.kind != JobKind::kService && body.contains("balance"))
      wrong("/balance", "only a service has a balancer", "kind service");
    return spec;
  }

  void restart(const json& body, JobSpec& spec) {
    if (!body.contains("restart")) return;
    const std::string word = body["restart"].get<std::string>();
    for (const auto policy : {RestartPolicy::kAlways, RestartPolicy::kOnFailure, RestartPolicy::kNeverAgain})
      if (word == name(policy)) spec.restart = policy;
    if (spec.restart == RestartPolicy::kOnFailure && !body.contains("retries")) spec.retries = kUnlimited;
    if (spec.restart == RestartPolicy::kNeverAgain && spec.retries > 0)
      wrong("/restart", "what is never to run again has no retries", "leave out retries");
    if (spec.restart == RestartPolicy::kAlways && spec.kind != JobKind::kService)
      wrong("/restart", "only a service's replicas run again always", "on_failure, or a service");
  }

  static void health(const json& body, Work& work, TaskCommand& command) {
    if (!body.contains("health")) return;
    const json& from = body["health"];
    HealthCheck check;
    if (from.contains("interval_s")) check.interval = seconds(from, "interval_s");
    if (from.contains("timeout_s")) check.timeout = seconds(from, "timeout_s");
    check.start_period = seconds(from, "start_period_s");
    check.failures = from.value("failures", check.failures);
    work.health = check;
    using Kind = HealthQuestion::Kind;
    HealthQuestion& question = command.health;
    question.kind = from.contains("http")   ? Kind::kHttp
                    : from.contains("tcp")  ? Kind::kTcp
                    : from.contains("exec") ? Kind::kExec
                                            : Kind::kNone;
    question.path = from.value("http", "");
    question.argv = from.value("exec", std::vector<std::string>{});
    question.port = from.value("port", 0U);
  }

  TaskGroup group(const json& body, const std::string& where, bool is_worker = false) {
    TaskGroup group;
    group.count = body.value("count", 1U);
    group.spec.need.cpu_m = body.value("cpu", std::int64_t{0});
    group.spec.need.memory_bytes = body.value("memory", std::int64_t{0}) * kMiB;
    group.spec.exclusive = body.value("exclusive", false);
    group.spec.timeout = seconds(body, "timeout_s");
    group.spec.estimate = seconds(body, "estimate_s");
    group.spec.operation = body.value("operation", "");
    group.spec.iterations = body.value("iterations", std::int64_t{0});
    if (body.contains("pool"))
      operation(body, where, group.spec);
    else
      command(body, where, group.spec.work, is_worker);
    if (!body.contains("pool") && body.contains("data"))
      wrong(where + "/data", "only an operation of a pool has data", "say pool");
    return group;
  }

  /// What a worker is to execute. Those that Duet knows are checked; others a worker of one's own may know.
  void operation(const json& body, const std::string& where, TaskSpec& spec) {
    for (const char* member : {"command", "env", "directory", "image", "ports", "cpu", "memory", "exclusive",
                               "replicas", "workers"})
      if (body.contains(member))
        wrong(where + "/" + member, "an operation has none: its worker has", "leave it out");
    spec.pool = body["pool"].get<std::string>();
    if (spec.operation.empty())
      return wrong(where, "`operation` is missing", "an operation of a pool has a name");
    const json data = body.value("data", json::object());
    OperationCall call{spec.operation, data.dump(-1, ' ', false, json::error_handler_t::replace)};
    spec.work.payload = std::make_shared<const std::string>(to_payload(call));
    if (operations::find(spec.operation) == nullptr) return;
    const auto made = operations::make(spec.operation, data);
    if (!made) {
      for (const Problem& problem : made.problems())
        wrong(where + problem.where, problem.what, problem.right);
      return;
    }
    const operations::Cost cost = (*made)->cost();
    if (spec.iterations == 0) spec.iterations = cost.iterations;
    if (spec.estimate == Duration{0}) spec.estimate = cost.lasts;
  }

  /// What the task runs; the payload's own reader knows what cannot be run.
  void command(const json& body, const std::string& where, Work& work, bool is_worker) {
    TaskCommand command;
    if (is_worker)
      command.worker =
          WorkerCommand{body["workers"].value("pull", false), body["workers"].value("slot_port", false)};
    command.argv = body.value("command", std::vector<std::string>{});
    for (const auto& [name, value] : body.value("env", std::map<std::string, std::string>{}))
      command.env.emplace_back(name, value);
    command.directory = body.value("directory", "");
    command.image = body.value("image", "");
    command.ports = body.value("ports", 0U);
    command.balance = body.value("balance", 0U);
    command.memory_bytes = body.value("memory", std::int64_t{0}) * kMiB;
    health(body, work, command);
    if (is_worker && command.argv.empty() && !body.contains("health")) check_own_worker(work, command);
    if (body.contains("health") &&
        body["health"].contains("http") + body["health"].contains("tcp") + body["health"].contains("exec") !=
            1)
      wrong(where + "/health", "asks nothing, or several things", "one of http, tcp, exec");
    std::string payload = to_payload(command);
    if (const auto read = command_from_payload(payload); !read) {
      for (Problem problem : read.problems()) {
        constexpr std::string_view argv = "/argv";
        if (problem.where.starts_with(argv)) problem.where = "/command" + problem.where.substr(argv.size());
        problem.where.insert(0, where);
        problems_.push_back(std::move(problem));
      }
    }
    work.payload = std::make_shared<const std::string>(std::move(payload));
  }

  Problems take() { return std::move(problems_); }

 private:
  void wrong(std::string where, std::string what, std::string right = {}) {
    problems_.push_back({std::move(where), std::move(what), std::move(right)});
  }

  static JobKind kind_of(const json& body) {
    const std::string kind = body.value("kind", "");
    const bool replicated = body.contains("replicas") || body.contains("workers");
    if (kind == "service" || (kind.empty() && replicated)) return JobKind::kService;
    if (kind == "dag" || (kind.empty() && body.contains("groups"))) return JobKind::kDag;
    if (kind == "bag" || (kind.empty() && body.value("count", 1) > 1)) return JobKind::kBag;
    return JobKind::kRigid;
  }

  void replicas(const json& body, JobSpec& spec) {
    if (body.contains("count")) wrong("/count", "a service has replicas, not a count", "say replicas");
    spec.groups.front().count = body.value("replicas", 1U);
  }

  void workers(const json& body, JobSpec& spec) {
    if (spec.kind != JobKind::kService)
      return wrong("/workers", "only the replicas of a service can be workers", "say \"kind\": \"service\"");
    const json& rules = body["workers"];
    PoolSpec pool;
    pool.name = rules["pool"].get<std::string>();
    pool.minimum = rules.value("min", 0U);
    pool.maximum = rules.value("max", std::max({1U, pool.minimum, spec.groups.front().count}));
    pool.full_permille = static_cast<std::uint32_t>(std::lround(rules.value("full_percent", 80.0) * 10));
    pool.queue_limit = rules.value("queue_limit", 0U);
    pool.pull = rules.value("pull", false);
    pool.dry_run = rules.value("dry_run", false);
    pool.cooldown_up = seconds(rules, "cooldown_up_s");
    pool.cooldown_down = seconds(rules, "cooldown_down_s");
    spec.pool = std::move(pool);
  }

  void dag(const json& body, JobSpec& spec) {
    for (const char* member :
         {"command", "env", "directory", "image", "ports", "cpu", "memory", "exclusive", "count", "timeout_s",
          "estimate_s", "replicas", "pool", "operation", "data", "iterations", "workers", "health"})
      if (body.contains(member))
        wrong("/" + std::string(member), "in a DAG this belongs to its groups", "move it into groups");
    if (!body.contains("groups")) return wrong("", "`groups` is missing", "a DAG has groups of tasks");
    std::map<std::string, std::uint32_t> index;
    const json& groups = body["groups"];
    for (std::uint32_t i = 0; i < groups.size(); ++i) {
      const std::string where = "/groups/" + std::to_string(i);
      const std::string name = groups[i]["name"].get<std::string>();
      spec.groups.push_back(group(groups[i], where));
      for (const json& before : groups[i].value("after", json::array())) {
        const auto known = index.find(before.get<std::string>());
        if (known == index.end()) {
          wrong(where + "/after", "no group before this one is named `" + before.get<std::string>() + "`",
                "groups come after others that are listed before them");
        } else {
          spec.groups.back().after.push_back(known->second);
        }
      }
      auto& after = spec.groups.back().after;
      std::ranges::sort(after);
      after.erase(std::unique(after.begin(), after.end()), after.end());
      if (!index.emplace(name, i).second) wrong(where + "/name", "another group has this name");
    }
  }

  Problems problems_;
};

Result<JobSpecPtr> checked(JobReader& reader, JobSpec spec) {
  if (Problems problems = reader.take(); !problems.empty()) return problems;
  return JobSpecPtr(std::make_shared<const JobSpec>(std::move(spec)));
}

}  // namespace

void add_job_schemas(http::Schemas& schemas) {
  const std::string name(name_schema);
  const std::string members(task_members);
  schemas.add("TaskGroup", R"({"type": "object", "required": ["name"], "additionalProperties": false,
    "description": "Equal tasks of a DAG.",
    "properties": {"name": )" + name +
                               R"(,
      "after": {"type": "array", "items": {"type": "string"},
        "description": "Names of groups, listed before this one, that must have succeeded."},)" +
                               members + "}}");
  schemas.add("JobBody",
              R"({"type": "object", "required": ["name"], "additionalProperties": false,
    "description": "What is to run.",
    "properties": {"name": )" +
                  name + R"(,
      "user": {"type": "string", "maxLength": 63, "description": "On whose behalf."},
      "kind": {"type": "string", "enum": ["rigid", "bag", "dag", "service"],
        )" + kind_description +
                  R"(},
      "replicas": {"type": "integer", "minimum": 0, "maximum": 1000000,
        "description": "Of a service. Default 1."},
      "balance": {"type": "integer", "minimum": 1, "maximum": 65535,
        "description": "Of a service: the controller spreads connections to this port over ready replicas."},
      )" + std::string(workers_schema) +
                  R"(,
      "groups": {"type": "array", "minItems": 1, "maxItems": 10000,
        "items": {"$ref": "#/components/schemas/TaskGroup"}},
      "retries": {"type": "integer", "minimum": 0, "maximum": 1000000,
        "description": "Further attempts after failures of its own. Default 0."},
      "restart": {"type": "string", "enum": ["always", "on_failure", "never"],
        "description": "What becomes of a replica that ended by itself; default always. )"
                  R"(With retries at most so many times in a row on failure. )"
                  R"(Of other jobs on_failure means any number of retries."},
      "backoff_s": {"type": "number", "minimum": 0, "maximum": 1000000,
        "description": "What failed waits so long, twice as long each further time, up to 64 times. )"
                  R"(Default 1 for services and with restart on_failure, else 0."},
      "priority": {"type": "integer", "minimum": -2147483648, "maximum": 2147483647},
      "scheduler": {"type": "string", "enum": [)" +
                  schedulers() + R"(], "description": "Default: the cluster's."},)" + members + "}}");
  schemas.add("TaskBody", R"({"type": "object", "required": ["name"], "additionalProperties": false,
    "properties": {"name": )" +
                              name + R"(,
      "image": {"type": "string", "description": "Of a container; empty: a plain process."},
      "command": {"type": "array", "maxItems": 4096, "items": {"type": "string"}},
      "env": {"type": "object", "additionalProperties": {"type": "string"}},
      "resources": {"type": "object", "additionalProperties": false, "properties": {
        "cpu": {"type": "integer", "minimum": 0, "maximum": 1000000000, "description": "Millicores."},
        "memory": {"type": "integer", "minimum": 0, "maximum": 1073741824, "description": "MiB."}}}}})");
}

Result<JobSpecPtr> job_of(const json& document) {
  JobReader reader;
  JobSpec spec = reader.job(document);
  return checked(reader, std::move(spec));
}

Result<JobSpecPtr> job_of_task(const json& document) {
  json body = document;
  if (body.contains("resources")) body.update(document["resources"]);
  JobReader reader;
  JobSpec spec = reader.job(body);
  return checked(reader, std::move(spec));
}

std::string image_pointer(const json& document) {
  if (!document.value("image", "").empty()) return "/image";
  const json groups = document.value("groups", json::array());
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (!groups[i].value("image", "").empty()) return "/groups/" + std::to_string(i) + "/image";
  return {};
}

}  // namespace duet::live
