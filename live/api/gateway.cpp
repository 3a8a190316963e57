#include "live/api/gateway.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "core/codec/json_text.h"
#include "core/lifecycle.h"
#include "live/driver/job_json.h"
#include "live/log.h"
#include "live/operations/operation.h"
#include "live/runtime/operation_call.h"
#include "live/runtime/task_command.h"
#include "live/runtime/worker_health.h"

namespace duet::live {
namespace {

using http::Request;
using http::Responder;
using GatewayJson = nlohmann::ordered_json;

constexpr auto kGatewayTick = std::chrono::milliseconds(100);
/// Nodes that start together register within this many ticks of each other.
constexpr std::uint32_t kSettled = 3;
constexpr Duration kRespawnAfter = std::chrono::milliseconds(500);

constexpr std::string_view kSubmissionSchema = R"({"type": "object", "required": ["operation"],
  "additionalProperties": false,
  "properties": {
    "operation": {"type": "string", "description": "Its name."},
    "data": {"type": "object", "description": "What it is to know; see the operation."}}})";
constexpr std::string_view kSubmittedSchema = R"({"type": "object",
  "required": ["job_id", "worker_id", "result", "time_taken"],
  "properties": {
    "job_id": {"type": "string", "description": "JOB-, the second of its submission, and if need be more."},
    "worker_id": {"type": "string", "description": "Worker-Core-, and the number of its core."},
    "result": {"description": "What the operation has found."},
    "time_taken": {"type": "string", "description": "1.24s"}}})";
constexpr std::string_view kGatewayStatusSchema = R"({"type": "object",
  "required": ["status", "worker_count", "workers"],
  "properties": {
    "status": {"type": "string"},
    "worker_count": {"type": "integer"},
    "workers": {"type": "array", "items": {"type": "object",
      "required": ["core_id", "container_id", "host_port", "cpu_usage", "is_healthy"],
      "properties": {
        "core_id": {"type": "integer"},
        "container_id": {"type": "string", "description": "Of a process: twelve digits of its own."},
        "host_port": {"type": "integer"},
        "cpu_usage": {"type": "string", "description": "Measured, of its core: 45.2%"},
        "is_healthy": {"type": "boolean", "description": "It answers, and so gets operations."}}}}}})";

http::Response gateway_busy(const std::string& why) {
  http::Response response = http::problem(503, why);
  response.headers.add("Retry-After", "1");
  return response;
}

PoolSpec gateway_rules(const GatewaySettings& settings, std::uint32_t zones) {
  PoolSpec pool;
  pool.name = kGatewayPool;
  pool.maximum = zones;
  pool.full_permille = settings.full_percent * 10;
  pool.queue_limit = settings.queue_limit;
  return pool;
}

/// Workers that have a zone each, and its port.
JobSpec gateway_service(const GatewaySettings& settings, std::uint32_t zones, std::uint32_t workers) {
  TaskCommand command;
  command.worker = WorkerCommand{.pull = false, .slot_port = true};
  JobSpec spec;
  spec.key = kGatewayPool;
  spec.kind = JobKind::kService;
  spec.backoff = kRespawnAfter;
  TaskGroup group;
  group.count = workers;
  group.spec.exclusive = true;
  check_own_worker(group.spec.work, command);
  group.spec.work.payload = std::make_shared<const std::string>(to_payload(command));
  spec.groups.push_back(std::move(group));
  spec.pool = gateway_rules(settings, zones);
  return spec;
}

std::string percent_text(double percent) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", std::clamp(percent, 0.0, 100.0));
  return text.data();
}

std::string seconds_of(Duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2fs", std::max(0.0, static_cast<double>(to_ns(duration)) / 1e9));
  return text.data();
}

/// Of what it may use: all of its core.
double usage_of(const AttemptFacts* facts, std::optional<double> processors_in_use) {
  if (facts == nullptr) return 0;
  const double processors = std::max<double>(1, static_cast<double>(facts->cpus.size()));
  return 100 * processors_in_use.value_or(0) / processors;
}

}  // namespace

std::string short_id(AttemptId attempt, Instant placed) {
  const std::string text = id_text(attempt) + "@" + std::to_string(to_ns(placed));
  std::string hex;
  codec::append_hex(hex, XXH3_64bits(text.data(), text.size()));
  return hex.substr(0, 12);
}

Gateway::Gateway(asio::io_context& io, ControllerDriver& driver, const GatewaySettings& settings,
                 const PolicyChoice& estimator)
    : io_(io),
      driver_(driver),
      settings_(settings),
      estimator_(std::move(*make_policy(estimator_policies(), estimator))),
      timer_(io) {
  last_second_ = to_ns(driver.now()) / 1'000'000'000;
  watcher_ = driver_.view().events().watch([this](const ClusterEvent& event) {
    if (event.type != "job" || waiting_.empty()) return;
    const auto said = nlohmann::json::parse(event.json, nullptr, false);
    const JobId job{said.is_object() ? said.value("job", std::uint64_t{0}) : 0};
    if (!waiting_.contains(job)) return;
    asio::post(io_, [this, job, alive = alive_] {
      if (*alive) look_at(job);
    });
  });
  tick();
}

