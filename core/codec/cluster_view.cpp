#include "core/codec/cluster_view.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/lifecycle.h"

namespace duet::codec {

namespace {

bool holds_room(TaskState state) { return state != TaskState::kPending && !terminal(state); }

AttemptView view_of(const TaskRecord& r) {
  return {.id = {r.task, r.attempt},
          .node = r.node,
          .threads = r.threads,
          .placed = r.placed,
          .started = {},
          .stopping = r.state == TaskState::kStopping};
}

/// The record that a step writes of this task from command `i` on; a placement's follows its notice.
const TaskRecord* record_of(const controller::Commands& commands, std::size_t i, const TaskId& task) {
  for (; i < commands.size(); ++i) {
    const auto* persist = std::get_if<controller::Persist>(&commands[i]);
    const auto* record = persist == nullptr ? nullptr : std::get_if<TaskRecord>(&persist->record);
    if (record != nullptr && record->task == task) return record;
  }
  return nullptr;
}

}  // namespace

void ClusterView::apply(Instant now, const controller::Event& event, const controller::Commands& commands,
                        ClusterListener& listener) {
  if (const auto* restored = std::get_if<controller::Restore>(&event)) restore(now, *restored, listener);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (const auto* persist = std::get_if<controller::Persist>(&commands[i])) {
      if (const auto* job = std::get_if<JobRecord>(&persist->record)) accept(*job);
      if (const auto* node = std::get_if<NodeRecord>(&persist->record)) know(node->node, *node, listener);
      if (const auto* end_of = std::get_if<EndRecord>(&persist->record)) forget(end_of->job);
      continue;
    }
    const auto* publish = std::get_if<controller::Publish>(&commands[i]);
    if (publish == nullptr) continue;
    if (const auto* change = std::get_if<controller::NodeChanged>(&publish->notice)) {
      NodeView& node = nodes_[change->node];
      node.state = change->state;
      node.draining = change->draining;
      listener.node_changed(change->node, node);
    } else if (const auto* task = std::get_if<controller::TaskChanged>(&publish->notice)) {
      const bool places = task->state == TaskState::kStarting;
      notice(now, *task, places ? record_of(commands, i, task->attempt.task) : nullptr, listener);
    }
  }
  listener.stepped(now, *this);
}

void ClusterView::know(NodeId id, const NodeRecord& record, ClusterListener& listener) {
  NodeView& node = nodes_[id];
  node.name = record.name;
  node.offer = record.offer;
  node.draining = record.draining;
  listener.node_changed(id, node);
}

void ClusterView::accept(const JobRecord& record) {
  const auto [job, added] = jobs_.try_emplace(record.job, 0);
  if (!added || record.spec == nullptr) return;  // written again, for instance when it is cancelled
  for (const TaskGroup& group : record.spec->groups) job->second += group.count;
  waiting_ += job->second;
}

/// A new controller knows what the records say, and nothing else.
void ClusterView::restore(Instant now, const controller::Restore& event, ClusterListener& listener) {
  for (const auto& [job, count] : std::exchange(jobs_, {})) waiting_ -= count;
  std::map<TaskId, AttemptView> kept;
  for (const Record& record : event.records)
    if (const auto* job = std::get_if<JobRecord>(&record)) accept(*job);
  for (const Record& record : event.records) {
    if (const auto* node = std::get_if<NodeRecord>(&record)) know(node->node, *node, listener);
    const auto* task = std::get_if<TaskRecord>(&record);
    if (task != nullptr && holds_room(task->state)) kept.emplace(task->task, view_of(*task));
    if (task != nullptr && task->state != TaskState::kPending) wait(task->task.job, false);
  }
  std::vector<TaskId> gone;
  for (const auto& [task, attempt] : attempts_)
    if (const auto found = kept.find(task); found == kept.end() || found->second.id != attempt.id)
      gone.push_back(task);
  for (const TaskId& task : gone) end(task, now, Outcome::kLost, false, listener);
  for (const auto& [task, attempt] : kept)
    if (!attempts_.contains(task)) begin(attempt, listener);
}

void ClusterView::notice(Instant now, const controller::TaskChanged& change, const TaskRecord* record,
                         ClusterListener& listener) {
  const TaskId task = change.attempt.task;
  const auto active = attempts_.find(task);
  switch (change.state) {
    case TaskState::kStarting: {
      AttemptView attempt{
          .id = change.attempt, .node = change.node, .threads = {}, .placed = now, .started = {}};
      if (record != nullptr) attempt.threads = record->threads;
      wait(task.job, false);
      begin(attempt, listener);
      break;
    }
    case TaskState::kRunning:
      // Said again when it becomes ready.
      if (active != attempts_.end() && !active->second.started) active->second.started = now;
      break;
    case TaskState::kStopping:
      if (active != attempts_.end()) active->second.stopping = true;
      break;
    case TaskState::kPending:
      end(task, now, change.outcome, true, listener);
      wait(task.job, true);
      break;
    case TaskState::kSucceeded:
    case TaskState::kFailed:
    case TaskState::kCancelled:
    case TaskState::kIdle:
      if (active == attempts_.end()) wait(task.job, false);
      end(task, now, change.outcome, false, listener);
      break;
  }
}

void ClusterView::begin(const AttemptView& attempt, ClusterListener& listener) {
  attempts_.insert_or_assign(attempt.id.task, attempt);
  listener.placed(attempt);
}

void ClusterView::end(const TaskId& task, Instant now, Outcome outcome, bool again,
                      ClusterListener& listener) {
  const auto found = attempts_.find(task);
  if (found == attempts_.end()) return;
  const AttemptView attempt = found->second;
  attempts_.erase(found);
  listener.ended(attempt, now, outcome, again);
}

void ClusterView::wait(JobId job, bool more) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end() || (!more && found->second == 0)) return;
  found->second += more ? 1 : std::uint64_t{0} - 1;
  waiting_ += more ? 1 : std::uint64_t{0} - 1;
}

void ClusterView::forget(JobId job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  waiting_ -= found->second;
  jobs_.erase(found);
}

namespace {

/// Decodes the controller's steps of a trace and hands them to `use(now, event, commands)`.
template <class F>
std::optional<Problem> each_controller_step(TraceReader& reader, F&& use) {
  Step<Controller> step;
  controller::Commands commands;
  Frame frame;
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return more.problems().front();
    if (!*more) return std::nullopt;
    if (!frame.of_controller()) continue;
    if (!decode(frame, step) || !decode_commands(step, commands))
      return reader.broken(frame, "is not a step");
    use(frame.now, step.event, commands);
  }
}

}  // namespace

Result<Instant> follow(TraceReader& reader, Instant until, ClusterView& view, ClusterListener& listener) {
  Instant last{};
  const auto problem =
      each_controller_step(reader, [&](Instant now, const auto& event, const auto& commands) {
        if (now > until) return;
        last = now;
        view.apply(now, event, commands, listener);
      });
  if (problem) return *problem;
  return last;
}

Result<Instant> busiest_instant(TraceReader& reader) {
  ClusterView view;
  ClusterListener deaf;
  Instant current{};
  Instant busiest{};
  std::size_t most = 0;
  const auto settle = [&] {
    if (view.attempts().size() <= most) return;
    most = view.attempts().size();
    busiest = current;
  };
  const auto problem =
      each_controller_step(reader, [&](Instant now, const auto& event, const auto& commands) {
        if (now != current) settle();
        current = now;
        view.apply(now, event, commands, deaf);
      });
  if (problem) return *problem;
  settle();
  return busiest;
}

}  // namespace duet::codec
