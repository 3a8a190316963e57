#include "sim/step_results.h"

#include <algorithm>

#include "core/lifecycle.h"
#include "sim/quota.h"

namespace duet::sim {
namespace {

constexpr std::uint32_t kNoRow = UINT32_MAX;

double duration_s(Duration duration) { return static_cast<double>(to_ns(duration)) / 1e9; }

}  // namespace

StepResults::StepResults(const Scenario& scenario) : scenario_(scenario), capacity_(scenario) {}

void StepResults::begin(Instant zero, double speedup) {
  zero_ = zero;
  speedup_ = speedup;
}

Instant StepResults::shown(Instant now) const {
  if (!zero_ || now <= *zero_) return Instant{};
  return Instant{} + Duration(static_cast<std::int64_t>(static_cast<double>(to_ns(now - *zero_)) * speedup_));
}

void StepResults::record(MachineIndex machine, Instant now, const controller::Event& event,
                         const controller::Commands& commands, std::size_t first) {
  if (machine != 0) return;
  now_ = std::max(now_, shown(now));
  submitting_ = kNoRow;
  ++results_.steps;
  capacity_.advance(now_);
  if (const auto* submit = std::get_if<controller::Submit>(&event)) submitted(*submit);
  results_.messages += std::holds_alternative<controller::Received>(event) ? 1 : 0;
  for (std::size_t i = first; i < commands.size(); ++i) {
    if (const auto* publish = std::get_if<controller::Publish>(&commands[i])) {
      std::visit([this](const auto& change) { note(change); }, publish->notice);
    } else if (const auto* reply = std::get_if<controller::Reply>(&commands[i])) {
      replied(*reply);
    } else if (const auto* send = std::get_if<controller::Send>(&commands[i])) {
      ++results_.messages;
      if (const auto* launch = std::get_if<msg::Launch>(&send->message.body)) sent(*launch);
    }
  }
}

void StepResults::submitted(const controller::Submit& submit) {
  const JobSpec& spec = *submit.spec;
  submitting_ = static_cast<std::uint32_t>(results_.jobs.size());
  submissions_[submit.request] = submitting_;
  JobRow& row = results_.jobs.emplace_back();
  row.key = spec.key;
  row.kind = spec.kind;
  row.workers = spec.pool.has_value();
  row.operation = !spec.groups.empty() && !spec.groups.front().spec.pool.empty();
  row.submitted = now_;
  for (const TaskGroup& group : spec.groups) {
    row.tasks += group.count;
    row.cpu_m += group.spec.need.cpu_m * static_cast<std::int64_t>(group.count);
    row.estimate_ns = std::max(row.estimate_ns, to_ns(group.spec.estimate));
  }
  if (speedup_ != 1)
    row.estimate_ns = static_cast<std::int64_t>(static_cast<double>(row.estimate_ns) * speedup_);
  if (spec.pool) row.tasks = std::max(row.tasks, spec.pool->maximum);
  if (spec.kind == JobKind::kService)
    for (const OperatorEvent& event : scenario_.events)
      if (event.kind == OperatorEvent::Kind::kScale && event.job == spec.key)
        row.tasks = std::max(row.tasks, event.replicas);
  if (spec.user.empty()) return;
  const auto [at, fresh] = users_.try_emplace(spec.user, static_cast<std::uint32_t>(results_.users.size()));
  if (fresh) results_.users.push_back(spec.user);
  row.user = at->second;
}

void StepResults::replied(const controller::Reply& reply) {
  const auto at = submissions_.find(reply.request);
  if (at == submissions_.end()) return;
  JobRow& row = results_.jobs[at->second];
  if (reply.refusal.empty()) {
    row.repeated = row.id != reply.job;
    row.id = reply.job;
  } else {
    row.state = JobState::kFailed;
    results_.refusals[at->second] = reply.refusal;
  }
  submissions_.erase(at);
}

void StepResults::note(const controller::JobChanged& change) {
  auto known = rows_.find(change.job);
  if (known == rows_.end()) {
    if (submitting_ == kNoRow) return;  // From before the recording.
    known = rows_.emplace(change.job, submitting_).first;
    JobRow& row = results_.jobs[submitting_];
    row.id = change.job;
    row.first_task = static_cast<std::uint32_t>(results_.tasks.size());
    const auto need = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(row.tasks == 0 ? 0 : row.cpu_m / row.tasks, 0, TaskRow::kOperation - 1));
    TaskRow task;
    task.need_m = need;
    results_.tasks.resize(results_.tasks.size() + row.tasks, task);
    capacity_.wait(need, row.tasks);
    ++live_;
  }
  JobRow& row = results_.jobs[known->second];
  if (terminal(change.state) && !terminal(row.state)) --live_;
  row.state = change.state;
}