Gateway::~Gateway() {
  *alive_ = false;
  driver_.view().events().unwatch(watcher_);
}

void Gateway::tick() {
  if (!made_) make_pool();
  sweep();
  timer_.expires_after(kGatewayTick);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) tick();
  });
}

const LiveJob* Gateway::pool() const {
  const LiveJob* found = nullptr;
  machine().jobs().for_each_service([&](const LiveJob& job) {
    if (job.spec->pool && job.spec->pool->name == kGatewayPool && !job.cancelled) found = &job;
  });
  return found;
}

/// How many there are, once no more nodes come; nothing before.
std::optional<std::uint32_t> Gateway::zones() const {
  std::uint32_t cores = 0;
  bool ready = false;
  const Cluster& cluster = machine().cluster();
  for (std::uint32_t i = 0; i < cluster.size(); ++i) {
    cores += cluster.node(NodeId{i}).offer.cores;
    ready = ready || cluster.node(NodeId{i}).state == NodeState::kReady;
  }
  if (!ready || cores == 0) return std::nullopt;
  return cores;
}

void Gateway::make_pool() {
  if (!driver_.available()) return;
  const std::size_t nodes = machine().cluster().size();
  ticks_without_news_ = nodes == nodes_seen_ ? ticks_without_news_ + 1 : 0;
  nodes_seen_ = nodes;
  const auto zones = this->zones();
  if (!zones || ticks_without_news_ < kSettled) return;
  std::uint32_t workers = settings_.initial_workers;
  if (workers > *zones) {
    log::warn("fewer zones than INITIAL_WORKERS", {{"asked", workers}, {"zones", *zones}});
    workers = *zones;
  }
  made_ = true;
  const auto answered = [this, alive = alive_](const Answer& answer) {
    if (!*alive) return;
    made_ = answer.refusal.empty();
    if (!made_) log::warn("the gateway's pool was refused", {{"why", answer.refusal}});
  };
  const LiveJob* const there = pool();
  if (there == nullptr) {
    log::info("gateway", {{"zones", *zones}, {"workers", workers}});
    return driver_.submit(std::make_shared<const JobSpec>(gateway_service(settings_, *zones, workers)),
                          std::nullopt, answered);
  }
  const JobSpec wanted = gateway_service(settings_, *zones, std::clamp(there->desired(), workers, *zones));
  log::info("gateway takes over its workers", {{"zones", *zones}, {"workers", there->desired()}});
  if (*there->spec->pool == *wanted.pool && there->spec->groups.back().spec == wanted.groups.back().spec)
    return;
  driver_.update(there->id, std::make_shared<const JobSpec>(wanted), answered);
}

/// The second, and more if another one has it.
std::string Gateway::next_name(bool& complete) {
  const std::int64_t second = to_ns(driver_.now()) / 1'000'000'000;
  complete = second > last_second_;
  last_second_ = std::max(last_second_, second);
  return "JOB-" + std::to_string(second);
}

void Gateway::submit(const Request& request, const Responder& respond) {
  const nlohmann::json& body = *request.document;
  const auto operation = body["operation"].get<std::string>();
  const nlohmann::json data = body.value("data", nlohmann::json::object());
  const auto made = operations::make(operation, data);
  if (!made) return respond(http::problem(400, "The operation cannot be executed.", made.problems()));
  if (pool() == nullptr) return respond(gateway_busy("There is no worker yet, and no zone for one."));
  JobSpec spec;
  spec.key = operation;
  TaskGroup group;
  group.spec.pool = kGatewayPool;
  group.spec.operation = operation;
  group.spec.iterations = (*made)->cost().iterations;
  group.spec.estimate = (*made)->cost().lasts;
  group.spec.work.payload = std::make_shared<const std::string>(to_payload(
      OperationCall{operation, data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}));
  spec.groups.push_back(group);
  bool complete = false;
  const std::string name = next_name(complete);
  driver_.submit(std::make_shared<const JobSpec>(std::move(spec)), std::nullopt,
                 [this, alive = alive_, respond, name, complete, task = group.spec](const Answer& answer) {
                   if (!*alive) return;
                   if (answer.unavailable)
                     return respond(gateway_busy("The store fails, so nothing can be promised."));
                   if (!answer.refusal.empty())
                     return respond(gateway_busy("Not now: " + answer.refusal + "."));
                   const std::string id = complete ? name : name + "-" + std::to_string(answer.job.value);
                   const auto expected = estimator_->predict(task).value_or(Duration{0});
                   accepted(answer.job, {respond, id, task, expected});
                 });
}

void Gateway::accepted(JobId job, Waiting waiting) {
  waiting_.emplace(job, std::move(waiting));
  look_at(job);
}

/// Events may be missed when the store fails; what has ended is found all the same.
void Gateway::sweep() {
  std::vector<JobId> jobs;
  for (const auto& [job, waiting] : waiting_) jobs.push_back(job);
  for (const JobId job : jobs) look_at(job);
}

