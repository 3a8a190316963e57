#include "core/codec/explain_trace.h"

#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace duet::codec {
namespace {

/// The controller's steps of a trace, one by one.
class ControllerSteps {
 public:
  explicit ControllerSteps(TraceReader& reader) : reader_(reader) {}

  /// The next one; false at the end.
  Result<bool> next() {
    for (;;) {
      const auto more = reader_.next(frame);
      if (!more || !*more) return more;
      if (!frame.of_controller()) continue;
      if (!decode(frame, step)) return reader_.broken(frame, "its event cannot be decoded");
      if (!decode_commands(step, commands)) return reader_.broken(frame, "its commands cannot be decoded");
      return true;
    }
  }

  Frame frame;
  Step<Controller> step;
  controller::Commands commands;

 private:
  TraceReader& reader_;
};

const TaskRecord* placement_in(const controller::Command& command) {
  const auto* persist = std::get_if<controller::Persist>(&command);
  const auto* record = persist != nullptr ? std::get_if<TaskRecord>(&persist->record) : nullptr;
  return record != nullptr && record->state == TaskState::kStarting ? record : nullptr;
}

/// The placements of the pass before that of `task`.
std::vector<TaskRecord> placed_before(const controller::Commands& commands, TaskId task) {
  std::vector<TaskRecord> earlier;
  for (const controller::Command& command : commands) {
    const TaskRecord* record = placement_in(command);
    if (record == nullptr) continue;
    if (record->task == task) break;
    earlier.push_back(*record);
  }
  return earlier;
}

Problem no_such_task(const std::string& trace, TaskId task, std::uint32_t number) {
  const std::string text = std::to_string(task.job.value) + '.' + std::to_string(task.index);
  if (number > 0)
    return {trace, "has no attempt " + std::to_string(number) + " of task " + text,
            "an attempt that `duet trace cat --task " + text + "` shows"};
  return {trace, "has no task " + text, "a task_id of tasks.csv"};
}

}  // namespace

Result<TaskExplanation> explain_task(const std::string& trace, TaskId task, std::uint32_t number,
                                     std::atomic<std::uint64_t>* progress) {
  TaskExplanation out;
  out.task = task;
  {
    auto reader = TraceReader::open(trace);
    if (!reader) return reader.problems();
    ControllerSteps steps(*reader);
    for (;;) {
      const auto more = steps.next();
      if (!more) return more.problems();
      if (!*more) break;
      for (const controller::Command& command : steps.commands) {
        const TaskRecord* record = placement_in(command);
        if (record == nullptr || record->task != task || (number != 0 && record->attempt != number)) continue;
        out.placed = *record;
        out.step = steps.frame.number;
      }
    }
  }
  if (number != 0 && !out.placed) return no_such_task(trace, task, number);

  auto reader = TraceReader::open(trace);
  if (!reader) return reader.problems();
  if (Problems problems = check_policies(reader->header().controller); !problems.empty()) return problems;
  ControllerSteps steps(*reader);
  std::unique_ptr<Controller> controller;
  controller::Commands recomputed;
  for (;;) {
    const auto more = steps.next();
    if (!more) return more.problems();
    if (!*more) break;
    if (progress != nullptr) progress->store(steps.frame.number, std::memory_order_relaxed);
    out.at = steps.frame.now;
    if (out.placed && steps.frame.number == out.step) break;
    if (!out.placed) out.step = steps.frame.number;
    if (controller == nullptr || std::holds_alternative<controller::Restore>(steps.step.event))
      controller = std::make_unique<Controller>(reader->header().controller);
    recomputed.clear();
    controller->step(steps.frame.now, steps.step.event, recomputed);
  }
  const LiveJob* job = controller == nullptr ? nullptr : controller->jobs().find(task.job);
  if (job == nullptr || task.index >= job->tasks.size()) return no_such_task(trace, task, 0);
  out.submitted = job->submitted;
  const std::vector<TaskRecord> earlier =
      out.placed ? placed_before(steps.commands, task) : std::vector<TaskRecord>{};
  out.why = explain(*controller, task.job, job->tasks[task.index].group, earlier);
  return out;
}

}  // namespace duet::codec
