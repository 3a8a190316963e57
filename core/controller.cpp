#include "core/controller.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {
namespace {

/// Made only after check_policies() accepted the configuration.
template <class P>
std::unique_ptr<P> must_make(std::span<const PolicyEntry<P>> table, const PolicyChoice& choice) {
  auto made = make_policy(table, choice);
  DUET_CHECK(made);
  return std::move(*made);
}

/// A task may not need more CPU than this, in millicores, so that the sum over a job's tasks cannot overflow.
constexpr std::int64_t kMaxCpuPerTask = 1'000'000'000 * kThread;

}  // namespace

Controller::Controller(const ControllerConfig& config)
    : config_(config),
      queue_(must_make(queue_policies(), config.queue)),
      scheduler_(must_make(scheduler_policies(), config.scheduler)),
      autoscaler_(must_make(autoscaler_policies(), config.autoscaler)),
      estimator_(must_make(estimator_policies(), config.estimator)),
      scheduler_rng_(Rng(config.seed).fork("scheduler")),
      keys_(config.keys_kept) {
  for (const std::string& name : config_.inventory) cluster_.add(name);
}

void Controller::step(Instant now, const Event& event, Commands& out) {
  DUET_CHECK(now >= now_);
  now_ = now;
  out_ = &out;
  std::visit([this](const auto& e) { on(e); }, event);
  out_ = nullptr;
}

std::optional<Instant> Controller::next_deadline() const {
  Instant due = watch_.next_due();
  if (!unanswered_.empty()) due = std::min(due, unanswered_.front().due);
  if (!delayed_.empty()) due = std::min(due, delayed_.begin()->first);
  if (const auto at = queue_->next_due(); at && !pending_.empty()) due = std::min(due, *at);
  for (const auto& [name, pool] : pools_) due = std::min(due, pool->look_at);
  if (due == kNever) return std::nullopt;
  return due;
}

std::size_t Controller::waiting() const {
  std::size_t entries = pending_.size();
  for (const auto& [name, pool] : pools_) entries += pool->pending.size();
  return entries;
}

std::string Controller::refusal(const TaskGroup& group) const {
  if (group.count > kMaxTasksPerJob) return "a job has at most 1000000 tasks";
  if (!group.spec.need.covers({})) return "a task cannot need less than nothing";
  if (group.spec.need.cpu_m > kMaxCpuPerTask)
    return "a task cannot need more than 1000000000 hardware threads";
  const Work& work = group.spec.work;
  if (std::min({group.spec.estimate, group.spec.timeout, work.duration}) < Duration{0})
    return "times cannot be negative";
  if (work.operations < 0 || group.spec.iterations < 0) return "a task cannot have less than no work";
  if (work.weight == 0) return "a task cannot weigh nothing";
  if (const auto& health = work.health) {
    if (std::min(health->interval, health->timeout) <= Duration{0} || health->failures == 0)
      return "a health check needs an interval, a timeout and a number of failures above 0";
    if (health->start_period < Duration{0}) return "times cannot be negative";
    if (!group.spec.pool.empty()) return "an operation has no health check: its worker may have one";
  }
  return {};
}

/// Why the job cannot have its restart policy; empty if it can.
std::string Controller::restart_refusal(const JobSpec& spec) {
  if (!spec.restart) return {};
  if (*spec.restart == RestartPolicy::kNeverAgain && spec.retries > 0)
    return "what is never to run again has no retries";
  if (*spec.restart == RestartPolicy::kAlways && spec.kind != JobKind::kService)
    return "only a service's replicas run again always: this job's tasks have an end";
  return {};
}

std::string Controller::refusal(const JobSpec& spec) const {
  if (spec.groups.empty()) return "a job needs at least one group of tasks";
  if (spec.kind == JobKind::kRigid && spec.groups.size() != 1)
    return "a rigid job has exactly one group of equal tasks";
  if (spec.kind == JobKind::kService && spec.groups.size() != 1)
    return "a service has exactly one group of replicas";
  if (spec.backoff < Duration{0}) return "times cannot be negative";
  if (std::string why = restart_refusal(spec); !why.empty()) return why;
  if (std::string why = pool_refusal(spec); !why.empty()) return why;
  const auto schedulers = scheduler_policies();
  const auto named = [&](const auto& entry) { return entry.name == spec.scheduler; };
  if (!spec.scheduler.empty() && std::none_of(schedulers.begin(), schedulers.end(), named))
    return "there is no scheduler '" + spec.scheduler + "'";
  std::uint64_t tasks = 0;
  for (const TaskGroup& group : spec.groups) {
    if (group.count == 0 && spec.kind != JobKind::kService) return "a group needs at least one task";
    tasks += group.count;
    if (tasks > kMaxTasksPerJob) return "a job has at most 1000000 tasks";
    if (std::string why = refusal(group); !why.empty()) return why;
    if (spec.kind != JobKind::kDag && !group.after.empty())
      return "only the groups of a DAG come after each other";
    if (!group.spec.pool.empty()) {
      if (std::string why = operation_refusal(spec, group); !why.empty()) return why;
      continue;
    }
    const Waiting waiting{{},
                          0,
                          {group.spec.need, group.spec.exclusive},
                          group.count,
                          spec.kind == JobKind::kRigid,
                          spec.priority,
                          now_,
                          estimator_->predict(group.spec),
                          spec.scheduler.empty() ? nullptr : scheduler_.get(),
                          {}};
    if (const auto why = queue_->refuses(waiting, cluster_.uniform()); !why.empty()) return std::string(why);
  }
  return spec.kind == JobKind::kDag ? dag_refusal(spec) : std::string();
}

