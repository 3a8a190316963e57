// The checkers: they watch a run from outside and say which promise it broke. One pass, O(1) per event.
//
//   I1 lifecycle      I2 one accept     I3 no task lost    I4 retry bound    I5 capacity
//   I6 own threads    I7 offered ones   I8 no bad node     I9 fenced         I10 boot nonce
//   I13 one answer    I14 ack durable   I16 order          I17 causality     I20 desired replicas
//   I21 no flapping   I23 mass loss     I24 no bad pair    I25 cancel final  L1 terminates
//   L2 converges      L3 detects        L4 rejoins         L6 stuck nodes
//   GANG, DAG, BACKOFF, TIMEOUT, POOL, HEALTH, RESTART: what these words promise
//
// I16's chain and I18, replay identity, look at traces: check_trace.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/check_bounds.h"
#include "sim/check_view.h"
#include "sim/cluster_world.h"

namespace duet::sim {

struct Violation {
  std::string invariant;  ///< "I5"; "CHECK" when the process died of one of its own checks.
  Instant at;
  std::string what;  ///< One sentence.
};

class Checkers final : public Observer {
 public:
  /// `scenario` must outlive this, and name all nodes in its inventory, in order.
  explicit Checkers(const Scenario& scenario);

  void on_step(Instant now, const Controller& controller, const controller::Event& event,
               const controller::Commands& commands, std::size_t first) override;
  void on_agent_step(Instant now, std::uint32_t node, const Agent& agent, const agent::Event& event,
                     const agent::Commands& commands, std::size_t first) override;
  void on_run(Instant now, std::uint32_t node, AttemptId attempt, const ThreadSet& threads,
              bool begins) override;
  void on_fault(Instant now, const Fault& fault) override;
  void on_controller(Instant now, bool begins) override;
  void on_commit(Instant now) override;
  void on_instant(Instant now, const Controller& controller) override;
  /// To be called after the run.
  void finish(const Results& results);

  /// The first of each invariant, in the order in which they were seen.
  const std::vector<Violation>& violations() const { return violations_; }

 private:
  /// The event of the controller's step in progress, as far as the checks ask for it.
  struct Cause {
    const msg::FromAgent* message = nullptr;
    const msg::AttemptEnded* ended = nullptr;
    const msg::Register* registering = nullptr;
    bool current = false;   ///< The message is of the registration that holds.
    bool repeated = false;  ///< A registration that was granted before, or is older.
    const controller::Drain* draining = nullptr;
    bool submits = false;
  };

  /// What outlives a controller of a node: the requests of operators, and how many registrations it granted.
  struct KeptNode {
    bool draining = false;
    std::size_t granted = 0;
  };
  /// What a step of the controller changed, as it stood after it.
  struct Step {
    std::vector<std::pair<std::size_t, JobFacts>> jobs;
    std::vector<std::pair<TaskId, TaskFacts>> tasks;
    std::vector<std::pair<std::size_t, KeptNode>> nodes;
  };

  // checkers.cpp
  void broken(const char* invariant, std::string what);
  JobView* job_of(JobId id);
  TaskView* task_of(TaskId id);
  AttemptView* attempt_of(AttemptId id);
  void check_replies(const controller::Event& event, const controller::Commands& commands, std::size_t first);
  void check_refusal(const controller::Event& event, const controller::Reply& reply);
  const JobView* submitted_before(const controller::Submit& submit) const;
  void accept(const controller::Event& event, const controller::Reply& reply);
  void change(JobId service, JobSpecPtr spec);
  void see_time(Instant now);

  // check_nodes.cpp: I8 I9 I10 L3 L4
  Cause cause_of(const controller::Event& event);
  void check_fencing(const Cause& cause, const controller::Commands& commands, std::size_t first);
  void see(const Cause& cause, const controller::NodeChanged& notice);
  void see_grant(const controller::Send& send);
  void check_holds_only_own(std::uint32_t node, const char* when);
  bool answers_launches(const Cause& cause, std::uint64_t node);
  void check_brake();
  void check_nodes(Instant now);
  void expect_down(NodeView& node, Instant from);
  void calm_node(NodeView& node, Instant from);

  // check_jobs.cpp: I1 I2 I4 I5 I6 I7 I17
  void see(const Cause& cause, const controller::JobChanged& notice);
  void see(const Cause& cause, const controller::TaskChanged& notice);
  void see_launch(const controller::Send& send, const msg::Launch& launch);
  void place(TaskView& task, const controller::TaskChanged& notice);
  void check_end(const Cause& cause, const TaskView& task, const controller::TaskChanged& notice);
  void count_end(JobView& job, TaskView& task, const controller::TaskChanged& notice, TaskState before);
  void leave(TaskView& task);

  // check_health.cpp: HEALTH
  void see_ready(const Cause& cause, TaskView& task, const controller::TaskChanged& notice);
  void see_health(std::uint32_t node, const agent::Event& event, const agent::Commands& commands,
                  std::size_t first);
  bool all_ready(const JobView& service) const;
  void check_restart(const JobView& job, const TaskView& task, const controller::TaskChanged& notice,
                     bool told);

  // check_pools.cpp: I20 POOL
  void see(const Cause& cause, const controller::PoolScaled& notice);
  std::pair<std::int64_t, std::size_t> load_of(AttemptId worker) const;
  void see_operation(TaskView& task, AttemptView& attempt, const msg::Launch& launch);
  bool operation_waits(const Controller& controller, const std::string& pool) const;
  void check_pools(const Controller& controller);

  // check_rules.cpp: I20 I21 I24 DAG BACKOFF
  void check_place(const JobView& job, const TaskView& task, AttemptId attempt);
  void check_stop(const Cause& cause, const JobView& job, const TaskView& task, AttemptId attempt);
  void remember_end(JobView& job, TaskView& task, Outcome outcome, TaskState before);
  void check_service(const JobView& job);

  // check_restore.cpp: I14, and what a controller that takes over starts from
  void remember_step();
  void fall_back();
  void fall_back(NodeView& node, const KeptNode& kept);
  void check_records(const std::vector<Record>& records);

  // check_queue.cpp: I3 L1 L2
  void check_conservation(const Controller& controller);
  void check_head(const Controller& controller);

  const Scenario& scenario_;
  std::vector<Arrival> arrivals_;
  Promise promise_;
  std::vector<NodeView> nodes_;
  std::vector<JobView> jobs_;  ///< Accepted ones, by id - 1.
  std::size_t live_jobs_ = 0;
  std::size_t submitted_ = 0;
  std::uint64_t steps_ = 0;  ///< Of the controller.
  bool stepped_ = false;     ///< The controller has, at this instant.
  Instant now_;
  Instant next_deadline_ = kNever;  ///< Earliest of the nodes' down_by and ready_from.
  std::vector<Violation> violations_;
  std::vector<Instant> given_up_;            ///< When nodes lately were, by this controller.
  bool pools_ = false;                       ///< Some service's replicas are workers.
  std::map<JobId, Instant> scaled_at_;       ///< When pools were last scaled, by this controller.
  std::map<AttemptId, Instant> idle_since_;  ///< Workers that could take what waits.

  // Where the controller may die: what is durable, and what is not yet.
  const bool dies_;
  bool up_ = true;
  std::vector<KeptJob> kept_jobs_;
  std::vector<KeptNode> kept_nodes_;
  std::deque<Step> uncommitted_;
  std::vector<std::size_t> changed_jobs_;  ///< By the step in progress; some more than once.
  std::vector<TaskId> changed_tasks_;
  std::vector<std::size_t> changed_nodes_;
};

}  // namespace duet::sim
