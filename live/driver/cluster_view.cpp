#include "live/driver/cluster_view.h"

#include "core/lifecycle.h"

namespace duet::live {
namespace {

/// Two measurements that are nearer to each other tell nothing of a rate.
constexpr auto kShortestSample = std::chrono::milliseconds(100);
/// Of jobs that ended before this controller began; a row with all its tasks may have 300 kB.
constexpr std::size_t kRememberedBytes = std::size_t{2} << 20;

}  // namespace

void ClusterView::rebuild(const Controller& machine) {
  // What ended stays; what lives is as the machine has it.
  std::erase_if(jobs_, [](const auto& entry) { return entry.second.ended == Instant{}; });
  exit_codes_.clear();
  machine.jobs().for_each([&](const LiveJob& job) {
    JobView& shown = add(job.id, job.spec);
    shown.state = job.state;
    shown.submitted = job.submitted;
    for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
      const LiveTask& from = job.tasks[i];
      TaskView& to = task(shown, i);
      to.state = from.state;
      to.attempt = from.attempt;
      to.node = from.node;
      to.placed = from.placed;
      if (from.state == TaskState::kRunning) to.started = from.started;
      to.ready = from.ready;
      const Pool* const pool = job.groups[from.group].pool;
      const auto worker = pool != nullptr ? pool->worker_of({job.id, i}) : std::nullopt;
      if (worker) operations_[{job.id, i}] = {*worker, from.threads};
    }
  });
}

void ClusterView::remember(const std::vector<HistoryRow>& rows) {
  std::size_t bytes = 0;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    bytes += row->json.size();
    if (bytes > kRememberedBytes) return;  // Of the older ones the store still tells.
    if (!jobs_.contains(row->job)) ended_before_[row->job] = row->json;
  }
}

JobView& ClusterView::add(JobId id, JobSpecPtr spec) {
  JobView& job = jobs_[id];
  if (job.ended != Instant{}) std::erase(ended_, id);  // Its end was not durable.
  job = JobView{};
  job.id = id;
  std::size_t tasks = 0;
  for (const TaskGroup& group : spec->groups) tasks += group.count;
  // Those of a service are its versions, of which the last one says how many replicas there are to be.
  if (spec->kind == JobKind::kService) tasks = spec->groups.back().count;
  job.tasks.resize(tasks);
  job.spec = std::move(spec);
  return job;
}

TaskView& ClusterView::task(JobView& job, std::uint32_t index) {
  if (index >= job.tasks.size()) job.tasks.resize(index + std::size_t{1});
  return job.tasks[index];
}

const JobView* ClusterView::job(JobId id) const {
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? nullptr : &at->second;
}

const AttemptFacts* ClusterView::facts(AttemptId attempt) const {
  const auto at = facts_.find(attempt);
  return at == facts_.end() ? nullptr : &at->second;
}

std::optional<double> ClusterView::cpu_in_use(AttemptId attempt) const {
  const auto at = facts_.find(attempt);
  return at == facts_.end() ? std::nullopt : at->second.cores;
}

std::map<NodeId, ClusterView::InUse> ClusterView::in_use() const {
  std::map<NodeId, InUse> nodes;
  for (const auto& [attempt, known] : facts_) {
    const JobView* of = job(attempt.task.job);
    if (of == nullptr || attempt.task.index >= of->tasks.size()) continue;
    const TaskView& task = of->tasks[attempt.task.index];
    if (task.attempt != attempt.number || !active(task.state)) continue;
    InUse& node = nodes[task.node];
    node.cores += known.cores.value_or(0);
    node.memory_bytes += known.memory;
  }
  return nodes;
}

const AgentFacts* ClusterView::agent(const std::string& name) const {
  const auto at = agents_.find(name);
  return at == agents_.end() ? nullptr : &at->second;
}

const OperationView* ClusterView::operation(TaskId task) const {
  const auto at = operations_.find(task);
  return at == operations_.end() ? nullptr : &at->second;
}

void ClusterView::exited(AttemptId attempt, std::int32_t exit_code) {
  const auto at = jobs_.find(attempt.task.job);
  if (at == jobs_.end() || attempt.task.index >= at->second.tasks.size()) return;
  // Said again, or late: the end is told already.
  const TaskView& task = at->second.tasks[attempt.task.index];
  if (task.attempt == attempt.number && active(task.state)) exit_codes_[attempt] = exit_code;
}

