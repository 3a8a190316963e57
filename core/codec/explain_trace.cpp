#include "core/codec/explain_trace.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/codec/render.h"

namespace duet::codec {
namespace {

/// What can be seen without replay: where the placement in question is, and how the task's attempts went.
struct Found {
  std::optional<TaskRecord> placed;
  std::uint64_t step = 0;
  std::size_t nth = 0;  ///< Of the placements of its pass.
  std::uint32_t attempts = 0;
  bool waits = true;  ///< At the end of the trace.
};

const TaskRecord* placement_in(const controller::Command& command) {
  const auto* persist = std::get_if<controller::Persist>(&command);
  const auto* record = persist != nullptr ? std::get_if<TaskRecord>(&persist->record) : nullptr;
  return record != nullptr && record->state == TaskState::kStarting ? record : nullptr;
}

void look(Found& found, const Frame& frame, const controller::Commands& commands, TaskId task,
          std::uint32_t number) {
  std::size_t nth = 0;
  for (const controller::Command& command : commands) {
    if (const TaskRecord* record = placement_in(command); record != nullptr) {
      if (record->task == task) found.attempts = std::max(found.attempts, record->attempt);
      if (record->task == task && (number == 0 || record->attempt == number)) {
        found.placed = *record;
        found.step = frame.number;
        found.nth = nth;
      }
      ++nth;
    }
    const auto* publish = std::get_if<controller::Publish>(&command);
    const auto* change =
        publish != nullptr ? std::get_if<controller::TaskChanged>(&publish->notice) : nullptr;
    if (change != nullptr && change->attempt.task == task)
      found.waits = change->state == TaskState::kPending || change->state == TaskState::kIdle;
  }
}

Result<Found> find(TraceReader& reader, TaskId task, std::uint32_t number) {
  Found found;
  Frame frame;
  Step<Controller> step;
  controller::Commands commands;
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return more.problems();
    if (!*more) return found;
    if (!frame.of_controller()) continue;
    if (!decode(frame, step) || !decode_commands(step, commands))
      return reader.broken(frame, "is not a step");
    look(found, frame, commands, task, number);
  }
}

/// What chooses for this group's tasks.
std::string scheduler_name(const Controller& controller, const LiveJob& job, std::uint32_t group) {
  if (!job.spec->scheduler.empty()) return job.spec->scheduler;
  if (const Pool* pool = job.groups[group].pool) return "of pool `" + pool->name + '`';
  return controller.config().scheduler.name;
}

void note_reservation(TaskExplanation& out, const ReservationWatcher& watcher, const Controller& controller) {
  if (!watcher.last() || out.standing->head != watcher.last()->job) return;
  out.reserved = watcher.last();
  for (const NodeId node : out.reserved->nodes)
    out.reserved_nodes.push_back(controller.cluster().node(node).name);
}

}  // namespace

Result<TaskExplanation> explain_task(TraceReader first, TraceReader second, TaskId task, std::uint32_t number,
                                     std::atomic<std::uint64_t>* progress) {
  const auto found = find(first, task, number);
  if (!found) return found.problems();
  const bool placement = found->placed && (number != 0 || !found->waits);
  auto walk = Walk::over(std::move(second), progress);
  if (!walk) return walk.problems();

  TaskExplanation out;
  out.task = task;
  out.queue = walk->reader().header().controller.queue.name;
  out.scheduler = walk->reader().header().controller.scheduler.name;
  TaskStory story(task);
  ReservationWatcher reservation;
  for (;;) {
    const auto more = walk->next();
    if (!more) return more.problems();
    if (!*more) break;
    // Before its first step there is no controller, which a forged trace may let place something.
    const bool here = placement && walk->number() == found->step && walk->controller() != nullptr;
    std::optional<ChoiceWatcher> choice;
    if (here) choice.emplace(walk->controller()->cluster(), found->nth);
    walk->watch(here ? static_cast<PassWatcher*>(&*choice) : &reservation);
    const auto problem = walk->take();
    walk->watch(nullptr);
    if (problem) return *problem;
    story.hear(*walk);
    if (here) {
      out.placed = found->placed;
      out.choice = choice->choice();
    }
    if (here || !out.placed) {
      out.step = walk->number();
      out.at = walk->now();
    }
    const LiveJob* job = walk->controller()->jobs().find(task.job);
    if (job != nullptr && task.index < job->tasks.size())
      out.scheduler = scheduler_name(*walk->controller(), *job, job->tasks[task.index].group);
    if (story.over() && (out.placed || !placement)) break;
  }
  const std::string name = to_text(task);
  if (story.chapters().empty()) return Problem{walk->reader().name(), "has no task " + name, story.hint()};
  if (number != 0 && !found->placed)
    return Problem{walk->reader().name(), "has no attempt " + std::to_string(number) + " of task " + name,
                   found->attempts == 0 ? "it was never placed"
                                        : "an attempt from 1 to " + std::to_string(found->attempts)};
  out.story = story.chapters();
  out.key = story.key();
  out.submitted = story.submitted();
  if (out.placed) return out;
  const LiveJob* job = walk->controller()->jobs().find(task.job);
  if (job == nullptr || task.index >= job->tasks.size()) return out;  // It ended without ever having a place.
  out.standing = standing(*walk->controller(), task);
  if (out.standing->why == Standing::Why::kOver) return out;
  out.choice = choice_now(*walk->controller(), task);
  note_reservation(out, reservation, *walk->controller());
  return out;
}

Result<TaskExplanation> explain_task(const std::string& trace, TaskId task, std::uint32_t number,
                                     std::atomic<std::uint64_t>* progress) {
  auto first = TraceReader::open(trace);
  if (!first) return first.problems();
  auto second = TraceReader::open(trace);
  if (!second) return second.problems();
  return explain_task(std::move(*first), std::move(*second), task, number, progress);
}

}  // namespace duet::codec