TaskRow* StepResults::row_of(TaskId task) {
  const auto at = rows_.find(task.job);
  if (at == rows_.end()) return nullptr;
  const JobRow& job = results_.jobs[at->second];
  return task.index < job.tasks ? &results_.tasks[job.first_task + task.index] : nullptr;
}

void StepResults::note(const controller::TaskChanged& change) {
  TaskRow* row = row_of(change.attempt.task);
  if (row == nullptr) return;
  const JobRow& job = results_.jobs[rows_.at(change.attempt.task.job)];
  const AttemptId before{change.attempt.task, row->attempts};
  if (active(row->state) && !active(change.state)) ended(*row, job, before, change.outcome);
  if (change.state == TaskState::kStarting && row->attempts > 0)
    results_.earlier.push_back(
        {before, row->node, row->threads, row->width, row->outcome, row->started, row->ended});
  else if (terminal(change.state) && change.attempt.number == 0)
    results_.earlier.push_back({before, 0, 0, 0, change.outcome, kNever, now_});
  // Only whether it is ready changed.
  if (change.state == TaskState::kRunning && row->state == change.state) return;
  const int waits = int{change.state == TaskState::kPending} - int{row->state == TaskState::kPending};
  if (waits != 0) capacity_.wait(row->need_m, waits);
  row->state = change.state;
  row->attempts = change.attempt.number;
  row->node = static_cast<std::uint32_t>(change.node.value);
  row->outcome = change.outcome;
  if (change.state == TaskState::kStarting) {
    ++results_.attempts;
    row->started = row->ended = kNever;
    active_[change.attempt] = {row->node};
  }
  if (change.state == TaskState::kRunning) row->started = now_;
  const bool again = change.state == TaskState::kPending || change.state == TaskState::kFailed;
  results_.attempts_lost += again && change.outcome == Outcome::kLost;
  results_.attempts_failed +=
      again && (change.outcome == Outcome::kFailed || change.outcome == Outcome::kTimedOut);
}

void StepResults::sent(const msg::Launch& launch) {
  const auto at = active_.find(launch.attempt);
  TaskRow* row = row_of(launch.attempt.task);
  if (at == active_.end() || row == nullptr) return;
  Active& run = at->second;
  const bool again = run.cpu_m > 0;  // Said once more.
  run.width = launch.threads.empty() ? threads_for(launch.cpu_m) : launch.threads.size();
  run.cpu_m = launch.cpu_m;
  if (again) return;
  capacity_.take(run.node, run.cpu_m);
  row->width = run.width;
  row->threads = 0;
  if (launch.threads.empty()) return;
  const auto [known, fresh] =
      thread_sets_.try_emplace(launch.threads, static_cast<std::uint32_t>(results_.thread_sets.size()));
  if (fresh) results_.thread_sets.push_back(launch.threads);
  row->threads = known->second;
}

void StepResults::ended(TaskRow& row, const JobRow& job, AttemptId attempt, Outcome outcome) {
  row.ended = now_;
  results_.last_attempt_end = now_;
  const auto at = active_.find(attempt);
  if (at == active_.end()) return;
  const Active run = at->second;
  active_.erase(at);
  capacity_.take(run.node, -run.cpu_m);
  if (row.started == kNever) return;
  const Duration ran = now_ - row.started;
  add_busy(results_, ran, run.width);
  results_.used_cpu_s += duration_s(ran) * static_cast<double>(run.cpu_m) / kThread;
  if (outcome != Outcome::kSucceeded && !job.service()) results_.lost_cpu_s += duration_s(ran) * run.width;
}

void StepResults::note(const controller::NodeChanged& change) {
  const auto node = static_cast<std::uint32_t>(change.node.value);
  if (node >= scenario_.nodes.size()) return;
  results_.node_changes.push_back({now_, node, change.state, change.draining});
  capacity_.turn(node, change.state != NodeState::kDown && change.state != NodeState::kUnknown);
  results_.nodes_lost += change.state == NodeState::kDown;
}

void StepResults::note(const controller::PoolScaled& change) {
  if (!change.applied || change.to == change.from) return;
  ++(change.to > change.from ? results_.scaled_up : results_.scaled_down);
}

Results StepResults::take(Instant now) {
  now_ = std::max(now_, shown(now));
  capacity_.advance(now_);
  date_jobs(results_);
  results_.end = now_;
  results_.waited_s = capacity_.waited_s();
  results_.fragmentation = capacity_.fragmentation();
  return std::move(results_);
}

}  // namespace duet::sim
