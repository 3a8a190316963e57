#include "live/metrics/controller_metrics.h"

#include <cmath>
#include <utility>

#include "core/lifecycle.h"
#include "live/metrics/process_figures.h"

namespace duet::live {
namespace {

constexpr double kNanosecond = 1e-9;

double seconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) * kNanosecond;
}
double between(Instant from, Instant to) { return static_cast<double>(to_ns(to - from)) * kNanosecond; }

/// In the words of the interface whose metric this is.
std::string_view status_of(JobState state) {
  return state == JobState::kSucceeded ? "completed" : name(state);
}

std::string_view request_of(const controller::Event& event) {
  if (std::holds_alternative<controller::Submit>(event)) return "submit";
  if (std::holds_alternative<controller::Cancel>(event)) return "cancel";
  if (std::holds_alternative<controller::Drain>(event)) return "drain";
  if (std::holds_alternative<controller::Undrain>(event)) return "undrain";
  if (std::holds_alternative<controller::Scale>(event)) return "scale";
  if (std::holds_alternative<controller::Update>(event)) return "update";
  return {};
}

std::string_view of_compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

constexpr std::array<const char*, 7> kFromAgents = {
    "register", "heartbeat", "attempt_started", "attempt_ended", "ask", "attempt_ready", "rejoin"};
constexpr std::array<const char*, 7> kToAgents = {"registered", "fenced", "launch", "kill",
                                                  "ack",        "noted",  "keep"};
static_assert(std::variant_size_v<decltype(msg::FromAgent::body)> == kFromAgents.size());
static_assert(std::variant_size_v<decltype(msg::ToAgent::body)> == kToAgents.size());

}  // namespace

ControllerMetrics::ControllerMetrics(const std::string& version) {
  retry_ = set_.series("orchestrator_task_retry");
  job_duration_ = set_.series("orchestrator_job_duration_seconds");
  placements_ = set_.series("duet_placements_total");
  wait_ = set_.series("duet_task_wait_seconds");
  launch_ = set_.series("duet_task_launch_seconds");
  run_ = set_.series("duet_task_run_seconds");
  pass_ = set_.series("duet_pass_seconds");
  late_ = set_.series("duet_round_late_seconds");
  commit_ = set_.series("duet_commit_seconds");
  records_ = set_.series("duet_commit_records_total");
  suspicions_ = set_.series("duet_suspicions_total");
  lost_ = set_.series("duet_nodes_lost_total");
  for (std::size_t i = 0; i < kFromAgents.size(); ++i)
    received_[i] = set_.series("duet_messages_received_total", {{"message", kFromAgents[i]}});
  for (std::size_t i = 0; i < kToAgents.size(); ++i)
    sent_[i] = set_.series("duet_messages_sent_total", {{"message", kToAgents[i]}});
  const auto follow = [this](const char* name, const MetricSet::Labels& labels = {}) {
    return FollowedTotal(set_.series(name, labels));
  };
  passes_ = follow("duet_passes_total");
  entries_ = follow("duet_pass_entries_total");
  fenced_ = follow("duet_messages_fenced_total");
  stale_ = follow("duet_messages_stale_total");
  held_up_ = follow("duet_held_up_total");
  held_up_s_ = follow("duet_held_up_seconds_total");
  steps_ = follow("duet_recorder_steps_total");
  in_ = follow("duet_agent_bytes_total", {{"direction", "in"}});
  out_ = follow("duet_agent_bytes_total", {{"direction", "out"}});
  cpu_ = follow("process_cpu_seconds_total");
  set_.series("duet_build_info", {{"version", version}, {"compiler", std::string(of_compiler())}}).set(1);
  // Counters that nothing has happened to yet are 0, not absent: rates of them can be asked for at once.
  for (const JobState state : job_states())
    if (terminal(state)) one("orchestrator_jobs_total", "status", status_of(state));
  for (const char* result : {"durable", "failed"}) one("duet_commits_total", "result", result);
}

MetricSet::Series& ControllerMetrics::one(const char* name, const char* label, std::string_view value) {
  const std::string key = std::string(name) + '/' + std::string(value);
  const auto found = of_word_.find(key);
  if (found != of_word_.end()) return found->second;
  return of_word_.emplace(key, set_.series(name, {{label, std::string(value)}})).first->second;
}

void ControllerMetrics::stepped(const Controller& machine, const controller::Event& event,
                                const controller::Commands& commands, Took took) {
  if (const auto* heard = std::get_if<controller::Received>(&event))
    received_[heard->message.body.index()].add();
  const std::string_view request = request_of(event);
  for (const controller::Command& command : commands) count(command, request);
  const Controller::Counters& counters = machine.counters();
  if (counters.passes != std::exchange(seen_passes_, counters.passes)) pass_.observe(seconds(took));
  passes_.reach(static_cast<double>(counters.passes));
  entries_.reach(static_cast<double>(counters.entries_tried));
  fenced_.reach(static_cast<double>(counters.fenced));
  stale_.reach(static_cast<double>(counters.stale));
}

