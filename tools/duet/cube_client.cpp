// cube run, stop, status, node: what is asked of a manager, and how it is shown.
#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "live/http/client.h"
#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/cube_commands.h"
#include "tools/duet/human_duration.h"
#include "tools/duet/live_client.h"

namespace duet::front {
namespace {

using live::http::Method;
using CubeJson = nlohmann::json;
using Words = std::vector<std::string>;

// ---- Talking to a manager

struct Answered {
  unsigned status = 0;
  std::string body;
};

/// Nothing, and said so: it cannot be reached. The exit code is in `code`.
std::optional<Answered> ask_manager(const FlagSet& flags, Method method, const std::string& target,
                                    const std::string& body, int& code) {
  const std::string& manager = flags.value("manager");
  auto client = live::http::Client::make(manager);
  if (!client) {
    code = cube_misuse("", "--manager " + manager + ": " + sim::to_text(client.problems()));
    return std::nullopt;
  }
  live::http::Reply reply = client->send({.method = method, .target = target, .body = body, .headers = {}});
  if (!reply.arrived()) {
    sim::say("Error: no manager answers at " + manager + ": " + reply.why +
             "\n  = cube manager --workers localhost:5556 starts one\n");
    code = kExitUnreachable;
    return std::nullopt;
  }
  return Answered{reply.status, std::move(reply.body)};
}

/// Says what the manager objects to. The exit code for it.
int complain_of(const Answered& answer) {
  const auto said = CubeJson::parse(answer.body, nullptr, false);
  std::string message = "the manager answers " + std::to_string(answer.status);
  if (said.is_object()) message = said.value("Message", said.value("detail", message));
  sim::say("Error: " + message + '\n');
  return answer.status == 400 ? sim::kExitUsage : sim::kExitNegative;
}

std::optional<CubeJson> list_of(const FlagSet& flags, const std::string& target, int& code) {
  const auto answer = ask_manager(flags, Method::kGet, target, {}, code);
  if (!answer) return std::nullopt;
  auto json = CubeJson::parse(answer->body, nullptr, false);
  if (answer->status == 200 && json.is_array()) return json;
  code = answer->status == 200 ? cube_fail("what answers there is no manager of cube") : complain_of(*answer);
  return std::nullopt;
}

/// Left-aligned, five blanks between columns, the first at least nineteen wide.
int print_columns(const std::vector<Words>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Words& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + 5);
  widths.front() = std::max<std::size_t>(widths.front(), 19);
  std::string text;
  for (const Words& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size(), ' ');
    }
    text += line + '\n';
  }
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

std::string created_ago(const std::string& instant) {
  std::tm utc{};
  std::int64_t seconds = 0;
  if (!instant.starts_with("0001") && strptime(instant.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) != nullptr)
    seconds = std::max<std::int64_t>(0, std::time(nullptr) - timegm(&utc));
  return human_duration(seconds) + " ago";
}

std::string state_text(int state) {
  constexpr std::array<const char*, 5> kStates = {"Pending", "Scheduled", "Running", "Completed", "Failed"};
  return state >= 0 && state < 5 ? kStates[static_cast<std::size_t>(state)] : std::to_string(state);
}

}  // namespace

int cube_fail(const std::string& what) {
  sim::say("Error: " + what + '\n');
  return sim::kExitNegative;
}

int cube_misuse(const std::string& command, const std::string& what) {
  sim::say("Error: " + what + "\nSee 'cube " + command + " --help'\n");
  return sim::kExitUsage;
}

int cube_run(const FlagSet& flags) {
  const std::string& path = flags.value("filename");
  std::ifstream file(path, std::ios::binary);
  if (!file) return cube_fail("file " + path + " cannot be read");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  int code = 0;
  const auto answer = ask_manager(flags, Method::kPost, "/tasks", text, code);
  if (!answer) return code;
  if (answer->status != 201) return complain_of(*answer);
  const auto task = CubeJson::parse(answer->body, nullptr, false);
  const std::string id = task.is_object() ? task.value("ID", "") : "";
  return sim::print("Successfully sent task request to manager: " + id + '\n') ? sim::kExitOk
                                                                               : sim::kExitUsage;
}

int cube_stop(const FlagSet& flags) {
  if (flags.rest().size() != 1) return cube_misuse("stop", "one task ID is needed: cube stop bb1d59ef");
  const std::string& id = flags.rest().front();
  int code = 0;
  const auto answer = ask_manager(flags, Method::kDelete, "/tasks/" + id, {}, code);
  if (!answer) return code;
  if (answer->status != 204) return complain_of(*answer);
  return sim::print("Task " + id + " has been stopped.\n") ? sim::kExitOk : sim::kExitUsage;
}

int cube_status(const FlagSet& flags) {
  int code = 0;
  const auto tasks = list_of(flags, "/tasks", code);
  if (!tasks) return code;
  std::vector<Words> rows = {{"ID", "NAME", "CREATED", "STATE", "CONTAINERNAME", "IMAGE"}};
  const bool wide = flags.value("output") == "wide";
  if (wide) rows.front().insert(rows.front().end(), {"WORKER", "TASK", "REASON"});
  if (flags.value("output") == "json")
    return sim::print(tasks->dump(2) + '\n') ? sim::kExitOk : sim::kExitUsage;
  for (const auto& task : *tasks) {
    rows.push_back({task.value("ID", "").substr(0, 8), task.value("Name", ""),
                    created_ago(task.value("StartTime", "0001")), state_text(task.value("State", 0)),
                    task.value("Name", ""), task.value("Image", "")});
    if (wide)
      rows.back().insert(rows.back().end(),
                         {task.value("Worker", ""), task.value("Duet", ""), task.value("Reason", "")});
  }
  return print_columns(rows);
}

int cube_node(const FlagSet& flags) {
  int code = 0;
  const auto nodes = list_of(flags, "/nodes", code);
  if (!nodes) return code;
  if (flags.value("output") == "json")
    return sim::print(nodes->dump(2) + '\n') ? sim::kExitOk : sim::kExitUsage;
  std::vector<Words> rows = {{"NAME", "MEMORY (MiB)", "DISK (GiB)", "ROLE", "TASKS"}};
  const bool wide = flags.value("output") == "wide";
  if (wide) rows.front().insert(rows.front().end(), {"STATE", "CORES"});
  for (const auto& node : *nodes) {
    rows.push_back({node.value("Name", ""), std::to_string(node.value("Memory", std::uint64_t{0}) >> 10),
                    std::to_string(node.value("Disk", std::uint64_t{0}) >> 30), node.value("Role", ""),
                    std::to_string(node.value("TaskCount", std::uint64_t{0}))});
    if (wide)
      rows.back().insert(rows.back().end(),
                         {node.value("State", ""), std::to_string(node.value("Cores", std::uint64_t{0}))});
  }
  return print_columns(rows);
}

}  // namespace duet::front
