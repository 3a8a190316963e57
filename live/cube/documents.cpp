#include "live/cube/documents.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "live/cube/uuid.h"
#include "live/http/schema.h"

namespace duet::live::cube {
namespace {

constexpr double kMostCpus = 1e6;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 60;
/// cube starts a container again so often.
constexpr std::uint32_t kRestarts = 3;

using Type = nlohmann::json::value_t;

/// What a task may say, in the order in which it is shown. What only the manager knows is read and dropped:
/// a task that was shown may be posted again.
struct Member {
  const char* name;
  Type type;
  bool kept;
};
constexpr std::array kMembers = {Member{"ID", Type::string, true},
                                 Member{"ContainerID", Type::string, false},
                                 Member{"Name", Type::string, true},
                                 Member{"State", Type::number_integer, false},
                                 Member{"Image", Type::string, true},
                                 Member{"Cpu", Type::number_float, true},
                                 Member{"Memory", Type::number_integer, true},
                                 Member{"Disk", Type::number_integer, true},
                                 Member{"ExposedPorts", Type::object, true},
                                 Member{"HostPorts", Type::object, false},
                                 Member{"PortBindings", Type::object, true},
                                 Member{"RestartPolicy", Type::string, true},
                                 Member{"StartTime", Type::string, false},
                                 Member{"FinishTime", Type::string, false},
                                 Member{"HealthCheck", Type::string, true},
                                 Member{"RestartCount", Type::number_integer, false},
                                 Member{"Cmd", Type::array, true},
                                 Member{"Env", Type::array, true},
                                 Member{"WorkingDir", Type::string, true},
                                 Member{"Worker", Type::string, false},
                                 Member{"Event", Type::string, false},
                                 Member{"Duet", Type::string, false},
                                 Member{"Ports", Type::array, false},
                                 Member{"ExitCode", Type::number_integer, false},
                                 Member{"Outcome", Type::string, false},
                                 Member{"Reason", Type::string, false}};

std::string type_words(Type type) {
  switch (type) {
    case Type::string:
      return "a string";
    case Type::number_integer:
      return "a whole number";
    case Type::number_float:
      return "a number";
    case Type::array:
      return "an array of strings";
    default:
      return "an object";
  }
}

bool has_type(const Json& value, Type type) {
  if (type == Type::number_integer) return value.is_number_integer();
  if (type == Type::number_float) return value.is_number();
  if (type == Type::array)
    return value.is_array() && std::ranges::all_of(value, [](const Json& one) { return one.is_string(); });
  return value.type() == type;
}

class EventReader {
 public:
  TaskEvent read(const Json& document) {
    if (!document.is_object()) {
      wrong("body", "is no object", R"({"ID": ..., "State": 2, "Task": {...}})");
      return {};
    }
    const Json* task = nullptr;
    for (const auto& [name, value] : document.items()) {
      const std::string known = lower(name);
      if (known == "id") {
        event_.id = uuid("ID", value);
      } else if (known == "state") {
        event_.state = state("State", value);
      } else if (known == "task") {
        task = &value;
      } else if (known == "timestamp") {
        if (!value.is_string()) wrong("Timestamp", "is no string", "a time");
      } else {
        wrong(name, "unknown field", "ID, State, Timestamp or Task");
      }
    }
    if (task == nullptr || !task->is_object())
      wrong("Task", "is no object", R"({"ID": ..., "Name": ..., "Cmd": [...]})");
    else
      read_task(*task);
    if (event_.id.empty()) event_.id = fresh_uuid();
    if (event_.task_id.empty()) event_.task_id = event_.id;
    event_.task["ID"] = event_.task_id;
    return std::move(event_);
  }
  Problems take() { return std::move(problems_); }

 private:
  void wrong(std::string where, std::string what, std::string right) {
    problems_.push_back({std::move(where), std::move(what), std::move(right)});
  }

  std::string uuid(const std::string& where, const Json& value) {
    if (value.is_string() && is_uuid(value.get<std::string>())) return lower(value.get<std::string>());
    wrong(where, value.dump() + " is no UUID", "bb1d59ef-9fc1-4e4b-a44d-db571eeed203, say");
    return {};
  }

  CubeState state(const std::string& where, const Json& value) {
    if (value.is_number_integer() && value >= 0 && value <= 4)
      return static_cast<CubeState>(value.get<int>());
    wrong(where, value.dump() + " is no state", "0 to 4");
    return CubeState::kRunning;
  }

  void read_task(const Json& task) {
    std::map<std::string, const Json*> found;
    for (const auto& [name, value] : task.items()) {
      const auto member = std::ranges::find_if(
          kMembers, [&, low = lower(name)](const Member& one) { return lower(one.name) == low; });
      if (member == kMembers.end()) {
        wrong("Task." + name, "unknown field", "");
      } else if (member->kept && !value.is_null() && !has_type(value, member->type)) {
        wrong("Task." + std::string(member->name), value.dump() + " will not do", type_words(member->type));
      } else if (!value.is_null() && member->kept) {
        found[member->name] = &value;
      }
    }
    for (const Member& member : kMembers)
      if (const auto at = found.find(member.name); at != found.end()) event_.task[member.name] = *at->second;
    check(event_.task);
  }