void ControllerMetrics::count(const controller::Command& command, std::string_view request) {
  if (const auto* send = std::get_if<controller::Send>(&command)) {
    sent_[send->message.body.index()].add();
  } else if (const auto* reply = std::get_if<controller::Reply>(&command)) {
    const char* result = reply->refusal.empty() ? "accepted" : "refused";
    set_.series("duet_requests_total", {{"request", std::string(request)}, {"result", result}}).add();
  } else if (const auto* publish = std::get_if<controller::Publish>(&command)) {
    const auto* node = std::get_if<controller::NodeChanged>(&publish->notice);
    if (node != nullptr && node->state == NodeState::kSuspect) suspicions_.add();
    if (node != nullptr && node->state == NodeState::kDown) lost_.add();
  }
}

void ControllerMetrics::changed(const controller::JobChanged& change, const JobView& job) {
  if (!terminal(change.state)) return;
  one("orchestrator_jobs_total", "status", status_of(change.state)).add();
  if (!job.service()) job_duration_.observe(between(job.submitted, job.ended));
}

void ControllerMetrics::changed(const controller::TaskChanged& change, const JobView& job, bool ended) {
  const TaskView& task = job.tasks[change.attempt.task.index];
  if (ended) {
    one("duet_attempts_ended_total", "outcome", name(change.outcome)).add();
    if (task.started != Instant{}) run_.observe(between(task.started, task.ended));
  }
  if (change.state == TaskState::kRunning) launch_.observe(between(task.placed, task.started));
  if (change.state != TaskState::kStarting) return;
  placements_.add();
  const double waited = between(task.has_ended ? task.ended : job.submitted, task.placed);
  wait_.observe(waited);
  if (change.attempt.number <= 1) return;
  retry_.observe(waited);
  one("duet_restarts_total", "kind", name(job.spec->kind)).add();
}

void ControllerMetrics::committed(std::size_t records, bool durable, Took took) {
  one("duet_commits_total", "result", durable ? "durable" : "failed").add();
  if (!durable) return;
  records_.add(static_cast<double>(records));
  commit_.observe(seconds(took));
}

void ControllerMetrics::late(Took by) { late_.observe(seconds(by)); }

/// Routes by their pattern: what clients make up must not become series.
void ControllerMetrics::answered(const http::Answered& answered) {
  const bool known = answered.route != nullptr;
  const std::string route = known ? answered.route->path : "none";
  const std::string method = known ? std::string(http::to_string(answered.route->method)) : "none";
  set_.series("duet_http_requests_total",
              {{"route", route}, {"method", method}, {"code", std::to_string(answered.status)}})
      .add();
  one("duet_http_request_seconds", "route", route).observe(seconds(answered.took));
}

std::string ControllerMetrics::text(const Sources& sources) {
  if (sources.driver != nullptr) {
    const ControllerDriver& driver = *sources.driver;
    set_.series("duet_store_working").set(driver.available() ? 1 : 0);
    held_up_.reach(static_cast<double>(driver.held_up().times));
    held_up_s_.reach(seconds(driver.held_up().together));
    set_.series("duet_event_watchers").set(static_cast<double>(driver.view().events().watchers()));
    look_at(driver.machine());
    look_at_nodes(driver.machine(), driver.view());
    look_at_services(driver.machine(), driver.view());
  }
  if (sources.agents != nullptr) {
    set_.series("duet_agents_connected").set(static_cast<double>(sources.agents->connected()));
    in_.reach(static_cast<double>(sources.agents->traffic().in));
    out_.reach(static_cast<double>(sources.agents->traffic().out));
  }
  set_.series("duet_recorder_working").set(0);
  if (sources.recorder != nullptr) {
    const FlightRecorder::State state = sources.recorder->state();
    set_.series("duet_recorder_working").set(state.stopped ? 0 : 1);
    set_.series("duet_recorder_bytes").set(static_cast<double>(state.bytes));
    set_.series("duet_recorder_waiting_bytes").set(static_cast<double>(state.waiting));
    steps_.reach(static_cast<double>(state.steps));
  }
  if (sources.connections)
    set_.series("duet_http_connections").set(static_cast<double>(sources.connections()));
  look_at_process();
  return set_.text();
}

