#include "core/codec/dot.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "core/codec/cluster_state.h"
#include "core/codec/dot_text.h"
#include "core/codec/render.h"
#include "core/lifecycle.h"

namespace duet::codec {

namespace {

constexpr std::size_t kCoresAbreast = 8;
constexpr std::size_t kMostNames = 12;
constexpr std::size_t kMostEntries = 12;

std::string node_id(NodeId id) { return "n" + std::to_string(id.value); }
std::string core_id(NodeId id, std::size_t core) { return node_id(id) + ".c" + std::to_string(core); }

/// A line that only says which box is below which.
std::string invisible(const std::string& above, const std::string& below) {
  return dot_quoted(above) + " -- " + dot_quoted(below) + " [style=invis];\n";
}

/// Colours by state: what cannot be used stands out.
std::string ground_of(const ClusterNode& node) {
  const auto colours = [](std::string_view fill, std::string_view line, bool dashed) {
    return "style=" + dot_quoted(dashed ? "rounded,filled,dashed" : "rounded,filled") +
           "; fillcolor=" + dot_quoted(fill) + "; color=" + dot_quoted(line) +
           "; fontcolor=\"#1f2328\"; penwidth=1.5;";
  };
  switch (node.state) {
    case NodeState::kReady:
      return node.draining ? colours("#ddf4ff", "#0969da", true) : colours("#f6f8fa", "#57606a", false);
    case NodeState::kSuspect:
      return colours("#fff8c5", "#bf8700", true);
    case NodeState::kFenced:
      return colours("#fbefff", "#8250df", true);
    case NodeState::kDown:
      return colours("#ffebe9", "#cf222e", true);
    case NodeState::kUnknown:
      break;
  }
  return colours("#eaeef2", "#8c959f", true);
}

std::string attempt_text(const AttemptState& attempt) {
  std::string text = to_text(attempt.id);
  if (attempt.state == TaskState::kStarting) text += " (starting)";
  if (attempt.state == TaskState::kStopping) text += " (stopping)";
  return text;
}

/// One box per core: its threads, and the attempts that hold one of them.
std::string core_box(NodeId id, const NodeOffer& offer, std::uint32_t core,
                     const std::vector<AttemptState>& attempts) {
  ThreadSet threads;
  for (std::uint32_t t = core; t < offer.threads(); t += offer.cores) threads.insert(t);
  std::string label = "core " + std::to_string(core);
  if (offer.threads_per_core > 1) label += "\nthreads " + to_text(threads);
  std::size_t held = 0;
  bool moving = false;
  for (const AttemptState& attempt : attempts) {
    if (!attempt.threads.intersects(threads)) continue;
    ++held;
    moving |= attempt.state != TaskState::kRunning;
    label += '\n' + attempt_text(attempt);
  }
  const char* kind = held == 0 ? "core free" : held == 1 ? "core busy" : "core shared";
  std::string colours;
  if (held > 0) colours = held == 1 ? dot_colours("#aceebb", "#1a7f37") : dot_colours("#6fdd8b", "#116329");
  if (moving) colours = dot_colours("#ffd8b5", "#bc4c00");
  return "    " + dot_quoted(core_id(id, core)) + " [label=" + dot_quoted(label) +
         ", class=" + dot_quoted(kind) + (colours.empty() ? "" : ", " + colours) + "];\n";
}

/// A pool whose threads are not told apart, or a node of which only the name is known.
std::string pool_box(NodeId id, const ClusterNode& node, const std::vector<AttemptState>& attempts) {
  const auto threads = node.known ? node.offer.threads() : 0;
  std::string label = node.known ? std::to_string(threads) + " threads, " +
                                       std::to_string(node.room.free.cpu_m / kThread) + " free"
                                 : "never seen";
  label += "\n" + std::to_string(attempts.size()) + " attempts";
  for (std::size_t i = 0; i < std::min(attempts.size(), kMostNames); ++i)
    label += '\n' + attempt_text(attempts[i]);
  if (attempts.size() > kMostNames) label += "\n...";
  return "    " + dot_quoted(core_id(id, 0)) + " [label=" + dot_quoted(label) +
         ", class=" + dot_quoted(attempts.empty() ? "pool free" : "pool busy") +
         (attempts.empty() ? "" : ", " + dot_colours("#aceebb", "#1a7f37")) + "];\n";
}

bool has_core_boxes(const ClusterNode& node) { return node.known && node.offer.threads_placed(); }

/// The node's box in its lowest row, below which the next node may hang.
std::string lowest_box(NodeId id, const ClusterNode& node) {
  const std::size_t cores = has_core_boxes(node) ? node.offer.cores : 1;
  return core_id(id, (cores - 1) / kCoresAbreast * kCoresAbreast);
}

/// Rows of cores: side by side in their order, and below each other.
void place_cores(std::string& out, NodeId id, std::size_t cores) {
  for (std::size_t core = 0; core < cores; ++core) {
    if (core % kCoresAbreast == 0) {
      if (core > 0)
        out += " [style=invis]; }\n    " + invisible(core_id(id, core - kCoresAbreast), core_id(id, core));
      out += "    { rank=same; ";
    } else {
      out += " -- ";
    }
    out += dot_quoted(core_id(id, core));
  }
  out += " [style=invis]; }\n";
}

void draw_node(std::string& out, const Controller& controller, NodeId id) {
  const ClusterNode& node = controller.cluster().node(id);
  out += "  subgraph " + dot_quoted("cluster_" + node_id(id)) +
         " {\n    label=" + dot_quoted(node.name + "\n" + state_text(node)) + "; class=" +
         dot_quoted("node " + std::string(name(node.state)) + (node.draining ? " draining" : "")) + "; " +
         ground_of(node) + "\n";
  const auto attempts = attempts_on(controller, id);
  if (has_core_boxes(node)) {
    for (std::uint32_t core = 0; core < node.offer.cores; ++core)
      out += core_box(id, node.offer, core, attempts);
    place_cores(out, id, node.offer.cores);
  } else {
    out += pool_box(id, node, attempts);
  }
  out += "  }\n";
}

/// The nodes to draw, by id: all, or as many as allowed, busy ones first.
std::vector<NodeId> chosen(const Cluster& cluster, std::size_t most) {
  std::set<NodeId> out;
  for (const bool busy : {true, false})
    for (std::uint64_t n = 0; n < cluster.size(); ++n)
      if (out.size() < most && cluster.node(NodeId{n}).tasks.empty() != busy) out.insert(NodeId{n});
  return {out.begin(), out.end()};
}

/// So many nodes side by side that the picture is about as wide as high.
std::size_t abreast(const Controller& controller, const std::vector<NodeId>& drawn) {
  std::size_t boxes = 1;
  for (const NodeId id : drawn) {
    const ClusterNode& node = controller.cluster().node(id);
    if (has_core_boxes(node))
      boxes = std::max<std::size_t>(boxes, std::min<std::size_t>(node.offer.cores, kCoresAbreast));
  }
  std::size_t columns = 1;
  while (columns * columns * boxes < drawn.size() * 3) ++columns;
  return columns;
}

std::string queue_label(const Controller& controller) {
  std::string label = "queue " + controller.config().queue.name;
  std::size_t shown = 0;
  for (const Waiting* waiting : queue_entries(controller)) {
    if (++shown > kMostEntries) break;
    label += "\n" + std::to_string(shown) + ". " + entry_text(controller, *waiting) + ": " +
             (waiting->together && waiting->width > 1 ? "gang of " : "") + std::to_string(waiting->width) +
             (waiting->width == 1 ? " task" : " tasks");
  }
  if (controller.waiting() == 0) label += "\nempty";
  if (controller.waiting() > kMostEntries)
    label += "\n... and " + std::to_string(controller.waiting() - kMostEntries) + " more entries";
  const WaitElsewhere elsewhere = wait_elsewhere(controller);
  shown = 0;
  for (const auto& [until, task] : elsewhere.backoffs) {
    if (++shown > kMostEntries) break;
    label += "\n" + to_text(task) + " waits out a backoff until " + seconds_text(to_ns(until));
  }
  if (elsewhere.backoffs.size() > kMostEntries) label += "\n...";
  if (elsewhere.blocked > 0) label += "\n" + std::to_string(elsewhere.blocked) + " tasks come after others";
  return label;
}

}  // namespace

std::string cluster_dot(const Controller& controller, Instant at, std::size_t most_nodes) {
  const Cluster& cluster = controller.cluster();
  const std::vector<NodeId> drawn = chosen(cluster, most_nodes);
  std::string label = "at " + seconds_text(to_ns(at)) + ": " + std::to_string(attempts_in(controller)) +
                      " attempts, " + std::to_string(queued_tasks(controller)) + " tasks in the queue";
  if (drawn.size() < cluster.size())
    label += ", " + std::to_string(cluster.size() - drawn.size()) + " more nodes";
  std::string out = dot_begin("graph", "cluster", label, "  nodesep=0.12; ranksep=0.25;\n");
  out += "  \"queue\" [label=" + dot_quoted(queue_label(controller)) +
         ", class=\"queue\", shape=note, style=filled, " + dot_colours("#fff8c5", "#bf8700") + "];\n";
  for (const NodeId id : drawn) draw_node(out, controller, id);
  // Invisible lines put the queue on top and the nodes below it in rows.
  const std::size_t columns = abreast(controller, drawn);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const std::string above =
        i < columns ? "queue" : lowest_box(drawn[i - columns], cluster.node(drawn[i - columns]));
    out += "  " + invisible(above, core_id(drawn[i], 0));
  }
  return out + "}\n";
}

}  // namespace duet::codec
