// The controller: accepts jobs, places their tasks, and keeps the promise that each of them ends exactly
// once.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/agenda.h"
#include "core/cluster.h"
#include "core/config.h"
#include "core/idempotency.h"
#include "core/job_table.h"
#include "core/machine.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/pool.h"

namespace duet {

class Controller {
 public:
  using Event = controller::Event;
  using Command = controller::Command;
  using Commands = controller::Commands;

  /// The policies of `config` must exist and accept their parameters: see check_policies().
  explicit Controller(const ControllerConfig& config);

  /// Only Wake detects failures, repeats messages and schedules. Appends to `out`.
  void step(Instant now, const Event& event, Commands& out);
  /// When the next Wake is due; nothing if only an event can bring news. Valid after a Wake.
  std::optional<Instant> next_deadline() const;

  const Cluster& cluster() const { return cluster_; }
  const JobTable& jobs() const { return jobs_; }
  const Pending& pending() const { return pending_; }
  const std::map<std::string, std::unique_ptr<Pool>>& pools() const { return pools_; }
  const IdempotencyKeys& keys() const { return keys_; }
  const ControllerConfig& config() const { return config_; }
  std::size_t waiting() const;
  Accuracy estimator_accuracy() const { return estimator_->accuracy(); }
  /// What places the tasks of a group of a live job (null: the queue itself), and what it draws from: for
  /// explanations.
  const Scheduler* scheduler_of(const LiveJob& job, const LiveGroup& group) const {
    if (group.pool == nullptr && queue_->chooses_nodes()) return nullptr;
    if (group.pool == nullptr) return job.scheduler != nullptr ? job.scheduler : scheduler_.get();
    const auto own = group.pool->own_schedulers.find(job.spec->scheduler);
    return own != group.pool->own_schedulers.end() ? own->second.get() : group.pool->scheduler.get();
  }
  const Rng& scheduler_rng() const { return scheduler_rng_; }
  /// Who looks over the shoulder of passes from now on; null: nobody.
  void watch(PassWatcher* watcher) { watcher_ = watcher; }

  /// What was ignored or examined, for metrics and benches.
  struct Counters {
    std::uint64_t fenced = 0;         ///< Messages of another registration, answered with Fenced.
    std::uint64_t stale = 0;          ///< Ends of superseded attempts, late duplicates.
    std::uint64_t entries_tried = 0;  ///< Queue entries that passes tried to start.
    std::uint64_t passes = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  // controller.cpp: requests and the Wake
  void on(const controller::Restore& event);
  void on(const controller::Submit& event);
  void on(const controller::Cancel& event);
  void on(const controller::Drain& event);
  void on(const controller::Undrain& event);
  void on(const controller::Received& event);
  void on(const Wake& event);
  bool answered_before(const controller::Submit& event);
  std::string refusal(const JobSpec& spec) const;
  std::string refusal(const TaskGroup& group) const;
  static std::string restart_refusal(const JobSpec& spec);
  void schedule();

  // controller_nodes.cpp: registration, fencing, detection
  void on_register(LinkId link, const msg::FromAgent& message, const msg::Register& body);
  void settle_held(NodeId id, const std::vector<AttemptId>& held);
  void on_message(NodeId id, const msg::AttemptStarted& body);
  void on_message(NodeId id, const msg::AttemptEnded& body);
  LiveTask* current_task(NodeId id, AttemptId attempt);
  void set_state(NodeId id, NodeState state);
  void watch(NodeId id);
  Instant may_give_up();
  void hear(NodeId id, const msg::FromAgent& message);
  bool answers_launches(NodeId id, const msg::FromAgent& message) const;
  bool stuck(const ClusterNode& node) const;
  void detect();
  void detect(NodeId id);
  void give_up_silent();
  void no_longer_silent(NodeId id);
  void lose_tasks(NodeId id, const std::vector<TaskId>& lost);
  void persist_node(NodeId id);
  template <class Body>
  void send(NodeId id, Body body) {
    const ClusterNode& node = cluster_.node(id);
    emit(controller::Send{node.link, msg::ToAgent{node.boot, node.epoch, std::move(body)}});
  }

  // controller_jobs.cpp: the life of jobs and tasks
  void admit(LiveJob& job, JobSpecPtr spec);
  static Request request_of(const TaskSpec& spec);
  void add_group(LiveJob& job, const TaskSpec& spec);
  void choose_scheduler(LiveJob& job);
  void enqueue(LiveJob& job, std::uint32_t group, std::uint32_t width);
  void launch(const Placement& placement);
  void send_launch(LiveJob& job, TaskId id);
  void stop(LiveJob& job, TaskId id);
  void stop_others(LiveJob& job);
  NodeId target_of(const LiveJob& job, TaskId id) const;
  void end_attempt(LiveJob& job, TaskId id, Outcome outcome, Duration cpu = Duration{0});
  void settle_task(LiveJob& job, TaskId id, Outcome outcome, NodeId target);
  void wait_again(LiveJob& job, TaskId id, Outcome outcome);
  void settle_job(LiveJob& job);
  void restart_gang_if_whole(LiveJob& job);
  void set_state(LiveJob& job, TaskId id, TaskState state, Outcome outcome = Outcome::kSucceeded);
  void set_state(LiveJob& job, JobState state);
  void hold(LiveJob& job, TaskId id);
  void release(LiveJob& job, TaskId id);
  TaskRecord record_of(const LiveJob& job, TaskId id) const;
  void persist_task(const LiveJob& job, TaskId id);
  Resources charge(const LiveJob& job, const LiveTask& task) const;

