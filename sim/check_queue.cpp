// Checks of the whole: no task is lost, what fits is placed, and in the end everything has ended.
#include <algorithm>
#include <limits>
#include <tuple>

#include "core/lifecycle.h"
#include "sim/checkers.h"

namespace duet::sim {

/// I3: every task that was accepted is with the controller, in the state it last said, and whatever should
/// wait does. GANG: a gang runs together or not at all.
void Checkers::check_conservation(const Controller& controller) {
  if (controller.jobs().live() != live_jobs_)
    return broken("I3", std::to_string(live_jobs_) +
                            " accepted jobs have not ended, but the controller has " +
                            std::to_string(controller.jobs().live()));
  std::size_t waiting = 0;
  std::size_t wrong = 0;
  controller.jobs().for_each([&](const LiveJob& live) {
    const JobView* job = job_of(live.id);
    if (job == nullptr || job->ended || job->tasks.size() != live.tasks.size() || job->state != live.state) {
      ++wrong;
      return;
    }
    std::uint32_t active = 0;
    std::uint32_t going = 0;
    std::uint32_t left = 0;
    for (std::size_t i = 0; i < job->tasks.size(); ++i) {
      const TaskView& task = job->tasks[i];
      wrong += task.state != live.tasks[i].state || task.number != live.tasks[i].attempt;
      active += task.active();
      going += task.active() && task.state != TaskState::kStopping;
      left += task.state == TaskState::kPending;
    }
    if (job->gang() && going > 0 && left > 0)
      broken("GANG", "job " + std::to_string(live.id.value) + " runs in part, and in part it waits");
    if (job->service() && !job->cancelled) check_service(*job);
    const bool rigid = job->rigid();
    const bool held_back = rigid && std::any_of(live.tasks.begin(), live.tasks.end(),
                                                [&](const LiveTask& task) { return task.retry_at > now_; });
    std::uint32_t first = 0;
    // The replicas that wait are all of a service's current version, which is its last group.
    for (std::uint32_t g = job->service() ? static_cast<std::uint32_t>(live.groups.size()) - 1 : 0;
         g < live.groups.size(); ++g) {
      const LiveGroup& group = live.groups[g];
      std::uint32_t pending = 0;
      std::uint32_t delayed = 0;  // They wait out a backoff, in no queue.
      for (std::uint32_t i = first; i < group.end; ++i) {
        pending += job->tasks[i].state == TaskState::kPending;
        delayed += !rigid && job->tasks[i].state == TaskState::kPending && live.tasks[i].retry_at > Instant{};
      }
      first = group.end;
      wrong += pending != group.width() + delayed;
      const bool ready = rigid ? active == 0 && !held_back : job->service() || !job->blocked(g);
      waiting += pending > delayed && ready;
    }
  });
  if (wrong > 0) broken("I3", "the controller holds a task in another state than the one it last told");
  if (waiting != controller.waiting())
    broken("I3", std::to_string(waiting) + " groups of tasks should wait for a place, but the queue holds " +
                     std::to_string(controller.waiting()));
}

/// L2: at the end of an instant the job whose turn it is does not fit. So say all queue policies of their
/// head.
void Checkers::check_head(const Controller& controller) {
  if (controller.pending().empty()) return;
  const bool shortest = scenario_.controller.queue.name == "sjf";
  const bool by_priority = scenario_.controller.queue.name == "priority";
  const TaskSpec* head = nullptr;
  std::uint32_t width = 0;
  std::int64_t low = std::numeric_limits<std::int64_t>::max();
  controller.jobs().for_each([&](const LiveJob& live) {
    const JobView* job = job_of(live.id);
    if (job == nullptr || job->tasks.size() != live.tasks.size()) return;
    if (job->rigid() &&
        (std::any_of(job->tasks.begin(), job->tasks.end(), [](const TaskView& t) { return t.active(); }) ||
         std::any_of(live.tasks.begin(), live.tasks.end(),
                     [&](const LiveTask& t) { return t.retry_at > now_; })))
      return;
    for (std::size_t i = 0; i < job->tasks.size(); ++i) {
      const TaskView& task = job->tasks[i];
      if (task.state != TaskState::kPending) continue;
      if (!job->rigid() && live.tasks[i].retry_at > Instant{}) continue;
      if (job->spec->kind == JobKind::kDag && job->blocked(task.group)) continue;
      const TaskSpec& spec = job->next_spec(task);
      if (!spec.pool.empty()) continue;
      std::int64_t rank = by_priority ? -std::int64_t{job->spec->priority} : 0;
      if (shortest)
        rank = spec.estimate > Duration{0} ? to_ns(spec.estimate) : std::numeric_limits<std::int64_t>::max();
      // Jobs and groups come in ascending order, so the first of the lowest rank is the head.
      if (head != nullptr && rank >= low && head != &spec) continue;
      if (head != &spec) {
        head = &spec;
        low = rank;
        width = 0;
      }
      width += job->rigid() ? 1 : width == 0;
    }
  });
  if (head == nullptr) return;
  std::uint32_t room = 0;
  for (const NodeView& node : nodes_)
    if (node.state == NodeState::kReady && !node.draining && room < width)
      room += node.believed.copies(*head, width - room);
  if (room >= width) broken("L2", "the first waiting job fits, but was not started");
}

/// L1, and what may be left over.
void Checkers::finish(const Results& results) {
  now_ = std::max(now_, results.end);
  const auto ended = static_cast<std::size_t>(
      std::count_if(jobs_.begin(), jobs_.end(), [](const JobView& job) { return job.ended; }));
  const std::string left =
      std::to_string(jobs_.size() - ended) + " of " + std::to_string(jobs_.size()) + " jobs have not ended";
  if (promise_.done_by == kNever) return;
  if (results.stalled) return broken("L1", left + ", and nothing will ever happen again");
  if (results.horizon_reached && results.end >= promise_.done_by && jobs_.size() > ended)
    broken("L1", left + " by the time that all work takes one after the other");
  if (!results.horizon_reached && jobs_.size() > ended) broken("L1", left + " when the run ended");
  const auto unanswered = std::count_if(results.jobs.begin(), results.jobs.end(), [](const JobRow& row) {
    return row.id == JobId{} && row.state == JobState::kPending;
  });
  if (!results.horizon_reached && unanswered > 0)
    broken("L1", std::to_string(unanswered) + " submissions were never answered");
}

}  // namespace duet::sim
