#include "tools/duet/decision_text.h"

#include <algorithm>
#include <set>

#include "core/codec/cluster_state.h"
#include "core/codec/render.h"
#include "core/codec/task_story.h"
#include "core/lifecycle.h"
#include "sim/diagnostics.h"

namespace duet::front {
namespace {

using codec::Decision;
using codec::Happening;
using codec::seconds_text;
using sim::Cell;
using sim::Table;

constexpr std::size_t kMostChanges = 16;
constexpr std::size_t kMostNodes = 12;
constexpr std::size_t kMostEntries = 8;

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) out += "  ";
  }
  return out;
}

std::string and_more(std::size_t all, std::size_t shown, const std::string& what) {
  return all <= shown ? "" : "  ... and " + std::to_string(all - shown) + " more " + what + "\n";
}

std::string changes_text(const Decision& decision) {
  Table table{{"what", "id", "state", "node", "why"}, {}};
  for (std::size_t i = 0; i < std::min(decision.changes.size(), kMostChanges); ++i) {
    const Happening& change = decision.changes[i];
    table.rows.push_back({change.what, change.id, change.state, change.node, change.why});
  }
  const std::string text = to_text(table, sim::Format::kTable);
  return indented(text.substr(text.find('\n') + 1)) +
         and_more(decision.changes.size(), kMostChanges, "changes");
}

/// "  sends  launch 3.0#1 to n1 (threads 0), ..."
std::string commands_text(const Decision& decision) {
  std::string text;
  for (std::size_t i = 0; i < std::min(decision.commands.size(), kMostChanges); ++i) {
    const Happening& command = decision.commands[i];
    text += (i == 0 ? "  sends  " : ", ") + command.what;
    if (!command.id.empty()) text += ' ' + command.id;
    if (!command.state.empty()) text += ' ' + command.state;
    if (!command.node.empty()) text += " to " + command.node;
    if (!command.why.empty()) text += " (" + command.why + ')';
  }
  if (text.empty()) return text;
  return sim::printable(text) + "\n" + and_more(decision.commands.size(), kMostChanges, "commands");
}

std::string held_text(const Controller& controller, NodeId id) {
  std::string text;
  std::size_t shown = 0;
  const auto attempts = codec::attempts_on(controller, id);
  for (const codec::AttemptState& attempt : attempts) {
    if (++shown > kMostEntries)
      return text + " ... and " + std::to_string(attempts.size() - kMostEntries) + " more";
    text += (text.empty() ? "" : " ") + codec::to_text(attempt.id);
    if (!attempt.threads.empty()) text += "@" + codec::to_text(attempt.threads);
    if (attempt.state == TaskState::kStarting) text += " (starting)";
    if (attempt.state == TaskState::kStopping) text += " (stopping)";
  }
  return text;
}

/// The nodes to show: those the decision speaks of, then those that are not just idle, then any.
std::set<NodeId> shown_nodes(const Decision& decision, const Cluster& cluster) {
  std::set<std::string> named;
  for (const Happening& change : decision.changes)
    named.insert(change.what == "node" ? change.id : change.node);
  std::set<NodeId> out;
  for (int round = 0; round < 3; ++round)
    for (std::uint64_t n = 0; n < cluster.size() && out.size() < kMostNodes; ++n) {
      const ClusterNode& node = cluster.node(NodeId{n});
      const bool idle = node.tasks.empty() && node.state == NodeState::kReady && !node.draining;
      if (round == 2 || (round == 1 && !idle) || (round == 0 && named.contains(node.name)))
        out.insert(NodeId{n});
    }
  return out;
}

std::string nodes_text(const Decision& decision, const Controller& controller) {
  const Cluster& cluster = controller.cluster();
  Table table{{"node", "state", "free_cores", "free_cpu_m", "free_mib", "holds"}, {}};
  bool memory = false;
  const auto of = [](std::int64_t free, std::int64_t all) {
    return std::to_string(free) + '/' + std::to_string(all);
  };
  const auto shown = shown_nodes(decision, cluster);
  for (const NodeId id : shown) {
    const ClusterNode& node = cluster.node(id);
    const Resources& all = node.offer.capacity;
    memory |= node.known && all.memory_bytes > 0;
    table.rows.push_back(
        {node.name, codec::state_text(node),
         node.known ? of(node.room.slots, node.offer.cores) : std::string(),
         node.known ? of(node.room.free.cpu_m, all.cpu_m) : std::string(),
         node.known ? of(node.room.free.memory_bytes / kMiB, all.memory_bytes / kMiB) : std::string(),
         held_text(controller, id)});
  }
  if (!memory) {
    table.columns.erase(table.columns.begin() + 4);
    for (auto& row : table.rows) row.erase(row.begin() + 4);
  }
  return indented(to_text(table, sim::Format::kTable)) + and_more(cluster.size(), shown.size(), "nodes");
}