  void check(const Json& task) {
    if (task.contains("ID")) event_.task_id = uuid("Task.ID", task["ID"]);
    event_.name = task.value("Name", "");
    event_.image = task.value("Image", "");
    const auto fine = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    };
    if (event_.name.empty() || event_.name.size() > 63 ||
        std::isalnum(static_cast<unsigned char>(event_.name.front())) == 0 ||
        !std::ranges::all_of(event_.name, fine))
      wrong("Task.Name", "'" + event_.name + "' will not do",
            "1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit");
    const double cpu = task.value("Cpu", 0.0);
    if (!(cpu >= 0 && cpu <= kMostCpus)) wrong("Task.Cpu", "is out of range", "cores, such as 0.5");
    for (const char* amount : {"Memory", "Disk"})
      if (const auto bytes = task.value(amount, std::int64_t{0}); bytes < 0 || bytes > kMostBytes)
        wrong("Task." + std::string(amount), "is out of range", "bytes, 0 or more");
    check_ports(task);
    check_health(task);
    constexpr std::array<std::string_view, 5> kPolicies = {"", "no", "always", "unless-stopped",
                                                           "on-failure"};
    if (std::ranges::find(kPolicies, task.value("RestartPolicy", "")) == kPolicies.end())
      wrong("Task.RestartPolicy", "'" + task.value("RestartPolicy", "") + "' is not known",
            "always, unless-stopped, on-failure, or none");
    for (const Json& variable : task.value("Env", Json::array()))
      if (const auto at = variable.get<std::string>().find('='); at == 0 || at == std::string::npos)
        wrong("Task.Env", variable.dump() + " is no variable", "NAME=VALUE");
  }

  void check_ports(const Json& task) {
    const Json exposed = task.value("ExposedPorts", Json::object());
    const Json bindings = task.value("PortBindings", Json::object());
    const auto port = [](const std::string& text, bool with_protocol) {
      const auto slash = text.find('/');
      if (with_protocol && slash != std::string::npos && text.substr(slash) != "/tcp") return false;
      const std::string number = with_protocol ? text.substr(0, slash) : text;
      return !number.empty() && number.size() <= 5 &&
             std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c) != 0; }) &&
             std::stoi(number) >= 1 && std::stoi(number) <= 65535;
    };
    for (const auto& [name, value] : exposed.items())
      if (!port(name, true)) wrong("Task.ExposedPorts", "'" + name + "' is no port", "7777/tcp, say");
    for (const auto& [name, value] : bindings.items()) {
      if (!port(name, true)) wrong("Task.PortBindings", "'" + name + "' is no port", "7777/tcp, say");
      if (!value.is_string() || !port(value.get<std::string>(), false))
        wrong("Task.PortBindings." + name, value.dump() + " is no port of the host", R"("7777", say)");
    }
    for (const auto& [name, value] : exposed.items())
      if (!bindings.empty() && !bindings.contains(name))
        wrong("Task.PortBindings", "has no place for " + name, "all exposed ports, or none of them");
  }

  void check_health(const Json& task) {
    const std::string target = task.value("HealthCheck", "");
    if (target.empty()) return;
    const bool visible = std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!target.starts_with('/') || !visible)
      wrong("Task.HealthCheck", "'" + target + "' is no path", "/health, say: it is asked at its first port");
    if (task.value("ExposedPorts", Json::object()).empty() &&
        task.value("PortBindings", Json::object()).empty())
      wrong("Task.HealthCheck", "has no port to ask", R"("ExposedPorts": {"7777/tcp": {}}, say)");
  }

  TaskEvent event_;
  Problems problems_;
};

/// Ports that are bound are told as those are that were chosen: PORT, PORT1, ...
void set_ports(const Json& task, TaskCommand& command) {
  const Json bindings = task.value("PortBindings", Json::object());
  if (bindings.empty()) {
    command.ports = static_cast<std::uint32_t>(task.value("ExposedPorts", Json::object()).size());
    return;
  }
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : bindings.items()) sorted[name] = value.get<std::string>();
  std::size_t count = 0;
  for (const auto& [name, port] : sorted) {
    const std::string variable = count == 0 ? "PORT" : "PORT" + std::to_string(count);
    ++count;
    const auto same = [&](const auto& one) { return one.first == variable; };
    if (std::ranges::none_of(command.env, same)) command.env.emplace_back(variable, port);
  }
}

TaskCommand command_of(const TaskEvent& event) {
  const Json& task = event.task;
  TaskCommand command;
  command.argv = task.value("Cmd", std::vector<std::string>{});
  command.image = event.image;
  command.directory = task.value("WorkingDir", "");
  std::map<std::string, std::string> env;  // The last of a name counts, as with Docker.
  for (const Json& variable : task.value("Env", Json::array())) {
    const auto text = variable.get<std::string>();
    env[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  }
  command.env.assign(env.begin(), env.end());
  set_ports(task, command);
  std::ranges::sort(command.env);
  command.memory_bytes = task.value("Memory", std::int64_t{0});
  command.labels = {{kEventLabel, event.id}, {kTaskLabel, task.dump()}};
  return command;
}

}  // namespace

