#include "sim/stall_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/explain.h"
#include "core/lifecycle.h"
#include "sim/diagnostics.h"

namespace duet::sim {
namespace {

constexpr std::size_t kNamed = 3;

std::string counted(std::size_t n, const std::string& word) {
  return std::to_string(n) + ' ' + word + (n == 1 ? "" : "s");
}

/// What is left, and where it is.
struct Left {
  std::size_t jobs = 0;
  std::size_t waiting = 0;                      ///< Tasks.
  std::map<std::string, std::size_t> launches;  ///< Not answered, by node.
  std::map<std::string, std::size_t> kills;
  std::optional<TaskId> first;    ///< Of those that stand in a queue, of the first job.
  std::optional<TaskId> blocked;  ///< Of those that wait for other tasks.
};

Left left_over(const Controller& controller) {
  Left left;
  std::pair<JobId, std::uint32_t> asked;
  controller.jobs().for_each([&](const LiveJob& job) {
    ++left.jobs;
    for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
      const LiveTask& task = job.tasks[i];
      const TaskId id{job.id, i};
      if (active(task.state) && task.state != TaskState::kRunning)
        ++(task.state == TaskState::kStarting ? left.launches
                                              : left.kills)[controller.cluster().node(task.node).name];
      if (task.state != TaskState::kPending) continue;
      ++left.waiting;
      // Looking for its entry takes time, and all of a group stand alike.
      if (left.first || asked == std::pair{job.id, task.group}) continue;
      asked = {job.id, task.group};
      (standing(controller, id).why == Standing::Why::kQueued ? left.first : left.blocked) = id;
    }
  });
  return left;
}

std::string unanswered(const std::map<std::string, std::size_t>& by_node, const std::string& one,
                       const std::string& more) {
  std::size_t all = 0;
  for (const auto& [node, n] : by_node) all += n;
  std::string text =
      std::to_string(all) + ' ' + (all == 1 ? one + " is" : more + " are") + " not answered, by ";
  std::size_t named = 0;
  for (const auto& [node, n] : by_node) {
    if (named == kNamed) return text + " and " + counted(by_node.size() - kNamed, "other node");
    text += (named++ == 0 ? "" : ", ") + node + (by_node.size() > 1 ? " (" + std::to_string(n) + ')' : "");
  }
  return text;
}

/// The shortages of CPU and the like say what is free; what is taken by others that wait for ever is, too.
std::string against(const Choice& choice) {
  std::string text;
  std::size_t named = 0;
  for (const Candidate& node : choice.nodes) {
    if (node.against.empty()) continue;
    if (named == kNamed) return text + "; and " + counted(choice.nodes.size() - kNamed, "other");
    // A node that is not there needs no further reason.
    const bool gone = node.against.front().obstacle < Obstacle::kDraining;
    text += (named++ == 0 ? "" : "; ") + node.name + ' ' + (gone ? "" : "has no room: ");
    for (std::size_t i = 0; i < (gone ? 1 : node.against.size()); ++i)
      text += (i == 0 ? "" : ", ") + node.against[i].text;
  }
  return text;
}

std::string what_it_waits_for(const Controller& controller, TaskId id) {
  const LiveJob* job = controller.jobs().find(id.job);
  const Standing stands = standing(controller, id);
  if (stands.why == Standing::Why::kPredecessors) return "comes after groups of its job that never end";
  if (stands.why == Standing::Why::kGang) return "waits for members of its gang that never end";
  const Choice choice = choice_now(controller, id);
  const std::string gang = stands.together && stands.width > 1
                               ? "is one of " + std::to_string(stands.width) +
                                     " that start together, and there is room for " +
                                     std::to_string(stands.room)
                               : "";
  const std::string why = against(choice);
  const Pool* pool = job->groups[job->tasks[id.index].group].pool;
  if (pool != nullptr && choice.nodes.empty())
    return "waits for a worker of pool `" + pool->name + "`, which has none";
  if (gang.empty()) return why.empty() ? "waits, though there is room" : why;
  return gang + (why.empty() ? "" : ": " + why);
}

}  // namespace

std::string why_stalled(const Controller& controller) {
  const Left left = left_over(controller);
  std::string text;
  if (!left.launches.empty()) text = unanswered(left.launches, "launch", "launches");
  if (!left.kills.empty()) text += (text.empty() ? "" : "; ") + unanswered(left.kills, "kill", "kills");
  const auto& task = left.first ? left.first : left.blocked;
  if (task) {
    const LiveJob* job = controller.jobs().find(task->job);
    text += (text.empty() ? "" : "; ") + counted(left.waiting, "task") + " of " + counted(left.jobs, "job") +
            (left.waiting == 1 ? " waits" : " wait") + " for ever. The first, " +
            std::to_string(task->job.value) + '.' + std::to_string(task->index) +
            (job->spec->key.empty() ? "" : " of " + backquoted(job->spec->key)) + ": " +
            what_it_waits_for(controller, *task);
  }
  return printable(text);
}

}  // namespace duet::sim
