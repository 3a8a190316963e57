// duet plan, and duet explain of a live cluster: where a task would go or went, and why it waits.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/live_client.h"
#include "tools/duet/live_document.h"
#include "tools/duet/live_names.h"
#include "tools/duet/options.h"

namespace duet::front {
namespace {

using live::http::Method;
using nlohmann::json;
using sim::Cell;
using sim::Table;

std::string counted(std::uint64_t n, const char* one, const char* more) {
  return std::to_string(n) + ' ' + (n == 1 ? one : more);
}

std::string number_list(const json& numbers) {
  std::string text;
  for (const auto& number : numbers) text += (text.empty() ? "" : ", ") + number.dump();
  return text;
}

/// Why a task waits, in words.
std::string why_it_waits(const json& standing) {
  const std::string why = standing.value("why", "");
  if (why == "active") return "has a place";
  if (why == "backoff") return "failed, and waits out a backoff until " + standing.value("until", "");
  if (why == "predecessors")
    return "waits for groups of its job to succeed: " +
           number_list(standing.value("waits_for", json::array()));
  if (why == "gang")
    return "waits for the other tasks of its gang to end: " +
           number_list(standing.value("waits_for", json::array()));
  if (why == "idle") return "is a replica that is not desired at present";
  if (why != "queued") return "has ended";
  const auto ahead = standing.value("entries_ahead", std::uint64_t{0});
  const auto width = standing.value("tasks_of_entry", std::uint64_t{0});
  const auto room = standing.value("room_for", std::uint64_t{0});
  std::string text = "stands in the queue, entry " + std::to_string(ahead + 1) + " of " +
                     std::to_string(standing.value("entries", std::uint64_t{0}));
  if (standing.value("together", false) && width > 1)
    text += "; its gang of " + std::to_string(width) + " starts together, and there is room for " +
            std::to_string(room);
  else if (room == 0)
    text += "; no node has room";
  else
    text += "; there is room for " + std::to_string(room) + " of its " + counted(width, "task", "tasks");
  if (room >= width && ahead > 0) text += ", but what is ahead of it comes first";
  return text;
}

std::string held_back(const json& told) {
  std::string text;
  for (const auto& rule : told.value("held_back", json::array()))
    text += "  held back " + sim::printable(rule.value("what", "")) + ": " + rule.value("by", "") +
            (rule.contains("until") ? " until " + rule.value("until", "") : "") + '\n';
  return text;
}

Table nodes_table(const json& told) {
  Table table{{"node", "verdict", "rank", "score", "why"}, {}};
  for (const auto& node : told.value("nodes", json::array())) {
    std::string why;
    for (const auto& objection : node.value("against", json::array()))
      why += (why.empty() ? "" : "; ") + objection.value("text", "");
    const bool fits = node.value("fits", false);
    table.rows.push_back({node.value("name", ""), fits ? "fits" : "no",
                          node.contains("rank") ? Cell::plain(node["rank"].dump()) : Cell(),
                          node.contains("score") ? Cell::plain(node["score"].dump()) : Cell(), why});
  }
  return table;
}

std::string scheduler_line(const json& told) {
  const std::string measure = told.value("measure", "");
  if (measure.empty()) return {};
  return "  scheduler " + told.value("scheduler", "") + "; score: " + measure +
         "; the highest wins, the first among equals\n";
}

/// What REST explains, for people.
std::string explanation_text(const json& told) {
  std::string text = "task " + told.value("task", "") + " of job " + sim::backquoted(told.value("name", "")) +
                     ": " + told.value("state", "");
  if (told.value("attempt", 0) > 0) text += ", attempt " + told["attempt"].dump();
  if (told.contains("node")) text += ", on " + sim::printable(told.value("node", ""));
  text += "\n  now       " + why_it_waits(told.value("standing", json::object())) + "\n";
  text += "  queue     " + told.value("queue", "") + "\n" + held_back(told) + scheduler_line(told);
  const Table nodes = nodes_table(told);
  return nodes.rows.empty() ? text : text + "\n" + to_text(nodes, Format::kTable);
}

std::string plan_text(const json& plan, const std::string& name) {
  if (!plan.value("accepted", false))
    return "job " + sim::backquoted(name) + " would be refused: " + plan.value("refusal", "") + '\n';
  const auto total = plan.value("tasks_total", std::uint64_t{0});
  const auto placed = plan.value("tasks_placed", std::uint64_t{0});
  std::string nodes;
  for (const auto& node : plan.value("nodes", json::array()))
    nodes += (nodes.empty() ? "" : ", ") + sim::printable(node.value("name", "")) + " (" +
             node["tasks"].dump() + ')';
  std::string text = "job " + sim::backquoted(name) + ": ";
  if (placed == total)
    text += "all of it would start now, " + counted(total, "task", "tasks") + " on " + nodes + '\n';
  else if (placed > 0)
    text += std::to_string(placed) + " of " + counted(total, "task", "tasks") + " would start now, on " +
            nodes + '\n';
  else
    text += "would wait\n";
  if (!plan.contains("waiting")) return text;
  const json& waiting = plan["waiting"];
  text += "  " + std::string(placed > 0 ? "the next " : "task ") + (placed > 0 ? "   " : "     ") +
          why_it_waits(waiting.value("standing", json::object())) + '\n';
  return text + held_back(waiting) + scheduler_line(waiting) + "\n" +
         to_text(nodes_table(waiting), Format::kTable);
}

Table placement_table(const json& plan) {
  Table table{{"task", "node", "threads"}, {}};
  for (const auto& place : plan.value("placements", json::array()))
    table.rows.push_back({Cell::plain(place["task"].dump()), place.value("node", ""),
                          number_list(place.value("threads", json::array()))});
  return table;
}

}  // namespace

int explain_live(const ExplainCommand& command) {
  if (!command.at.empty()) {
    sim::say(
        "--at: a live cluster is explained as it is now\n  = of what was, its folder tells: duet explain " +
        sim::printable(data_folder(command.to.data)) + "/controller " + sim::printable(command.run) +
        " --at S\n");
    return sim::kExitUsage;
  }
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  if (std::error_code ignored; std::filesystem::exists(command.run, ignored)) {
    sim::say(sim::backquoted(command.run) + " is a run: of which task?\n  = duet explain DIR 17.0\n");
    return sim::kExitUsage;
  }
  const auto word = find_job(*client, command.run, true, code);
  if (!word) return code;
  const std::string id = word->job + '.' + (word->index.empty() ? "0" : word->index);
  const auto told = client->get("/api/v1/tasks/" + id + "/explain", code);
  if (!told) return code;
  const std::string text = command.format == Format::kJson  ? told->dump(2) + '\n'
                           : command.format == Format::kCsv ? to_text(nodes_table(*told), Format::kCsv)
                                                            : explanation_text(*told);
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

int run(const PlanCommand& command) {
  const auto body = document_in(command.file);
  if (!body) return sim::kExitUsage;
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  const auto plan = client->send({Method::kPost, "/api/v1/plan", body->dump(), {}}, code);
  if (!plan) return code;
  const std::string name = body->is_object() ? body->value("name", std::string()) : std::string();
  const std::string text = command.format == Format::kJson  ? plan->dump(2) + '\n'
                           : command.format == Format::kCsv ? to_text(placement_table(*plan), Format::kCsv)
                                                            : plan_text(*plan, name);
  if (!sim::print(text)) return sim::kExitUsage;
  const bool starts = plan->value("accepted", false) && (*plan)["tasks_placed"] == (*plan)["tasks_total"];
  return starts ? sim::kExitOk : sim::kExitNegative;
}

}  // namespace duet::front