std::string label(const TaskCommand& command, const char* name) {
  for (const auto& [key, value] : command.labels)
    if (key == name) return value;
  return {};
}

Result<TaskEvent> read_event(std::string_view body) {
  // Depth, duplicates and encoding first; the order of members only matters to people.
  if (const auto read = http::parse_json(body); !read) {
    Problems problems = read.problems();
    for (Problem& problem : problems) problem.where = "body" + problem.where;
    return problems;
  }
  const Json document = Json::parse(body.begin(), body.end(), nullptr, false);
  EventReader reader;
  TaskEvent event = reader.read(document);
  if (Problems problems = reader.take(); !problems.empty()) return problems;
  return event;
}

HealthCheck health_check(std::chrono::seconds interval) {
  return {.interval = interval, .timeout = std::chrono::seconds(2), .start_period = {}, .failures = 3};
}

std::optional<HealthPlace> health_place(const Json& task) {
  HealthPlace place;
  place.target = task.value("HealthCheck", "");
  if (place.target.empty()) return std::nullopt;
  std::map<std::string, std::string> bound;  // PORT is the first one by its name.
  const Json bindings = task.value("PortBindings", Json::object());
  for (const auto& [name, port] : bindings.items())
    if (port.is_string()) bound[name] = port.get<std::string>();
  const auto chosen = task.value("Ports", std::vector<std::uint32_t>{});
  std::uint32_t port = chosen.empty() ? 0 : chosen.front();
  if (!bound.empty()) {
    const std::string& text = bound.begin()->second;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
    if (read.ec != std::errc{}) return std::nullopt;
  }
  if (port == 0 || port > 65535) return std::nullopt;
  place.port = static_cast<std::uint16_t>(port);
  return place;
}

Result<JobSpecPtr> job_of(const TaskEvent& event, const std::optional<HealthCheck>& check) {
  const bool asked = check && !event.task.value("HealthCheck", "").empty();
  std::string policy = check ? event.task.value("RestartPolicy", "") : std::string();
  // cube's manager itself starts what is not healthy again, where Docker is told nothing.
  if (asked && policy.empty()) policy = "on-failure";
  JobSpec spec;
  spec.key = event.name;
  if (policy == "always" || policy == "unless-stopped") {
    spec.kind = JobKind::kService;
    spec.backoff = std::chrono::seconds(1);
  } else if (policy == "on-failure") {
    spec.retries = kRestarts;
    spec.backoff = std::chrono::seconds(1);
  }
  TaskGroup group;
  group.spec.need.cpu_m = std::llround(event.task.value("Cpu", 0.0) * static_cast<double>(kThread));
  group.spec.need.memory_bytes = event.task.value("Memory", std::int64_t{0});
  if (asked) group.spec.work.health = check;
  std::string payload = to_payload(command_of(event));
  if (const auto read = command_from_payload(payload); !read) {
    Problems problems = read.problems();
    for (Problem& problem : problems) {
      if (problem.where.starts_with("/argv")) problem.where = "/Cmd" + problem.where.substr(5);
      if (problem.where.starts_with("/env")) problem.where = "/Env" + problem.where.substr(4);
      if (problem.where == "/directory") problem.where = "/WorkingDir";
      problem.where = "Task" + problem.where;
      std::ranges::replace(problem.where, '/', '.');
    }
    return problems;
  }
  group.spec.work.payload = std::make_shared<const std::string>(std::move(payload));
  spec.groups.push_back(std::move(group));
  return JobSpecPtr(std::make_shared<const JobSpec>(std::move(spec)));
}

Json event_for(const TaskCommand& command, const std::string& event_id, const std::string& name,
               const Resources& need) {
  Json task = Json::parse(label(command, kTaskLabel), nullptr, false);
  if (!task.is_object()) {  // Not of cube: submitted in Duet's own words.
    task = Json::object();
    task["ID"] = event_id;
    task["Name"] = name;
    if (!command.image.empty()) task["Image"] = command.image;
    task["Cpu"] = static_cast<double>(need.cpu_m) / static_cast<double>(kThread);
    task["Memory"] = need.memory_bytes;
    for (std::uint32_t i = 0; i < command.ports; ++i)
      task["ExposedPorts"][std::to_string(i + 1) + "/tcp"] = Json::object();
    if (!command.argv.empty()) task["Cmd"] = command.argv;
    for (const auto& [key, value] : command.env) task["Env"].push_back(key + '=' + value);
    if (!command.directory.empty()) task["WorkingDir"] = command.directory;
    if (command.health.kind == HealthQuestion::Kind::kHttp) task["HealthCheck"] = command.health.path;
  }
  task.erase("RestartPolicy");
  Json event;
  event["ID"] = event_id;
  event["State"] = static_cast<int>(CubeState::kRunning);
  event["Task"] = std::move(task);
  return event;
}

}  // namespace duet::live::cube
