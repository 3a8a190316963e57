// duet top: what the nodes and tasks of a live cluster use.
#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "sim/terminal.h"
#include "tools/duet/live_client.h"
#include "tools/duet/options.h"

namespace duet::front {
namespace {

using nlohmann::json;
using sim::Cell;
using sim::Table;

std::uint64_t mib_of(const json& object, const char* member) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, object.value(member, std::int64_t{0}))) >> 20;
}

std::int64_t in_use(const json& task) { return task.value("cpu_in_use_m", std::int64_t{-1}); }

Table node_use(const json& nodes) {
  Table table{{"node", "state", "tasks", "cpu_in_use_m", "cpu_allocated_m", "cpu_m", "memory_in_use_mib",
               "memory_mib"},
              {}};
  for (const auto& node : nodes) {
    const json none = json::object();
    const json use = node.value("in_use", none);
    const json allocated = node.value("allocated", none);
    const json capacity = node.value("capacity", none);
    table.rows.push_back({node.value("name", ""), node.value("state", ""),
                          Cell::plain(node.value("tasks", json(0)).dump()),
                          Cell::plain(use.value("cpu_m", json(0)).dump()),
                          Cell::plain(allocated.value("cpu_m", json(0)).dump()),
                          Cell::plain(capacity.value("cpu_m", json(0)).dump()), mib_of(use, "memory_bytes"),
                          mib_of(capacity, "memory_bytes")});
  }
  return table;
}

/// Those that use most come first.
std::vector<json> running_tasks(const json& tasks) {
  std::vector<json> running;
  for (const auto& task : tasks) {
    const std::string state = task.value("state", "");
    if (state == "running" || state == "stopping") running.push_back(task);
  }
  std::stable_sort(running.begin(), running.end(),
                   [](const json& a, const json& b) { return in_use(a) > in_use(b); });
  return running;
}

Table task_use(const std::vector<json>& tasks, std::size_t most) {
  Table table{{"task", "name", "node", "pid", "cpu_in_use_m", "cpu_s", "memory_mib", "state"}, {}};
  for (const auto& task : tasks) {
    if (table.rows.size() >= most) break;
    table.rows.push_back({task.value("id", ""), task.value("name", ""), task.value("node", ""),
                          task.contains("pid") ? Cell::plain(task["pid"].dump()) : Cell(),
                          in_use(task) < 0 ? Cell() : Cell::plain(std::to_string(in_use(task))),
                          task.contains("cpu_s") ? Cell::plain(task["cpu_s"].dump()) : Cell(),
                          mib_of(task, "memory_bytes"), task.value("state", "")});
  }
  return table;
}

constexpr std::size_t kMostOnTerminal = 20;

int look(LiveClient& client, const TopCommand& command, bool repaint) {
  int code = 0;
  const auto nodes = client.get("/api/v1/nodes", code);
  if (!nodes) return code;
  const auto all = client.tasks(false, code);
  if (!all) return code;
  const std::vector<json> tasks = running_tasks(*all);
  std::string text;
  if (command.format == Format::kJson) {
    text = json{{"nodes", *nodes}, {"tasks", tasks}}.dump(2) + '\n';
  } else if (command.format == Format::kCsv) {
    text = to_text(task_use(tasks, tasks.size()), Format::kCsv);
  } else {
    const std::size_t most = repaint ? kMostOnTerminal : tasks.size();
    text = to_text(node_use(*nodes), Format::kTable) + "\n" + to_text(task_use(tasks, most), Format::kTable);
    if (tasks.size() > most) text += "and " + std::to_string(tasks.size() - most) + " more\n";
  }
  if (repaint) text.insert(0, "\033[H\033[2J");
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace

int run(const TopCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  const bool terminal = ::isatty(STDOUT_FILENO) != 0 && command.format == Format::kTable;
  const std::uint64_t count = command.count == 0 && !terminal ? 1 : command.count;
  for (std::uint64_t n = 0; count == 0 || n < count; ++n) {
    if (n > 0) std::this_thread::sleep_for(std::chrono::duration<double>(command.every_s));
    if (code = look(*client, command, terminal && count != 1); code != sim::kExitOk) return code;
  }
  return sim::kExitOk;
}

}  // namespace duet::front