/// What a later message leaves out is as the earlier one said.
void ClusterView::learn(const AttemptFacts& facts, Instant measured) {
  if (!jobs_.contains(facts.attempt.task.job)) return;
  // Of a task's attempts only the last two are of interest; a service may have thousands.
  if (facts.attempt.number > 2) {
    const AttemptId oldest{facts.attempt.task, 0};
    const AttemptId kept{facts.attempt.task, facts.attempt.number - 1};
    facts_.erase(facts_.lower_bound(oldest), facts_.lower_bound(kept));
  }
  Known& known = facts_[facts.attempt];
  if (measured != Instant{} && (facts.cpu_ns > 0 || facts.memory > 0)) {
    if (known.measured != Instant{} && measured - known.measured >= kShortestSample)
      known.cores = static_cast<double>(std::max<std::int64_t>(facts.cpu_ns - known.cpu_ns, 0)) /
                    static_cast<double>(to_ns(measured - known.measured));
    known.measured = measured;
  }
  known.attempt = facts.attempt;
  if (facts.pid != 0) known.pid = facts.pid;
  if (!facts.cpus.empty()) known.cpus = facts.cpus;
  if (!facts.ports.empty()) known.ports = facts.ports;
  if (!facts.reason.empty()) known.reason = facts.reason;
  known.cpu_ns = std::max(known.cpu_ns, facts.cpu_ns);
  known.memory = facts.memory;
  known.strayed = facts.strayed;
  if (!facts.result.empty()) known.result = facts.result;
}

void ClusterView::note(Instant now, const controller::Notice& notice, const JobSpecPtr& spec) {
  if (const auto* job = std::get_if<controller::JobChanged>(&notice)) note(now, *job, spec);
  if (const auto* task = std::get_if<controller::TaskChanged>(&notice)) note(now, *task);
}

void ClusterView::note(Instant now, const controller::JobChanged& change, const JobSpecPtr& spec) {
  if (spec != nullptr && !jobs_.contains(change.job)) add(change.job, spec).submitted = now;
  const auto at = jobs_.find(change.job);
  if (at == jobs_.end()) return;
  JobView& job = at->second;
  job.state = change.state;
  if (!terminal(change.state) || job.ended != Instant{}) return;
  job.ended = now;
  ended_.push_back(job.id);
  forget_oldest();
}

void ClusterView::respecify(JobId job, const JobSpecPtr& spec) {
  if (const auto at = jobs_.find(job); at != jobs_.end()) at->second.spec = spec;
}

void ClusterView::date(const Record& record) {
  const auto* of_job = std::get_if<JobRecord>(&record);
  const auto* of_task = std::get_if<TaskRecord>(&record);
  if (of_job == nullptr && of_task == nullptr) return;
  const auto at = jobs_.find(of_job != nullptr ? of_job->job : of_task->task.job);
  if (at == jobs_.end()) return;
  if (of_job != nullptr) at->second.submitted = of_job->submitted;
  if (of_task != nullptr) task(at->second, of_task->task.index).placed = of_task->placed;
}

void ClusterView::forget_oldest() {
  while (ended_.size() > kEndedKept) {
    const JobId oldest = ended_.front();
    ended_.pop_front();
    jobs_.erase(oldest);
    const AttemptId from{{oldest, 0}, 0};
    const AttemptId to{{JobId{oldest.value + 1}, 0}, 0};
    facts_.erase(facts_.lower_bound(from), facts_.lower_bound(to));
    exit_codes_.erase(exit_codes_.lower_bound(from), exit_codes_.lower_bound(to));
    operations_.erase(operations_.lower_bound(from.task), operations_.lower_bound(to.task));
  }
}

void ClusterView::note(Instant now, const controller::TaskChanged& change) {
  const auto at = jobs_.find(change.attempt.task.job);
  if (at == jobs_.end()) return;
  JobView& job = at->second;
  TaskView& task = ClusterView::task(job, change.attempt.task.index);
  const bool was_active = active(task.state);
  // Said again, of the same attempt, when it becomes ready.
  const bool ran = task.state == TaskState::kRunning && task.attempt == change.attempt.number;
  task.ready = change.ready;
  task.state = change.state;
  if (task.attempt != 0 && task.attempt != change.attempt.number) {
    if (task.earlier.size() == TaskView::kEarlierKept) task.earlier.erase(task.earlier.begin());
    task.earlier.push_back({task.attempt, task.node});
  }
  task.attempt = change.attempt.number;
  task.node = change.node;
  if (change.state == TaskState::kStarting) {
    task.placed = now;
    task.started = Instant{};
  }
  if (change.state == TaskState::kRunning && !ran) {
    task.started = now;
    if (job.started == Instant{}) job.started = now;
  }
  if (!was_active || active(change.state)) return;
  task.has_ended = true;
  task.ended = now;
  task.outcome = change.outcome;
  task.ended_attempt = change.attempt.number;
  const auto code = exit_codes_.find(change.attempt);
  task.exit_code = code == exit_codes_.end() ? 0 : code->second;
  if (code != exit_codes_.end()) exit_codes_.erase(code);
}

}  // namespace duet::live
