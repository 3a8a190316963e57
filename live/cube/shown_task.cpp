// A task as cube shows it: of a job that lives, or of one that the store's history has.
#include "core/lifecycle.h"
#include "live/cube/documents.h"
#include "live/driver/job_json.h"

namespace duet::live::cube {
namespace {

/// Go's zero time.
constexpr const char* kNoTime = "0001-01-01T00:00:00Z";

/// What is known of a task beside what its submitter said.
struct Standing {
  std::string node;
  std::uint32_t attempt = 0;
  std::string started;
  std::string ended;
  std::string reason;
  std::string outcome;
  std::optional<std::int32_t> exit_code;
  std::vector<std::uint32_t> ports;
};

Json task_json(const ShownTask& shown, const Json& said, const Standing& known) {
  Json json;
  json["ID"] = shown.task_id;
  json["ContainerID"] = "";
  json["Name"] = said.value("Name", "");
  json["State"] = static_cast<int>(shown.state);
  json["Image"] = said.value("Image", "");
  json["Cpu"] = said.value("Cpu", 0.0);
  json["Memory"] = said.value("Memory", std::int64_t{0});
  json["Disk"] = said.value("Disk", std::int64_t{0});
  json["ExposedPorts"] = said.value("ExposedPorts", Json::object());
  Json host_ports = Json::object();
  const Json bindings = said.value("PortBindings", Json::object());
  std::size_t index = 0;
  for (const auto& [name, value] : json["ExposedPorts"].items()) {
    if (bindings.contains(name))
      host_ports[name] = {{{"HostIp", ""}, {"HostPort", bindings[name]}}};
    else if (index < known.ports.size())
      host_ports[name] = {{{"HostIp", ""}, {"HostPort", std::to_string(known.ports[index++])}}};
  }
  json["HostPorts"] = std::move(host_ports);
  json["PortBindings"] = bindings;
  json["RestartPolicy"] = said.value("RestartPolicy", "");
  json["StartTime"] = known.started.empty() ? kNoTime : known.started;
  json["FinishTime"] = known.ended.empty() || shown.live ? kNoTime : known.ended;
  json["HealthCheck"] = said.value("HealthCheck", "");
  json["RestartCount"] = known.attempt > 1 ? known.attempt - 1 : 0;
  for (const char* more : {"Cmd", "Env", "WorkingDir"})
    if (said.contains(more)) json[more] = said[more];
  json["Worker"] = known.node;
  json["Event"] = shown.event_id;
  json["Duet"] = std::to_string(shown.job.value) + ".0";
  json["Ports"] = known.ports;
  if (known.exit_code && !shown.live) {
    json["ExitCode"] = *known.exit_code;
    json["Outcome"] = known.outcome;
  }
  if (!known.reason.empty()) json["Reason"] = known.reason;
  return json;
}

std::optional<TaskState> state_named(const std::string& text) {
  for (const TaskState state : task_states())
    if (name(state) == text) return state;
  return std::nullopt;
}

}  // namespace

std::optional<ShownTask> shown(const JobView& job, const ClusterView& view, const Controller& machine) {
  const auto& payload = job.spec->groups.front().spec.work.payload;
  if (payload == nullptr || payload->find(kTaskLabel) == std::string::npos) return std::nullopt;
  const auto command = command_from_payload(*payload);
  const Json said = command ? Json::parse(label(*command, kTaskLabel), nullptr, false) : Json();
  if (!said.is_object() || job.tasks.empty()) return std::nullopt;
  const TaskView& task = job.tasks.front();
  ShownTask shown;
  shown.job = job.id;
  shown.event_id = label(*command, kEventLabel);
  shown.task_id = said.value("ID", "");
  shown.state = terminal(job.state) && !terminal(task.state) ? CubeState::kCompleted
                                                             : cube_state(task.state, task.attempt);
  shown.live = !terminal(job.state);
  Standing known;
  known.attempt = task.attempt;
  if (task.attempt > 0) known.node = machine.cluster().node(task.node).name;
  if (task.started != Instant{}) known.started = rfc3339(task.started);
  if (task.has_ended) {
    known.ended = rfc3339(task.ended);
    known.exit_code = task.exit_code;
    known.outcome = name(task.outcome);
  }
  if (const AttemptFacts* facts = view.facts({{job.id, 0}, task.attempt})) {
    known.reason = facts->reason;
    known.ports = facts->ports;
  }
  shown.json = task_json(shown, said, known);
  return shown;
}

std::optional<ShownTask> shown(JobId job, const std::string& row) {
  if (row.find(kTaskLabel) == std::string::npos) return std::nullopt;
  const auto read = nlohmann::json::parse(row, nullptr, false);
  const auto none = nlohmann::json::object();
  if (!read.is_object() || read.value("groups", nlohmann::json::array()).empty() ||
      read.value("tasks", nlohmann::json::array()).empty())
    return std::nullopt;
  const auto labels = read["groups"][0].value("command", none).value("labels", none);
  const Json said = Json::parse(labels.value(kTaskLabel, ""), nullptr, false);
  if (!said.is_object()) return std::nullopt;
  const auto& task = read["tasks"][0];
  ShownTask shown;
  shown.job = job;
  shown.event_id = labels.value(kEventLabel, "");
  shown.task_id = said.value("ID", "");
  const auto state = state_named(task.value("state", ""));
  shown.state =
      state && terminal(*state) ? cube_state(*state, task.value("attempt", 0U)) : CubeState::kCompleted;
  Standing known;
  known.attempt = task.value("attempt", 0U);
  known.node = task.value("node", "");
  known.started = task.value("started_at", "");
  known.ended = task.value("ended_at", "");
  known.reason = task.value("reason", "");
  known.outcome = task.value("outcome", "");
  known.ports = task.value("ports", std::vector<std::uint32_t>{});
  if (task.contains("exit_code")) known.exit_code = task["exit_code"].get<std::int32_t>();
  shown.json = task_json(shown, said, known);
  return shown;
}

}  // namespace duet::live::cube
