#include "core/codec/dot.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "core/codec/cluster_view.h"
#include "core/codec/render.h"
#include "core/lifecycle.h"

namespace duet::codec {

namespace {

/// A quoted string of the dot language; "\n" in `text` breaks the line.
std::string dot_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

bool ends(JobState state) { return terminal(state); }
bool ends(TaskState state) { return terminal(state); }
bool ends(NodeState) { return false; }

template <class S>
void draw_lifecycle(std::string& out, std::string_view thing, std::span<const S> states) {
  const auto node = [&](S state) { return dot_quoted(std::string(thing) + '.' + std::string(name(state))); };
  out += "  subgraph " + dot_quoted("cluster_" + std::string(thing)) + " {\n    label=" + dot_quoted(thing) +
         "; class=" + dot_quoted(thing) + ";\n";
  for (const S state : states) {
    out += "    " + node(state) + " [label=" + dot_quoted(name(state)) +
           ", class=" + dot_quoted(std::string(thing) + (ends(state) ? " terminal" : "")) +
           (ends(state) ? ", peripheries=2" : "") + "];\n";
  }
  for (const S from : states)
    for (const S to : states)
      if (allowed(from, to)) out += "    " + node(from) + " -> " + node(to) + ";\n";
  out += "  }\n";
}

using OnNode = std::map<NodeId, std::vector<const AttemptView*>>;

std::string node_label(NodeId id, const NodeView& node) {
  std::string label = node.name.empty() ? "node " + std::to_string(id.value) : node.name;
  label += "\n" + std::string(name(node.state)) + (node.draining ? ", draining" : "");
  return label;
}

/// One box per core: its threads, and the attempts that hold one of them.
void draw_core(std::string& out, NodeId id, const NodeOffer& offer, std::uint32_t core,
               const std::vector<const AttemptView*>& attempts) {
  ThreadSet threads;
  for (std::uint32_t t = core; t < offer.threads(); t += offer.cores) threads.insert(t);
  std::string label = "core " + std::to_string(core) + "\nthreads " + to_text(threads);
  std::size_t held = 0;
  for (const AttemptView* attempt : attempts) {
    if (!attempt->threads.intersects(threads)) continue;
    ++held;
    label += '\n' + to_text(attempt->id);
    if (!attempt->started) label += " (starting)";
    if (attempt->stopping) label += " (stopping)";
  }
  const char* kind = held == 0 ? "core free" : held == 1 ? "core busy" : "core shared";
  out += "    " + dot_quoted("n" + std::to_string(id.value) + ".c" + std::to_string(core)) +
         " [label=" + dot_quoted(label) + ", class=" + dot_quoted(kind) +
         (held == 0 ? "" : ", style=filled") + "];\n";
}

/// A pool whose threads are not told apart, or a node of which only the name is known.
void draw_pool(std::string& out, NodeId id, const NodeOffer& offer,
               const std::vector<const AttemptView*>& attempts) {
  constexpr std::size_t kMostNames = 16;
  std::string label =
      std::to_string(offer.threads()) + " threads\n" + std::to_string(attempts.size()) + " attempts";
  for (std::size_t i = 0; i < std::min(attempts.size(), kMostNames); ++i)
    label += '\n' + to_text(attempts[i]->id);
  if (attempts.size() > kMostNames) label += "\n...";
  out += "    " + dot_quoted("n" + std::to_string(id.value)) + " [label=" + dot_quoted(label) +
         ", class=" + dot_quoted(attempts.empty() ? "pool free" : "pool busy") + "];\n";
}

void draw_node(std::string& out, NodeId id, const NodeView& node,
               const std::vector<const AttemptView*>& attempts) {
  out += "  subgraph " + dot_quoted("cluster_n" + std::to_string(id.value)) +
         " {\n    label=" + dot_quoted(node_label(id, node)) + "; class=" +
         dot_quoted("node " + std::string(name(node.state)) + (node.draining ? " draining" : "")) + ";\n";
  const NodeOffer& offer = node.offer;
  const bool cores = std::uint64_t{offer.cores} * offer.threads_per_core <= ThreadSet::kMaxThreads &&
                     offer.threads() > 0 && node.state != NodeState::kUnknown;
  if (cores) {
    for (std::uint32_t core = 0; core < offer.cores; ++core) draw_core(out, id, offer, core, attempts);
  } else {
    draw_pool(out, id, offer, attempts);
  }
  out += "  }\n";
}

/// The nodes to draw: all, or as many as allowed, busy ones first.
std::set<NodeId> chosen(const ClusterView& view, const OnNode& on, std::size_t most) {
  std::set<NodeId> out;
  for (const bool busy : {true, false})
    for (const auto& [id, node] : view.nodes())
      if (out.size() < most && on.contains(id) == busy) out.insert(id);
  return out;
}

}  // namespace

std::string lifecycle_dot() {
  std::string out = "digraph lifecycle {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n";
  draw_lifecycle(out, "job", job_states());
  draw_lifecycle(out, "task", task_states());
  draw_lifecycle(out, "node", node_states());
  return out + "}\n";
}

Result<std::string> cluster_dot(TraceReader& reader, const ClusterDotOptions& options) {
  ClusterView view;
  ClusterListener deaf;
  const auto last = follow(reader, options.at, view, deaf);
  if (!last) return last.problems();
  OnNode on;
  for (const auto& [task, attempt] : view.attempts()) on[attempt.node].push_back(&attempt);
  const auto drawn = chosen(view, on, options.most_nodes);
  const Instant at = options.at == kNever ? *last : options.at;
  std::string label = "at " + std::to_string(to_ns(at)) + " ns: " + std::to_string(view.attempts().size()) +
                      " attempts, " + std::to_string(view.waiting()) + " tasks wait";
  if (drawn.size() < view.nodes().size())
    label += ", " + std::to_string(view.nodes().size() - drawn.size()) + " more nodes";
  std::string out =
      "graph cluster {\n  label=" + dot_quoted(label) + "; class=\"cluster\";\n  node [shape=box];\n";
  const std::vector<const AttemptView*> none;
  for (const NodeId id : drawn) draw_node(out, id, view.nodes().at(id), on.contains(id) ? on.at(id) : none);
  return out + "}\n";
}

}  // namespace duet::codec