void Gateway::look_at(JobId id) {
  const auto at = waiting_.find(id);
  if (at == waiting_.end()) return;
  const JobView* job = driver_.view().job(id);
  if (job != nullptr && !terminal(job->state)) return;
  const Waiting waiting = std::move(at->second);
  waiting_.erase(at);
  waiting.respond(job != nullptr ? answer(*job, waiting)
                                 : http::problem(500, "What became of the operation is not known."));
}

http::Response Gateway::answer(const JobView& job, const Waiting& waiting) {
  const TaskView& task = job.tasks.front();
  const AttemptFacts* facts = driver_.view().facts({{job.id, 0}, task.attempt});
  const OperationView* operation = driver_.view().operation({job.id, 0});
  if (job.state != JobState::kSucceeded || facts == nullptr || facts->result.empty() ||
      operation == nullptr) {
    const bool known = facts != nullptr && !facts->reason.empty();
    const std::string why = job.state == JobState::kCancelled ? "it was cancelled"
                            : known                           ? facts->reason
                                                              : std::string("no result came");
    return http::problem(500, waiting.name + " failed: " + why + (why.ends_with('.') ? "" : "."));
  }
  const std::string worker = "Worker-Core-" + std::to_string(core_of(task.node, operation->threads));
  const Duration took = task.ended - task.started;
  estimator_->observe(waiting.spec, took);
  log::info("operation done", {{"job_id", waiting.name},
                               {"operation", waiting.spec.operation},
                               {"worker", worker},
                               {"expected_s", waiting.expected},
                               {"took_s", took}});
  std::string out = R"({"job_id":)";
  codec::append_string(out, waiting.name);
  out += R"(,"worker_id":)";
  codec::append_string(out, worker);
  return http::json_response(out + R"(,"result":)" + facts->result + R"(,"time_taken":")" + seconds_of(took) +
                             "\"}");
}

/// The first core of a machine is its system's, so the first slot is core 1. Those of further nodes follow.
std::uint32_t Gateway::core_of(NodeId node, const ThreadSet& threads) const {
  std::uint32_t core = 1;
  const Cluster& cluster = machine().cluster();
  for (std::uint32_t i = 0; i < node.value; ++i) core += cluster.node(NodeId{i}).offer.cores;
  const std::uint32_t cores = std::max(cluster.node(node).offer.cores, 1U);
  return threads.empty() ? core : core + threads.lowest() % cores;
}

std::string Gateway::status_text() const {
  std::vector<GatewayJson> workers;
  const LiveJob* const job = pool();
  const JobView* const shown = job == nullptr ? nullptr : driver_.view().job(job->id);
  for (std::uint32_t i = 0; shown != nullptr && i < job->tasks.size(); ++i) {
    const LiveTask& task = job->tasks[i];
    if (task.state != TaskState::kRunning || i >= shown->tasks.size()) continue;
    const AttemptId attempt{{job->id, i}, task.attempt};
    const AttemptFacts* facts = driver_.view().facts(attempt);
    GatewayJson worker;
    worker["core_id"] = core_of(task.node, task.threads);
    worker["container_id"] = short_id(attempt, task.placed);
    worker["host_port"] = facts == nullptr || facts->ports.empty() ? 0U : facts->ports.front();
    worker["cpu_usage"] = percent_text(usage_of(facts, driver_.view().cpu_in_use(attempt)));
    worker["is_healthy"] = shown->tasks[i].ready;
    workers.push_back(std::move(worker));
  }
  std::ranges::stable_sort(workers, {},
                           [](const GatewayJson& worker) { return worker["core_id"].get<std::uint32_t>(); });
  GatewayJson status;
  status["status"] = "running";
  status["worker_count"] = workers.size();
  status["workers"] = workers;
  return status.dump();
}

void Gateway::add_to(http::RouteTable& table, const std::string& version) {
  table.schemas().add("Submission", kSubmissionSchema);
  table.schemas().add("Submitted", kSubmittedSchema);
  table.schemas().add("GatewayStatus", kGatewayStatusSchema);
  table.add(
      {.method = http::Method::kPost,
       .path = "/submit",
       .operation_id = "submit",
       .summary = "Executes an operation, and answers with its result.",
       .needs_token = false,
       .request = "Submission",
       .any_content_type = true,
       .responses = {{.status = 200, .description = "Its result.", .schema = "Submitted"}},
       .handler = [this](const Request& request, const Responder& respond) { submit(request, respond); }});
  table.add({.path = "/status",
             .operation_id = "status",
             .summary = "The workers.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "The state.", .schema = "GatewayStatus"}},
             .handler = [this](const Request&, const Responder& respond) {
               respond(http::json_response(status_text()));
             }});
  table.add(
      {.path = "/health",
       .operation_id = "health",
       .summary = "The gateway runs.",
       .needs_token = false,
       .responses = {{.status = 200, .description = "OK.", .content_type = "text/plain"}},
       .handler = [](const Request&, const Responder& respond) { respond(http::text_response("OK")); }});
  http::add_openapi_route(
      table, {.title = "Duet gateway", .version = version, .description = "Operations, executed on zones."});
}

}  // namespace duet::live