/// True if the submission is none: what came first under its key stands, or the key is not to be used.
bool Controller::answered_before(const controller::Submit& event) {
  const auto answer = [&](JobId job, std::string refusal) {
    emit(controller::Reply{event.request, job, std::move(refusal)});
    return true;
  };
  const std::string& key = event.once->text;
  if (key.empty() || key.size() > IdempotencyKeys::kLongest)
    return answer({}, "an idempotency key has 1 to 255 bytes");
  const auto lives = [this](JobId job) { return jobs_.find(job) != nullptr; };
  // Here, so that nothing need wake for it.
  keys_.forget_old(now_, lives, [this](const std::string& old) {
    emit(controller::Persist{KeyRecord{old, {}, 0, {}}});
  });
  const KeyRecord* first = keys_.find(key, now_, lives);
  if (first == nullptr || mutated(Mutant::kKeyIgnored)) return false;
  if (first->fingerprint == event.once->fingerprint || mutated(Mutant::kKeyOfAnotherJob))
    return answer(first->job, {});
  return answer(first->job, "the idempotency key '" + key + "' is that of job " +
                                std::to_string(first->job.value) + ", which was submitted differently");
}

void Controller::on(const controller::Submit& event) {
  DUET_CHECK(event.spec != nullptr);
  if (event.once && answered_before(event)) return;
  std::string why = refusal(*event.spec);
  if (why.empty() && event.spec->pool)
    if (const auto known = pools_.find(event.spec->pool->name);
        known != pools_.end() && known->second->job != JobId{})
      why = "there is already a pool '" + known->first + "'";
  if (!why.empty()) {
    emit(controller::Reply{event.request, {}, std::move(why)});
    return;
  }
  LiveJob& job = jobs_.create();
  admit(job, event.spec);
  persist_job(job);
  if (event.once) {
    const KeyRecord key{event.once->text, job.id, event.once->fingerprint, now_};
    keys_.add(key);
    emit(controller::Persist{key});
  }
  emit(controller::Reply{event.request, job.id, {}});
  publish(controller::JobChanged{job.id, job.state});
}

void Controller::on(const controller::Cancel& event) {
  LiveJob* job = jobs_.find(event.job);
  if (job == nullptr) {
    const char* why = jobs_.was_given(event.job) ? "the job has already ended" : "there is no such job";
    emit(controller::Reply{event.request, event.job, why});
    return;
  }
  if (!job->cancelled) {
    job->cancelled = true;
    persist_job(*job);
  }
  emit(controller::Reply{event.request, event.job, {}});
  if (mutated(Mutant::kAnswersTwice)) emit(controller::Reply{event.request, event.job, {}});
  stop_others(*job);
  settle_job(*job);
}

void Controller::on(const controller::Drain& event) {
  if (event.node.value >= cluster_.size()) {
    emit(controller::Reply{event.request, {}, "there is no such node"});
    return;
  }
  ClusterNode& node = cluster_.node(event.node);
  if (!node.draining) {
    node.draining = true;
    cluster_.refresh(event.node);
    follow_node(event.node);
    persist_node(event.node);
    publish(controller::NodeChanged{event.node, node.state, true});
  }
  emit(controller::Reply{event.request, {}, {}});
  if (!event.evict) return;
  std::vector<TaskId> tasks = node.tasks;
  std::sort(tasks.begin(), tasks.end());
  for (const TaskId id : tasks) {
    LiveJob& job = jobs_.at(id.job);
    LiveTask& task = job.tasks[id.index];
    if (task.state == TaskState::kStopping) continue;
    task.evicted = true;
    stop(job, id);
    if (job.spec->kind == JobKind::kRigid && job.tasks.size() > 1) {
      // A gang runs whole or not at all: the others follow, at no cost either.
      job.restarting = true;
      stop_others(job);
    }
  }
}

void Controller::on(const controller::Undrain& event) {
  if (event.node.value >= cluster_.size()) {
    emit(controller::Reply{event.request, {}, "there is no such node"});
    return;
  }
  ClusterNode& node = cluster_.node(event.node);
  if (node.draining) {
    node.draining = false;
    cluster_.refresh(event.node);
    follow_node(event.node);
    dirty_ = true;
    persist_node(event.node);
    publish(controller::NodeChanged{event.node, node.state, false});
  }
  emit(controller::Reply{event.request, {}, {}});
}

void Controller::on(const Wake&) {
  detect();
  resend_due();
  retry_due();
  if (!pools_.empty()) {
    serve_pools();
    scale_pools();
  }
  if (const auto at = queue_->next_due(); at && *at <= now_) dirty_ = true;
  if (dirty_ && !pending_.empty()) schedule();
  dirty_ = false;
}

void Controller::schedule() {
  if constexpr (kMutationsCompiled) {
    static unsigned passes_of_all_runs = 0;
    if (mutated(Mutant::kNonDeterministic) && ++passes_of_all_runs % 7 == 0) return;
  }
  Plan plan(now_, pending_, cluster_, releases_, *scheduler_, scheduler_rng_, placements_, watcher_);
  queue_->pass(plan);
  if (watcher_ != nullptr) watcher_->finished(plan);
  ++counters_.passes;
  counters_.entries_tried += plan.tried();
  for (const Placement& placement : placements_) launch(placement);
}

}  // namespace duet
