#include "sim/checkers.h"

#include <algorithm>

#include "core/check.h"

namespace duet::sim {

Checkers::Checkers(const Scenario& scenario)
    : scenario_(scenario),
      arrivals_(list_arrivals(scenario)),
      promise_(promise_of(scenario, arrivals_)),
      dies_(scenario.controller_dies()),
      kept_nodes_(scenario.nodes.size()) {
  nodes_.reserve(scenario.nodes.size());
  for (const Node& node : scenario.nodes) nodes_.emplace_back(scenario.node_types[node.type].offer);
  jobs_.reserve(arrivals_.size());
}

void Checkers::broken(const char* invariant, std::string what) {
  for (const Violation& known : violations_)
    if (known.invariant == invariant) return;
  violations_.push_back({invariant, now_, std::move(what)});
}

JobView* Checkers::job_of(JobId id) {
  return id.value == 0 || id.value > jobs_.size() ? nullptr : &jobs_[id.value - 1];
}

TaskView* Checkers::task_of(TaskId id) {
  JobView* job = job_of(id.job);
  return job == nullptr || id.index >= job->tasks.size() ? nullptr : &job->tasks[id.index];
}

AttemptView* Checkers::attempt_of(AttemptId id) {
  TaskView* task = task_of(id.task);
  return task == nullptr || id.number == 0 || id.number > task->attempts.size()
             ? nullptr
             : &task->attempts[id.number - 1];
}

void Checkers::see_time(Instant now) {
  if (now < now_) broken("I16", "time went backwards");
  now_ = now;
}

/// A submission was accepted: from here on the job must not get lost.
void Checkers::accept(const controller::Event& event, const controller::Reply& reply) {
  const auto* submit = std::get_if<controller::Submit>(&event);
  if (submit == nullptr || !reply.refusal.empty()) return;
  if (reply.job.value != jobs_.size() + 1)
    return broken("I3", "a job was accepted under a number already given");
  JobView& job = jobs_.emplace_back();
  job.spec = submit->spec;
  for (std::uint32_t g = 0; g < job.spec->groups.size(); ++g) {
    TaskView task;
    task.spec = &job.spec->groups[g].spec;
    task.group = g;
    job.tasks.resize(job.tasks.size() + job.spec->groups[g].count, task);
  }
  ++live_jobs_;
  changed_jobs_.push_back(jobs_.size() - 1);
}

void Checkers::on_step(Instant now, const Controller&, const controller::Event& event,
                       const controller::Commands& commands, std::size_t first) {
  see_time(now);
  ++steps_;
  stepped_ = true;
  if (const auto* restore = std::get_if<controller::Restore>(&event)) check_records(restore->records);
  const Cause cause = cause_of(event);
  submitted_ += cause.submits;
  check_fencing(cause, commands, first);
  if (const auto* cancel = std::get_if<controller::Cancel>(&event))
    if (JobView* job = job_of(cancel->job); job != nullptr && !job->ended) {
      job->cancelled = true;
      changed_jobs_.push_back(cancel->job.value - 1);
    }
  for (std::size_t i = first; i < commands.size(); ++i) {
    if (const auto* published = std::get_if<controller::Publish>(&commands[i])) {
      std::visit([&](const auto& notice) { see(cause, notice); }, published->notice);
    } else if (const auto* send = std::get_if<controller::Send>(&commands[i])) {
      if (const auto* launch = std::get_if<msg::Launch>(&send->message.body))
        see_launch(*send, *launch);
      else if (std::holds_alternative<msg::Registered>(send->message.body))
        see_grant(*send);
    } else if (const auto* reply = std::get_if<controller::Reply>(&commands[i])) {
      accept(event, *reply);
    }
  }
  if (dies_) remember_step();
  changed_jobs_.clear();
  changed_nodes_.clear();
}

void Checkers::on_instant(Instant now, const Controller& controller) {
  see_time(now);
  if (now > next_deadline_) check_nodes(now);
  if (!stepped_) return;
  stepped_ = false;
  check_conservation(controller);
  check_head(controller);
}

}  // namespace duet::sim
