// duet status, node, job, services, logs, events: what a live cluster shows.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "sim/terminal.h"
#include "tools/duet/live_client.h"
#include "tools/duet/live_names.h"
#include "tools/duet/options.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

using nlohmann::json;
using sim::Cell;
using sim::Table;

/// What JSON holds there, as a cell; nothing if it is not there.
Cell cell(const json& object, const char* member) {
  const auto at = object.find(member);
  if (at == object.end() || at->is_null()) return {};
  if (at->is_string()) return Cell(at->get<std::string>());
  return Cell::plain(at->dump());
}

/// How long ago: "2 minutes ago".
std::string ago(const std::string& instant) {
  std::tm utc{};
  if (strptime(instant.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return instant;
  const auto seconds = std::max<std::int64_t>(0, std::time(nullptr) - timegm(&utc));
  const auto told = [](std::int64_t count, const char* unit) {
    return std::to_string(count) + ' ' + unit + (count == 1 ? " ago" : "s ago");
  };
  if (seconds < 1) return "less than a second ago";
  if (seconds < 60) return told(seconds, "second");
  if (seconds < 3600) return told(seconds / 60, "minute");
  if (seconds < 48 * 3600) return told(seconds / 3600, "hour");
  return told(seconds / 86400, "day");
}

Cell created(const json& task, bool human) {
  const std::string at = task.value("placed_at", "");
  if (at.empty()) return {};
  return human ? Cell(ago(at)) : Cell(at);
}

std::string joined(const json& array) {
  std::string text;
  for (const auto& element : array) text += (text.empty() ? "" : ",") + element.dump();
  return text;
}

bool ended(const std::string& state) {
  return state == "succeeded" || state == "failed" || state == "cancelled" || state == "idle";
}

bool at_work(const std::string& state) {
  return state == "starting" || state == "running" || state == "stopping";
}

/// To the hundredth.
Cell seconds(const json& object, const char* member) {
  if (!object.contains(member) || !object[member].is_number()) return {};
  char text[48];
  std::snprintf(text, sizeof text, "%.2f", object[member].get<double>());
  return Cell::plain(text);
}

/// n2 before n10.
bool in_natural_order(const json& a, const json& b) {
  const std::string left = a.value("name", "");
  const std::string right = b.value("name", "");
  std::size_t i = 0;
  std::size_t k = 0;
  const auto digit = [](const std::string& text, std::size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
  };
  while (i < left.size() && k < right.size()) {
    if (!digit(left, i) || !digit(right, k)) {
      if (left[i] != right[k]) return left[i] < right[k];
      ++i;
      ++k;
      continue;
    }
    while (left[i] == '0' && digit(left, i + 1)) ++i;
    while (right[k] == '0' && digit(right, k + 1)) ++k;
    std::size_t wide = 0;
    while (digit(left, i + wide)) ++wide;
    std::size_t other = 0;
    while (digit(right, k + other)) ++other;
    if (wide != other) return wide < other;
    const int order = left.compare(i, wide, right, k, other);
    if (order != 0) return order < 0;
    i += wide;
    k += other;
  }
  return left.size() - i < right.size() - k;
}

/// "#2 failed (3)", "#1 unhealthy", "#4 failed: out of memory": an end in a few words.
std::string how_ended(const json& end) {
  if (end.empty()) return {};
  std::string text = end.contains("task") ? end.value("task", "") + ' ' : "";
  if (end.contains("attempt")) text = '#' + end["attempt"].dump() + ' ';
  text += end.value("outcome", "");
  if (const int code = end.value("exit_code", 0); code != 0) text += " (" + std::to_string(code) + ')';
  const std::string reason = end.value("reason", "");
  return reason.empty() ? text : text + ": " + reason;
}

/// A state, with what it does not say: that what runs failed to prove so far that it works.
Cell state_of(const json& task, const ListCommand& command) {
  const std::string state = task.value("state", "");
  const bool waits = state == "running" && !task.value("ready", true);
  return waits && command.format == Format::kTable ? Cell(state + ", not ready") : Cell(state);
}

Table task_table(const json& tasks, const ListCommand& command) {
  Table table{{"id", "name", "state", "node", "attempt", "placed"}, {}};
  // What can never run here has a column of its own, when there is such a thing.
  const bool stuck =
      !command.wide && std::ranges::any_of(tasks, [](const json& task) { return task.contains("warning"); });
  if (stuck) table.columns.emplace_back("warning");
  if (command.wide)
    for (const char* more :
         {"ready", "exit_code", "pid", "cpus", "ports", "cpu_s", "memory_mib", "last_end", "reason"})
      table.columns.emplace_back(more);
  for (const auto& task : tasks) {
    std::vector<Cell> row = {cell(task, "id"),        cell(task, "name"),
                             state_of(task, command), cell(task, "node"),
                             cell(task, "attempt"),   created(task, command.format == Format::kTable)};
    if (stuck) row.push_back(cell(task, "warning"));
    if (command.wide) {
      row.push_back(cell(task, "ready"));
      // While an attempt runs, the one before it is another story.
      row.push_back(at_work(task.value("state", "")) ? Cell() : cell(task, "exit_code"));
      row.push_back(cell(task, "pid"));
      row.emplace_back(joined(task.value("cpus", json::array())));
      row.emplace_back(joined(task.value("ports", json::array())));
      row.push_back(seconds(task, "cpu_s"));
      row.emplace_back(static_cast<std::uint64_t>(task.value("memory_bytes", std::int64_t{0})) >> 20);
      row.emplace_back(how_ended(task.value("last_end", json::object())));
      row.push_back(cell(task, task.contains("warning") ? "warning" : "reason"));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table node_table(const json& nodes, const ListCommand& command) {
  Table table{{"name", "state", "tasks", "cpu_used_m", "cpu_m", "memory_used_mib", "memory_mib", "slots"},
              {}};
  if (command.wide)
    for (const char* more : {"address", "pid", "version", "topology", "limits"})
      table.columns.emplace_back(more);
  const auto mib = [](const json& amount) {
    return static_cast<std::uint64_t>(amount.value("memory_bytes", std::int64_t{0})) >> 20;
  };
  for (const auto& node : nodes) {
    const json none = json::object();
    const json allocated = node.value("allocated", none);
    const json capacity = node.value("capacity", none);
    std::string state = node.value("state", "");
    if (node.value("draining", false)) state += ", draining";
    std::vector<Cell> row = {
        cell(node, "name"),      state,          cell(node, "tasks"), cell(allocated, "cpu_m"),
        cell(capacity, "cpu_m"), mib(allocated), mib(capacity),       cell(node, "slots")};
    if (command.wide)
      for (const char* more : {"address", "pid", "version", "topology", "limits"})
        row.push_back(cell(node, more));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table job_table(const json& jobs, const ListCommand& command) {
  Table table{{"id", "name", "kind", "state", "tasks", "running", "succeeded", "failed", "submitted"}, {}};
  for (const auto& job : jobs) {
    const std::string at = job.value("submitted_at", "");
    table.rows.push_back({cell(job, "id"), cell(job, "name"), cell(job, "kind"), cell(job, "state"),
                          cell(job, "tasks_total"), cell(job, "tasks_running"), cell(job, "tasks_succeeded"),
                          cell(job, "tasks_failed"),
                          command.format == Format::kTable ? Cell(ago(at)) : Cell(at)});
  }
  return table;
}

Table service_table(const json& services, const ListCommand&) {
  Table table{{"id", "name", "version", "desired", "running", "ready", "last_end", "endpoints"}, {}};
  for (const auto& service : services) {
    std::string endpoints;
    for (const auto& end : service.value("endpoints", json::array()))
      for (const auto& port : end.value("ports", json::array()))
        endpoints += (endpoints.empty() ? "" : " ") + end.value("address", "") + ':' + port.dump();
    table.rows.push_back({cell(service, "id"), cell(service, "name"), cell(service, "version"),
                          cell(service, "desired_replicas"), cell(service, "running_replicas"),
                          cell(service, "ready_replicas"),
                          how_ended(service.value("last_end", json::object())), endpoints});
  }
  return table;
}

/// Without what has ended, unless that is wanted.
json living(const json& list, const ListCommand& command) {
  json kept = json::array();
  for (const json& one : list)
    if (command.all || !ended(one.value("state", ""))) kept.push_back(one);
  return kept;
}

json sorted_nodes(const json& nodes, const std::string& only) {
  std::vector<json> sorted;
  for (const json& node : nodes)
    if (only.empty() || node.value("name", "") == only) sorted.push_back(node);
  std::ranges::stable_sort(sorted, in_natural_order);
  return sorted;
}

/// One list, asked for and printed. JSON is what the API says of each.
int show(LiveClient& client, const ListCommand& command) {
  using What = ListCommand::What;
  int code = 0;
  json list = json::array();
  Table (*table_of)(const json&, const ListCommand&) = task_table;
  if (command.what == What::kTasks) {
    const auto tasks = client.tasks(command.all, code);
    if (!tasks) return code;
    list = living(*tasks, command);
  } else if (command.what == What::kNodes) {
    const auto nodes = client.get("/api/v1/nodes", code);
    if (!nodes) return code;
    list = sorted_nodes(*nodes, command.id);
    table_of = node_table;
    if (!command.id.empty() && list.empty()) {
      sim::say("there is no node " + command.id + '\n');
      return sim::kExitNegative;
    }
  } else if (command.what == What::kServices) {
    const auto services = client.get("/api/v1/services", code);
    if (!services) return code;
    list = *services;
    table_of = service_table;
  } else if (!command.id.empty()) {
    const auto word = find_job(client, command.id, true, code);
    if (!word) return code;
    const auto job = client.get("/api/v1/jobs/" + word->job, code);
    if (!job) return code;
    if (command.format == Format::kJson)
      return sim::print(job->dump(2) + '\n') ? sim::kExitOk : sim::kExitUsage;
    list = job->value("tasks", json::array());
  } else {
    const auto jobs = client.get("/api/v1/jobs?limit=1000", code);
    if (!jobs) return code;
    list = living(jobs->value("jobs", json::array()), command);
    table_of = job_table;
  }
  const bool json_wanted = command.format == Format::kJson;
  const std::string text =
      json_wanted ? list.dump(2) + '\n' : to_text(table_of(list, command), command.format);
  if (!sim::print(text)) return sim::kExitUsage;
  if (list.empty() && command.format == Format::kTable && !command.all)
    sim::say("nothing runs or waits; --all shows what has ended\n");
  return sim::kExitOk;
}

}  // namespace

int run(const ListCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  if (!command.watch) return show(*client, command);
  const bool repaint = ::isatty(STDOUT_FILENO) != 0;
  auto last = std::chrono::steady_clock::time_point{};
  std::string since;
  for (;;) {
    // A flood of events is drawn four times a second.
    if (repaint && !sim::print("\033[H\033[2J")) return sim::kExitUsage;
    if (code = show(*client, command); code != sim::kExitOk) return code;
    last = std::chrono::steady_clock::now();
    auto events = LiveClient::connect(command.to, code);
    if (!events) return code;
    const auto reply =
        events->http().events("/api/v1/events", since, [&](const live::http::ReceivedEvent& event) {
          since = event.id;
          return std::chrono::steady_clock::now() - last < std::chrono::milliseconds(250);
        });
    if (!reply.arrived() && reply.failure == live::http::Reply::Failure::kUnreachable)
      return events->complain(reply);
  }
}

int run(const LogsCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  const auto word = find_job(*client, command.task, true, code);
  if (!word) return code;
  const std::string id = word->job + '.' + (word->index.empty() ? "0" : word->index);
  const std::string attempt = word->attempt.empty() ? std::string() : "&attempt=" + word->attempt;
  std::string target =
      "/api/v1/tasks/" + id + "/logs?stream=" + (command.errors ? "stderr" : "stdout") + attempt;
  if (command.last > 0) target += "&last=" + std::to_string(command.last);
  if (command.follow) target += "&follow=true";
  bool written = true;
  const auto reply =
      client->http().stream({live::http::Method::kGet, target, {}, {}},
                            [&](std::string_view piece) { return written = sim::print(piece); });
  if (!written) return sim::kExitUsage;
  return reply.ok() ? sim::kExitOk : client->complain(reply);
}

int run(const EventsCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  bool written = true;
  const auto reply =
      client->http().events("/api/v1/events", command.since, [&](const live::http::ReceivedEvent& event) {
        const std::string line = command.json ? R"({"id":")" + event.id + R"(","type":")" + event.name +
                                                    R"(","data":)" + event.data + "}\n"
                                              : event.name + ' ' + event.data + '\n';
        return written = sim::print(line);
      });
  if (!written) return sim::kExitUsage;
  return reply.ok() ? sim::kExitOk : client->complain(reply);
}

int run(const ProgramCommand& command) {
  const std::string path = helper_path(command.program);
  if (path.empty()) {
    sim::say("this build has no " + command.program + ": libexec/" + command.program + " is not there\n");
    return sim::kExitUsage;
  }
  const std::string why = become(path, command.words);
  sim::say(path + ": " + why + '\n');
  return sim::kExitUsage;
}

}  // namespace duet::front