void ControllerMetrics::look_at(const Controller& machine) {
  std::map<JobState, double> jobs;
  std::map<TaskState, double> tasks;
  double workers = 0;
  machine.jobs().for_each([&](const LiveJob& job) {
    ++jobs[job.state];
    for (const LiveTask& task : job.tasks) ++tasks[task.state];
    if (job.pool == nullptr) return;
    for (const LiveTask& task : job.tasks) workers += task.state == TaskState::kRunning ? 1 : 0;
  });
  for (const JobState state : job_states())
    if (!terminal(state)) set_.series("duet_jobs", {{"state", std::string(name(state))}}).set(jobs[state]);
  for (const TaskState state : task_states())
    set_.series("duet_tasks", {{"state", std::string(name(state))}}).set(tasks[state]);
  set_.series("orchestrator_tasks_queued").set(tasks[TaskState::kPending]);
  set_.series("orchestrator_active_workers").set(workers);
  if (const auto error = machine.estimator_accuracy().error_ppm)
    set_.series("duet_estimate_error_ratio").set(static_cast<double>(*error) * 1e-6);
}

void ControllerMetrics::look_at_nodes(const Controller& machine, const ClusterView& view) {
  set_.clear("duet_node_cpu_cores");
  set_.clear("duet_node_memory_bytes");
  std::map<NodeState, double> states;
  double draining = 0;
  const auto in_use = view.in_use();
  for (std::uint32_t i = 0; i < machine.cluster().size(); ++i) {
    const ClusterNode& node = machine.cluster().node(NodeId{i});
    ++states[node.state];
    draining += node.draining ? 1 : 0;
    if (!node.known) continue;
    Resources allocated = node.offer.capacity;
    allocated -= node.room.free;
    const auto used = in_use.find(NodeId{i});
    const ClusterView::InUse measured = used == in_use.end() ? ClusterView::InUse{} : used->second;
    const auto tell = [&](const char* kind, double cores, std::int64_t memory) {
      const MetricSet::Labels labels = {{"node", node.name}, {"kind", kind}};
      set_.series("duet_node_cpu_cores", labels).set(cores);
      set_.series("duet_node_memory_bytes", labels).set(static_cast<double>(memory));
    };
    tell("capacity", static_cast<double>(node.offer.capacity.cpu_m) / 1000, node.offer.capacity.memory_bytes);
    tell("allocated", static_cast<double>(allocated.cpu_m) / 1000, allocated.memory_bytes);
    tell("measured", measured.cores, measured.memory_bytes);
  }
  for (const NodeState state : node_states())
    set_.series("duet_nodes", {{"state", std::string(name(state))}}).set(states[state]);
  set_.series("duet_nodes_draining").set(draining);
}

/// Services alone are named: their number is what people made it; that of jobs grows for ever.
void ControllerMetrics::look_at_services(const Controller& machine, const ClusterView& view) {
  for (const char* name : {"duet_service_replicas", "duet_service_cpu_cores", "duet_service_cpu_error_ratio"})
    set_.clear(name);
  machine.jobs().for_each([&](const LiveJob& job) {
    if (!job.service()) return;
    double running = 0;
    double requested = 0;
    double measured = 0;
    bool any = false;
    for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
      const LiveTask& task = job.tasks[i];
      if (task.state != TaskState::kRunning) continue;
      ++running;
      const auto in_use = view.cpu_in_use({{job.id, i}, task.attempt});
      if (!in_use) continue;  // Neither side of the comparison has what was not measured yet.
      any = true;
      measured += *in_use;
      const Request& request = job.groups[task.group].request;
      requested += static_cast<double>(machine.cluster().cpu_m(task.node, request)) / 1000;
    }
    const auto set = [&](const char* metric, const char* kind, double value) {
      set_.series(metric, {{"service", job.spec->key}, {"kind", kind}}).set(value);
    };
    set("duet_service_replicas", "desired", job.desired());
    set("duet_service_replicas", "running", running);
    if (!any) return;
    set("duet_service_cpu_cores", "requested", requested);
    set("duet_service_cpu_cores", "measured", measured);
    if (requested > 0)
      set_.series("duet_service_cpu_error_ratio", {{"service", job.spec->key}})
          .set(std::abs(measured - requested) / requested);
  });
}

void ControllerMetrics::look_at_process() {
  const ProcessFigures figures = process_figures();
  cpu_.reach(figures.cpu_s);
  set_.series("process_resident_memory_bytes").set(static_cast<double>(figures.resident_bytes));
  set_.series("process_virtual_memory_bytes").set(static_cast<double>(figures.virtual_bytes));
  set_.series("process_open_fds").set(static_cast<double>(figures.open_fds));
  set_.series("process_max_fds").set(static_cast<double>(figures.max_fds));
  set_.series("process_start_time_seconds").set(figures.started_s);
}

}  // namespace duet::live
