// Pictures of the lifecycle: all of it, and the way that one task took.
#include <map>
#include <span>
#include <utility>

#include "core/codec/dot.h"
#include "core/codec/dot_text.h"
#include "core/codec/render.h"
#include "core/lifecycle.h"

namespace duet::codec {

namespace {

bool ends(JobState state) { return terminal(state); }
bool ends(TaskState state) { return terminal(state); }
bool ends(NodeState) { return false; }

template <class S>
std::string state_box(std::string_view thing, S state) {
  return dot_quoted(std::string(thing) + '.' + std::string(name(state)));
}

template <class S>
void draw_lifecycle(std::string& out, std::string_view thing, std::span<const S> states) {
  out += "  subgraph " + dot_quoted("cluster_" + std::string(thing)) + " {\n    label=" + dot_quoted(thing) +
         "; class=" + dot_quoted(thing) + "; style=rounded; color=\"#8c959f\";\n";
  for (const S state : states) {
    out += "    " + state_box(thing, state) + " [label=" + dot_quoted(name(state)) +
           ", class=" + dot_quoted(std::string(thing) + (ends(state) ? " terminal" : "")) +
           (ends(state) ? ", peripheries=2" : "") + "];\n";
  }
  for (const S from : states)
    for (const S to : states)
      if (allowed(from, to)) out += "    " + state_box(thing, from) + " -> " + state_box(thing, to) + ";\n";
  out += "  }\n";
}

/// The times at which each transition was taken, as a label; the first few and the last.
using Taken = std::map<std::pair<TaskState, TaskState>, std::vector<std::string>>;

Taken transitions_of(const std::vector<Chapter>& story) {
  Taken taken;
  for (std::size_t i = 1; i < story.size(); ++i)
    taken[{story[i - 1].state, story[i].state}].push_back(
        std::to_string(i) + ": " + seconds_text(to_ns(story[i].at)) +
        (story[i].state == TaskState::kStarting ? ", " + story[i].node : ""));
  return taken;
}

std::string times_label(const std::vector<std::string>& times) {
  constexpr std::size_t kMostTimes = 6;
  std::string label;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times.size() > kMostTimes && i == kMostTimes - 1) {
      label += "\n... and " + std::to_string(times.size() - kMostTimes) + " more";
      i = times.size() - 1;
    }
    label += (i == 0 ? "" : "\n") + times[i];
  }
  return label;
}

}  // namespace

std::string lifecycle_dot() {
  std::string out = dot_begin("digraph", "lifecycle", "", "  rankdir=LR;\n");
  draw_lifecycle(out, "job", job_states());
  draw_lifecycle(out, "task", task_states());
  draw_lifecycle(out, "node", node_states());
  return out + "}\n";
}

std::string task_dot(TaskId task, const std::vector<Chapter>& story) {
  std::string label = "task " + to_text(task);
  std::map<TaskState, bool> visited;
  for (const Chapter& chapter : story) visited[chapter.state] = true;
  if (!story.empty())
    label += ": " + std::to_string(story.back().attempt) +
             (story.back().attempt == 1 ? " attempt, " : " attempts, ") +
             std::string(name(story.back().state)) + " since " + seconds_text(to_ns(story.back().at));
  std::string out = dot_begin("digraph", "task", label, "  rankdir=LR; nodesep=0.4; ranksep=0.7;\n");
  for (const TaskState state : task_states()) {
    const bool last = !story.empty() && story.back().state == state;
    out += "  " + state_box("task", state) + " [label=" + dot_quoted(name(state)) + ", class=" +
           dot_quoted(last                      ? "task last"
                      : visited.contains(state) ? "task visited"
                                                : "task") +
           (terminal(state) ? ", peripheries=2" : "");
    if (last)
      out += ", penwidth=2, " + dot_colours("#54aeff", "#0969da");
    else if (visited.contains(state))
      out += ", " + dot_colours("#ddf4ff", "#0969da");
    else
      out += ", fontcolor=\"#57606a\"";
    out += "];\n";
  }
  if (!story.empty())
    out += "  \"begin\" [shape=point, color=\"#0969da\", class=\"begin\"];\n  \"begin\" -> " +
           state_box("task", story.front().state) +
           " [label=" + dot_quoted("0: " + seconds_text(to_ns(story.front().at))) +
           ", class=\"taken\", color=\"#0969da\", fontcolor=\"#388bfd\", penwidth=2];\n";
  const Taken taken = transitions_of(story);
  for (const TaskState from : task_states())
    for (const TaskState to : task_states()) {
      const auto times = taken.find({from, to});
      if (times == taken.end() && !allowed(from, to)) continue;
      out += "  " + state_box("task", from) + " -> " + state_box("task", to);
      if (times == taken.end())
        out += " [class=\"possible\", style=dotted];\n";
      else
        out += " [label=" + dot_quoted(times_label(times->second)) +
               ", class=\"taken\", color=\"#0969da\", fontcolor=\"#388bfd\", penwidth=2];\n";
    }
  return out + "}\n";
}

}  // namespace duet::codec
