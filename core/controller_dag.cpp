// Directed acyclic graphs: a group of tasks waits in the queue when all groups it comes after have succeeded.
#include "core/controller.h"
#include "core/mutation.h"

namespace duet {

/// Why the groups of this job cannot come after each other as it says; empty if they can.
std::string dag_refusal(const JobSpec& spec) {
  const std::size_t groups = spec.groups.size();
  std::vector<std::vector<std::uint32_t>> then(groups);
  std::vector<std::size_t> missing(groups);
  for (std::uint32_t g = 0; g < groups; ++g) {
    const auto& after = spec.groups[g].after;
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (after[i] >= groups) return "a group comes after one that does not exist";
      if (i > 0 && after[i] <= after[i - 1]) return "the groups that one comes after must ascend";
      then[after[i]].push_back(g);
    }
    missing[g] = after.size();
  }
  std::vector<std::uint32_t> free;
  for (std::uint32_t g = 0; g < groups; ++g)
    if (missing[g] == 0) free.push_back(g);
  for (std::size_t i = 0; i < free.size(); ++i)
    for (const std::uint32_t next : then[free[i]])
      if (--missing[next] == 0) free.push_back(next);
  return free.size() == groups ? std::string() : "the groups come after each other in a circle";
}

void Controller::link_groups(LiveJob& job) {
  job.dag.resize(job.groups.size());
  for (std::uint32_t g = 0; g < job.groups.size(); ++g) {
    const TaskGroup& group = job.spec->groups[g];
    job.dag[g].unfinished = group.count;
    if (mutated(Mutant::kDagAllAtOnce)) continue;
    job.dag[g].blocked = static_cast<std::uint32_t>(group.after.size());
    for (const std::uint32_t earlier : group.after) job.dag[earlier].then.push_back(g);
  }
}

/// A task of the group succeeded.
void Controller::finish_in_group(LiveJob& job, std::uint32_t group) {
  if (--job.dag[group].unfinished > 0) return;
  for (const std::uint32_t next : job.dag[group].then)
    if (const std::uint32_t width = job.groups[next].width(); --job.dag[next].blocked == 0 && width > 0)
      enqueue(job, next, width);  // Else none of its tasks were reported: see give_up_report().
}

/// A task of the group failed for good: what comes after it, however indirectly, will never run. Other
/// branches go on.
void Controller::cancel_descendants(LiveJob& job, std::uint32_t group) {
  std::vector<std::uint32_t> reached = job.dag[group].then;
  while (!reached.empty()) {
    const std::uint32_t g = reached.back();
    reached.pop_back();
    LiveGroup& waiting = job.groups[g];
    if (waiting.next == waiting.end) continue;  // Reached before.
    for (std::uint32_t index = waiting.next; index < waiting.end; ++index)
      set_state(job, {job.id, index}, TaskState::kCancelled, Outcome::kKilled);
    waiting.next = waiting.end;
    reached.insert(reached.end(), job.dag[g].then.begin(), job.dag[g].then.end());
  }
}

}  // namespace duet
