#include "core/codec/explain_trace.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/codec/render.h"
#include "core/codec/segments.h"

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

Result<Found> find(TraceReader& reader, const ExplainQuestion& question) {
  const auto& [task, number, at] = question;
  Found found;
  Frame frame;
  Step<Controller> step;
  controller::Commands commands;
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return more.problems();
    if (!*more) return found;
    if (!frame.of_controller() || (at && frame.now > *at)) continue;
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

/// One look at the controller: what the walk has come to, and what was found beforehand.
class Explainer {
 public:
  Explainer(Walk walk, const ExplainQuestion& question, const Found& found)
      : walk_(std::move(walk)),
        question_(question),
        found_(found),
        placement_(found.placed && (question.number != 0 || !found.waits)),
        story_(question.task) {
    out_.task = question.task;
    out_.queue = walk_.reader().header().controller.queue.name;
    out_.scheduler = walk_.reader().header().controller.scheduler.name;
  }

  Result<TaskExplanation> explain() {
    for (;;) {
      const auto more = walk_.next();
      if (!more) return more.problems();
      if (!*more) break;
      if (question_.at && walk_.now() > *question_.at) {
        if (const auto problem = walk_.read_on()) return *problem;
        break;
      }
      if (const auto problem = take()) return *problem;
      // With an instant in question the rest tells whether the run came so far.
      if (story_.over() && !question_.at && (out_.placed || !placement_)) break;
    }
    if (const auto problem = unanswerable()) return *problem;
    out_.story = story_.chapters();
    out_.key = story_.key();
    out_.submitted = story_.submitted();
    describe_end();
    return std::move(out_);
  }

 private:
  std::optional<Problem> take();
  std::optional<Problem> unanswerable() const;
  void describe_end();
  const LiveJob* live_job() const {
    const LiveJob* job =
        walk_.controller() != nullptr ? walk_.controller()->jobs().find(question_.task.job) : nullptr;
    return job != nullptr && question_.task.index < job->tasks.size() ? job : nullptr;
  }

  Walk walk_;
  const ExplainQuestion& question_;
  const Found& found_;
  const bool placement_;  ///< A placement is to be explained, not a wait.
  TaskStory story_;
  ReservationWatcher reservation_;
  TaskExplanation out_;
};

std::optional<Problem> Explainer::take() {
  // Before its first step there is no controller, which a forged trace may let place something.
  const bool here = placement_ && walk_.number() == found_.step && walk_.controller() != nullptr;
  std::optional<ChoiceWatcher> choice;
  if (here) choice.emplace(walk_.controller()->cluster(), found_.nth);
  walk_.watch(here ? static_cast<PassWatcher*>(&*choice) : &reservation_);
  auto problem = walk_.take();
  walk_.watch(nullptr);
  if (problem) return problem;
  story_.hear(walk_);
  if (here) {
    out_.placed = found_.placed;
    out_.choice = choice->choice();
  }
  if (here || !out_.placed) {
    out_.step = walk_.number();
    out_.at = walk_.now();
  }
  if (const LiveJob* job = live_job()) {
    const std::uint32_t group = job->tasks[question_.task.index].group;
    out_.scheduler = scheduler_name(*walk_.controller(), *job, group);
    if (const Pool* pool = job->groups[group].pool) out_.pool = pool->name;
  }
  return std::nullopt;
}

/// Why there is nothing to explain.
std::optional<Problem> Explainer::unanswerable() const {
  const std::string& trace = walk_.reader().name();
  const std::string name = to_text(question_.task);
  if (question_.at && *question_.at > walk_.last_instant())
    return Problem{"--at", "the run has ended by then",
                   "an instant up to " + seconds_text(to_ns(walk_.last_instant()))};
  if (story_.chapters().empty() && question_.at)
    return Problem{trace, "by " + seconds_text(to_ns(*question_.at)) + " there was no task " + name,
                   "a later instant, or by then: " + story_.hint()};
  if (story_.chapters().empty()) return Problem{trace, "has no task " + name, story_.hint()};
  if (question_.number != 0 && !found_.placed)
    return Problem{trace, "has no attempt " + std::to_string(question_.number) + " of task " + name,
                   found_.attempts == 0 ? "it was never placed"
                                        : "an attempt from 1 to " + std::to_string(found_.attempts)};
  return std::nullopt;
}

/// How it stands where the walk has stopped.
void Explainer::describe_end() {
  if (question_.at && !out_.placed) out_.at = *question_.at;
  const LiveJob* job = live_job();
  out_.asked = question_.at;
  if (question_.at) out_.state_then = story_.chapters().back().state;
  if (job == nullptr) return;  // A task without a place ended without ever having had one.
  const Controller& controller = *walk_.controller();
  const TaskId task = question_.task;
  out_.restraints = restraints(controller, task, walk_.taken_at());
  if (out_.placed) return;
  out_.standing = standing(controller, task);
  if (out_.standing->why == Standing::Why::kOver) return;
  out_.choice = choice_now(controller, task);
  note_reservation(out_, reservation_, controller);
}

}  // namespace

Result<TaskExplanation> explain_task(TraceReader first, TraceReader second, const ExplainQuestion& question,
                                     std::atomic<std::uint64_t>* progress) {
  const auto found = find(first, question);
  if (!found) return found.problems();
  auto walk = Walk::over(std::move(second), progress);
  if (!walk) return walk.problems();
  auto explained = Explainer(std::move(*walk), question, *found).explain();
  if (explained) explained->unfinished = first.unfinished();
  return explained;
}

Result<TaskExplanation> explain_task(const std::string& trace, const ExplainQuestion& question,
                                     std::atomic<std::uint64_t>* progress) {
  auto first = open_trace(trace);
  if (!first) return first.problems();
  auto second = open_trace(trace);
  if (!second) return second.problems();
  return explain_task(std::move(*first), std::move(*second), question, progress);
}

}  // namespace duet::codec