  // controller_dag.cpp: tasks that come after others
  void link_groups(LiveJob& job);
  void finish_in_group(LiveJob& job, std::uint32_t group);
  void cancel_descendants(LiveJob& job, std::uint32_t group);

  // controller_services.cpp: replicas, their number and their version
  void on(const controller::Scale& event);
  void on(const controller::Update& event);
  LiveJob* service_of(RequestId request, JobId id);
  static JobRecord record_of(const LiveJob& job);
  void persist_job(const LiveJob& job);
  static std::vector<std::uint32_t> forgive_replicas(LiveJob& job, LiveGroup& current);
  void adjust_replicas(LiveJob& job);
  void retire_replica(LiveJob& job, TaskId id);
  void want_replica(LiveJob& job, std::uint32_t index);
  void replace_outdated(LiveJob& job);
  void settle_replica(LiveJob& job, TaskId id, Outcome outcome);
  void end_if_all_have(LiveJob& job);
  bool runs_again(const LiveJob& job, const LiveTask& task, Outcome outcome) const;

  void set_replicas(LiveJob& job, std::uint32_t count);

  // controller_pools.cpp: workers, and the operations that they execute
  std::string pool_refusal(const JobSpec& spec) const;
  std::string workers_refusal(const PoolSpec& pool, std::uint32_t count) const;
  std::string operation_refusal(const JobSpec& spec, const TaskGroup& group) const;
  Pool& pool_named(const std::string& name);
  void open_pool(LiveJob& job);
  void leave_pools(LiveJob& job);
  void forget_if_unused(Pool* pool);
  Pending& pending_of(const LiveGroup& group);
  void follow_worker(const LiveJob& job, TaskId id);
  void follow_node(NodeId id);
  void on_message(NodeId id, const msg::Ask& body);
  void serve_pools();
  void note_empty(Pool& pool);
  Scheduler* own_scheduler(const LiveJob& job, Pool& pool);
  void scale_pools();
  void scale(Pool& pool, LiveJob& job);

  // controller_ready.cpp: which attempts can be relied on
  void on_message(NodeId id, const msg::AttemptReady& body);
  void has_started(LiveJob& job, TaskId id);
  void set_ready(LiveJob& job, TaskId id, bool ready);

  // controller_retry.cpp: what failed waits before it runs again
  Duration backoff(const LiveJob& job, const LiveTask& task, Outcome outcome) const;
  void delay(LiveJob& job, TaskId id, Duration wait);
  void retry_due();

  // controller_resend.cpp
  void await_answer(AttemptId attempt, NodeId node);
  void suspect_if_stuck(NodeId id);
  void resend_due();
  void trim_unanswered();

  // controller_adopt.cpp: without a store, agents keep what the next controller has to know
  void leave_records(const LiveJob& job, TaskId id);
  void adopt(NodeId id, const std::vector<msg::Keep>& kept);
  void adopt(NodeId id, const msg::Keep& keep);
  bool can_adopt(NodeId id, const msg::Keep& keep) const;
  bool makes_sense(const JobSpec& spec) const;
  void await_report(LiveJob& job, TaskId id);
  static bool awaits_report(const LiveTask& task);
  void give_up_report(LiveJob& job, TaskId id);

  // controller_restore.cpp
  void restore(const JobRecord& record);
  void restore(const TaskRecord& record);
  void take_up_replica(LiveJob& job, const TaskRecord& record);
  void restore(const NodeRecord& record);
  void restore(const EndRecord& record);

  template <class C>
  void emit(C command) {
    out_->emplace_back(std::in_place_type<C>, std::move(command));
  }
  template <class N>
  void publish(N notice) {
    emit(controller::Publish{std::move(notice)});
  }

  /// A launch or kill that may have to be sent again.
  struct Unanswered {
    Instant due;
    AttemptId attempt;
    NodeId node;
  };
  bool unanswered(const Unanswered& entry);

  ControllerConfig config_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Scheduler> scheduler_;
  std::map<std::string, std::unique_ptr<Scheduler>> own_schedulers_;  ///< Of jobs that named one.
  std::unique_ptr<Autoscaler> autoscaler_;
  std::unique_ptr<CpuEstimator> estimator_;
  Rng scheduler_rng_;

  Cluster cluster_;
  JobTable jobs_;
  Pending pending_;  ///< What waits for nodes; operations wait in their pools.
  std::map<std::string, std::unique_ptr<Pool>> pools_;  ///< By name.
  Releases releases_;                                   ///< Kept if the queue reserves.
  Agenda<NodeId> watch_;                                ///< When to look at a node's detector again.
  std::deque<Instant> given_up_;  ///< When nodes were lately, ascending; kept while there is a brake.
  std::set<std::pair<Instant, NodeId>> silent_;  ///< Dead, but not given up yet: since when, and which.
  IdempotencyKeys keys_;
  std::set<std::pair<Instant, TaskId>> delayed_;  ///< What waits out a backoff; entries may be out of date.
  std::deque<Unanswered> unanswered_;             ///< Ascending by due.
  std::vector<Placement> placements_;             ///< Of the pass in progress; kept for its storage.
  bool dirty_ = false;                            ///< Something changed that a pass could use.
  Counters counters_;
  PassWatcher* watcher_ = nullptr;

  Instant now_;              ///< Of the step in progress.
  Commands* out_ = nullptr;  ///< Of the step in progress.
};

/// A job may not have more tasks than this: it is one allocation.
inline constexpr std::uint64_t kMaxTasksPerJob = 1'000'000;

/// Why the groups of a DAG cannot come after each other as they say; empty if they can.
std::string dag_refusal(const JobSpec& spec);

static_assert(Machine<Controller>);

}  // namespace duet