std::string queue_text(const Controller& controller) {
  const auto entries = codec::queue_entries(controller);
  std::string text =
      "  queue " + controller.config().queue.name + ": " +
      (entries.empty() ? "empty" : std::to_string(codec::queued_tasks(controller)) + " tasks") + "\n";
  std::size_t shown = 0;
  for (const Waiting* waiting : entries) {
    if (++shown > kMostEntries) break;
    text += "    " + std::to_string(shown) + ". " + sim::printable(codec::entry_text(controller, *waiting)) +
            ": " + (waiting->together && waiting->width > 1 ? "a gang of " : "") +
            std::to_string(waiting->width) + (waiting->width == 1 ? " task" : " tasks") + "\n";
  }
  text += and_more(entries.size(), kMostEntries, "entries");
  const auto elsewhere = codec::wait_elsewhere(controller);
  shown = 0;
  for (const auto& [until, task] : elsewhere.backoffs) {
    if (++shown > kMostEntries) break;
    text += "  backoff of " + codec::to_text(task) + " until " + seconds_text(to_ns(until)) + "\n";
  }
  text += and_more(elsewhere.backoffs.size(), kMostEntries, "backoffs");
  if (elsewhere.blocked > 0) text += "  " + std::to_string(elsewhere.blocked) + " tasks come after others\n";
  return text;
}

void write_happening(sim::JsonWriter& json, const Happening& happening) {
  json.object(true);
  json.key("what"), json.string(happening.what);
  json.key("id"), json.string(happening.id);
  json.key("state"), json.string(happening.state);
  json.key("node"), json.string(happening.node);
  json.key("why"), json.string(happening.why);
  json.close();
}

void write_node(sim::JsonWriter& json, const Controller& controller, NodeId id) {
  const ClusterNode& node = controller.cluster().node(id);
  const auto integer = [&](const char* key, std::int64_t value) {
    json.key(key), json.integer(node.known ? value : 0);
  };
  json.object(true);
  json.key("node"), json.string(node.name);
  json.key("state"), json.string(name(node.state));
  json.key("draining"), json.raw(node.draining ? "true" : "false");
  integer("cores", node.offer.cores);
  integer("free_cores", node.room.slots);
  integer("cpu_m", node.offer.capacity.cpu_m);
  integer("free_cpu_m", node.room.free.cpu_m);
  integer("memory_bytes", node.offer.capacity.memory_bytes);
  integer("free_memory_bytes", node.room.free.memory_bytes);
  json.key("holds"), json.array();
  for (const codec::AttemptState& attempt : codec::attempts_on(controller, id)) {
    json.object();
    json.key("attempt"), json.string(codec::to_text(attempt.id));
    json.key("state"), json.string(name(attempt.state));
    json.key("threads"), json.string(codec::to_text(attempt.threads));
    json.close();
  }
  json.close();
  json.close();
}

void write_queue(sim::JsonWriter& json, const Controller& controller) {
  json.key("queue"), json.array();
  for (const Waiting* waiting : codec::queue_entries(controller)) {
    json.object(true);
    json.key("job"), json.integer(static_cast<std::int64_t>(waiting->job.value));
    json.key("group"), json.integer(waiting->group);
    json.key("tasks"), json.integer(waiting->width);
    json.key("together"), json.raw(waiting->together ? "true" : "false");
    json.close();
  }
  json.close();
  const auto elsewhere = codec::wait_elsewhere(controller);
  json.key("backoffs"), json.array();
  for (const auto& [until, task] : elsewhere.backoffs) {
    json.object(true);
    json.key("task"), json.string(codec::to_text(task));
    json.key("until_ns"), json.integer(to_ns(until));
    json.close();
  }
  json.close();
  json.key("blocked"), json.integer(static_cast<std::int64_t>(elsewhere.blocked));
}

}  // namespace

std::string decision_text(std::uint64_t number, const Decision& decision, const Controller& controller) {
  return "decision " + std::to_string(number) + ", step " + std::to_string(decision.step) + " at " +
         seconds_text(to_ns(decision.at)) + ": " + sim::printable(decision.event) + "\n" +
         changes_text(decision) + commands_text(decision) + nodes_text(decision, controller) +
         queue_text(controller);
}

void write_decision(sim::JsonWriter& json, std::uint64_t number, const Decision& decision,
                    const Controller& controller) {
  json.object();
  json.key("decision"), json.integer(static_cast<std::int64_t>(number));
  json.key("step"), json.integer(static_cast<std::int64_t>(decision.step));
  json.key("at_ns"), json.integer(to_ns(decision.at));
  json.key("event"), json.string(decision.event);
  json.key("changes"), json.array();
  for (const Happening& change : decision.changes) write_happening(json, change);
  json.close();
  json.key("commands"), json.array();
  for (const Happening& command : decision.commands) write_happening(json, command);
  json.close();
  json.key("nodes"), json.array();
  for (std::uint64_t n = 0; n < controller.cluster().size(); ++n) write_node(json, controller, NodeId{n});
  json.close();
  write_queue(json, controller);
  json.close();
}

std::vector<std::string> decision_columns() {
  return {"decision", "step", "at_ns", "kind", "what", "id", "state", "node", "why"};
}

void add_rows(Table& table, std::uint64_t number, const Decision& decision) {
  const auto add = [&](const char* kind, const Happening& h) {
    table.rows.push_back({number, decision.step, Cell::plain(std::to_string(to_ns(decision.at))), kind,
                          h.what, h.id, h.state, h.node, h.why});
  };
  for (const Happening& change : decision.changes) add("change", change);
  for (const Happening& command : decision.commands) add("command", command);
}

}  // namespace duet::front
