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
  for (const Fault& fault : scenario.faults)
    if (fault.kind == Fault::Kind::kClockSkew || fault.kind == Fault::Kind::kAgentRestart)
      nodes_[fault.node].wrong_clock = true;
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

/// I13: a request is answered once, in the step that hears it, and nothing else is answered.
void Checkers::check_replies(const controller::Event& event, const controller::Commands& commands,
                             std::size_t first) {
  const RequestId* asked = std::visit(
      [](const auto& e) -> const RequestId* {
        if constexpr (requires { e.request; })
          return &e.request;
        else
          return nullptr;
      },
      event);
  std::size_t answers = 0;
  for (std::size_t i = first; i < commands.size(); ++i)
    if (const auto* reply = std::get_if<controller::Reply>(&commands[i]))
      answers += asked != nullptr && reply->request == *asked ? 1 : 2;
  if (answers != (asked != nullptr ? 1U : 0U))
    broken("I13", "a request was not answered exactly once, or an answer had no request");
}

/// The job that was submitted under the same idempotency key, if that is not forgotten.
const JobView* Checkers::submitted_before(const controller::Submit& submit) const {
  if (!submit.once) return nullptr;
  const auto same = [&](const JobView& job) { return job.once && job.once->text == submit.once->text; };
  const auto last = std::find_if(jobs_.rbegin(), jobs_.rend(), same);
  if (last == jobs_.rend()) return nullptr;
  const bool kept = saturating_add(last->submitted, scenario_.controller.keys_kept) > now_;
  return kept || !last->ended ? &*last : nullptr;
}

/// I13: what makes sense is not refused. What is submitted does, if it fits.
void Checkers::check_refusal(const controller::Event& event, const controller::Reply& reply) {
  const auto alive = [&](JobId id) {
    const JobView* job = job_of(id);
    return job != nullptr && !job->ended;
  };
  const auto to_be_changed = [&](JobId id) {
    return alive(id) && job_of(id)->service() && !job_of(id)->cancelled;
  };
  const auto* cancel = std::get_if<controller::Cancel>(&event);
  const auto* scale = std::get_if<controller::Scale>(&event);
  const auto* update = std::get_if<controller::Update>(&event);
  const auto* submit = std::get_if<controller::Submit>(&event);
  if (submit != nullptr && submitted_before(*submit) != nullptr) {
    if (submitted_before(*submit)->once->fingerprint == submit->once->fingerprint)
      broken("I13", "a repeated submission was refused: " + reply.refusal);
    return;
  }
  // Operations are refused while there are no workers, and a pool while another has its name.
  const auto of_pool = [](const TaskGroup& group) { return !group.spec.pool.empty(); };
  const bool may_be_refused =
      submit != nullptr &&
      (submit->spec->pool || std::any_of(submit->spec->groups.begin(), submit->spec->groups.end(), of_pool));
  const bool submits = submit != nullptr && !may_be_refused && promise_.done_by != kNever;
  if (submits || (cancel != nullptr && alive(cancel->job)) ||
      (scale != nullptr && to_be_changed(scale->job)) || (update != nullptr && to_be_changed(update->job)))
    broken("I13", "a request that makes sense was refused: " + reply.refusal);
}

/// A submission was accepted: from here on the job must not get lost. Or a change of a service was.
void Checkers::accept(const controller::Event& event, const controller::Reply& reply) {
  if (!reply.refusal.empty()) return check_refusal(event, reply);
  if (const auto* scale = std::get_if<controller::Scale>(&event)) {
    const JobView* job = job_of(scale->job);
    if (job == nullptr) return broken("I3", "a service that was never accepted was scaled");
    JobSpec spec = *job->spec;
    spec.groups.front().count = scale->count;
    return change(scale->job, std::make_shared<const JobSpec>(std::move(spec)));
  }
  if (const auto* update = std::get_if<controller::Update>(&event)) {
    if (job_of(update->job) == nullptr) return broken("I3", "a service that was never accepted was updated");
    ++job_of(update->job)->version;
    for (TaskView& replica : job_of(update->job)->tasks) {  // What failed was an older version.
      replica.failed_on.reset();
      replica.not_before = {};
    }
    return change(update->job, update->spec);
  }
  const auto* submit = std::get_if<controller::Submit>(&event);
  if (submit == nullptr) return;
  if (const JobView* first = submitted_before(*submit); first != nullptr) {
    if (&jobs_[0] + (reply.job.value - 1) != first)
      broken("I13", "a repeated submission was answered with another job");
    if (first->once->fingerprint != submit->once->fingerprint)
      broken("I13", "another submission under the same key was taken for the first");
    return;
  }
  if (reply.job.value != jobs_.size() + 1)
    return broken("I3", "a job was accepted under a number already given");
  JobView& job = jobs_.emplace_back();
  job.spec = submit->spec;
  job.once = submit->once;
  job.submitted = now_;
  for (std::uint32_t g = 0; g < job.spec->groups.size(); ++g) {
    TaskView task;
    task.group = g;
    job.tasks.resize(job.tasks.size() + job.spec->groups[g].count, task);
  }
  job.size = static_cast<std::uint32_t>(job.tasks.size());
  pools_ = pools_ || job.spec->pool;
  ++live_jobs_;
  changed_jobs_.push_back(jobs_.size() - 1);
}

/// The service is to be of this specification. Replicas that are not desired any more stay known.
void Checkers::change(JobId service, JobSpecPtr spec) {
  JobView& job = *job_of(service);
  job.spec = std::move(spec);
  job.size = std::max(job.size, job.desired());
  job.tasks.resize(job.size);
  changed_jobs_.push_back(service.value - 1);
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
  check_replies(event, commands, first);
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
  changed_tasks_.clear();
  changed_nodes_.clear();
}

void Checkers::on_instant(Instant now, const Controller& controller) {
  see_time(now);
  if (now > next_deadline_) check_nodes(now);
  if (!stepped_) return;
  stepped_ = false;
  check_conservation(controller);
  check_head(controller);
  if (pools_) check_pools(controller);
}

}  // namespace duet::sim
