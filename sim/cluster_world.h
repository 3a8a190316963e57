// The simulated world: whole Controller and Agent machines, the messages between them, a runtime that
// executes attempts, and the faults and requests of the scenario. Engines pass the time; all decisions are
// the machines'.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <variant>
#include <vector>

#include "core/agenda.h"
#include "core/agent.h"
#include "core/controller.h"
#include "core/record_store.h"
#include "core/trace.h"
#include "sim/engine.h"
#include "sim/mail.h"
#include "sim/results.h"
#include "sim/run_meter.h"
#include "sim/scenario.h"

namespace duet::sim {

/// Watches a run from outside: checkers, progress bars. Called synchronously; must not touch the world.
class Observer {
 public:
  virtual ~Observer() = default;
  /// After a step of the controller; the new commands are those from `first` on.
  virtual void on_step(Instant, const Controller&, const controller::Event&, const controller::Commands&,
                       std::size_t /*first*/) {}
  virtual void on_agent_step(Instant, std::uint32_t /*node*/, const Agent&, const agent::Event&,
                             const agent::Commands&, std::size_t /*first*/) {}
  /// An attempt began or ended to run on a node, whatever the controller believes.
  virtual void on_run(Instant, std::uint32_t /*node*/, AttemptId, const ThreadSet&, bool /*begins*/) {}
  /// A fault begins.
  virtual void on_fault(Instant, const Fault&) {}
  /// The controller died, or the next one is about to make its first step. What a life did after its last
  /// commit never happened. Both only where Scenario::controller_dies().
  virtual void on_controller(Instant, bool /*begins*/) {}
  /// The oldest step of the controller not yet told of is durable; its sends and replies go out.
  virtual void on_commit(Instant) {}
  /// All that happens at this instant has been played.
  virtual void on_instant(Instant, const Controller&) {}
};

struct WorldOptions {
  StepSink<Controller>* controller_sink = nullptr;
  StepSink<Agent>* agent_sink = nullptr;
  Observer* observer = nullptr;
  bool keep_executions = false;
};

/// A monotone clock that goes at its own rate.
struct SkewedClock {
  Instant since;  ///< True time at which it showed `shown`.
  Instant shown;
  std::uint32_t rate_ppm;  ///< 1,000,000 is right.

  /// What it shows at the true time `now`.
  Instant at(Instant now) const;
  /// The first true time at which it shows `time` or more.
  Instant when(Instant time) const;
};

class ClusterWorld final : public World {
 public:
  /// `scenario`, `engine` and what `options` points to must outlive the world.
  ClusterWorld(const Scenario& scenario, Engine& engine, WorldOptions options);
  ~ClusterWorld() override;

  Instant next_due() const override;
  void play(Instant now, std::span<const ExecId> ended) override;
  bool over() const override { return over_; }

  const Controller& controller() const { return controller_.machine(); }
  /// What happened; to be called once, after the run.
  Results take_results();

 private:
  struct Host {
    std::unique_ptr<Traced<Agent>> agent;  ///< Null while the node is off.
    std::uint32_t lives = 0;
    std::uint64_t messages = 0;         ///< Sent on its link so far.
    bool off = false;                   ///< Crashed, and not restarted.
    bool stuck = false;                 ///< Its runtime starts nothing.
    std::vector<agent::Launch> parked;  ///< What is to be started when it does again, in order.
    bool touched = false;               ///< Stepped at this instant.
    Instant armed = kNever;             ///< The next instant at which its agent's deadline is looked at.
    std::optional<SkewedClock> clock;   ///< Nothing while it goes right.
    std::vector<ExecId> runs;           ///< What runs there, in no order.
    std::vector<agent::Adopted> exits;  ///< What ended, until its agent may forget it.
  };
  struct Run {
    AttemptId attempt;
    std::optional<AttemptId> worker;  ///< Of an operation.
    std::uint32_t node = 0;
    std::uint32_t generation =
        0;  ///< Counts the uses of this row, so that a timer of an earlier use is told apart.
    bool executing = false;  ///< On the engine; else on a timer.
    bool active = false;
    bool cut_short = false;       ///< It did not come to its own end.
    bool pulls = false;           ///< A worker that asks for operations.
    std::uint32_t host_slot = 0;  ///< Position in its host's list.
    std::uint32_t width = 1;
    std::uint32_t serving = 0;  ///< Of a worker: how many operations it executes, ...
    Instant serving_since;      ///< ... and since when any.
    std::int64_t cpu_m = 0;
    ThreadSet threads;
    Instant began;
    double began_s = 0;  ///< By the engine's clock.
    std::int64_t operations = 0;
    Outcome outcome = Outcome::kSucceeded;
    std::optional<Outcome> ordered;  ///< It was told to end: Terminate::why.
    std::int32_t exit_code = 0;
    Instant times_out = kNever;  ///< When its agent will end it.
    std::optional<HealthCheck> health;
  };
  struct Timer {
    enum class Kind : std::uint8_t { kRunEnd, kMessage, kRelease, kFaultEnd, kStop };
    Instant at;
    std::uint64_t sequence = 0;
    Kind kind = Kind::kStop;
    std::uint32_t index = 0;       ///< Run, message slot, or fault.
    std::uint32_t generation = 0;  ///< Of the run; kRelease: which of the controller's lives.
    bool operator>(const Timer& o) const { return at != o.at ? at > o.at : sequence > o.sequence; }
  };
  /// A step of the controller that is not durable yet: what it wants done, Persists included if they are
  /// kept.
  struct Uncommitted {
    std::optional<controller::Event> request;  ///< If it was one, and may have to be made again.
    controller::Commands commands;
  };
  /// Who asked while there was no controller, or before a submission was answered; which jobs an operator
  /// means is looked up when it is made.
  using Caller = std::variant<controller::Event, const OperatorEvent*>;

  // cluster_world.cpp: the rounds of an instant
  void collect_due();
  void release(std::uint32_t life);
  void play_completions();
  void play_messages();
  void play_requests();
  void submit(const JobSpecPtr& spec);
  void submit_row(std::uint32_t row, const JobSpec& spec);
  void play_door();
  void ask(const OperatorEvent& event);
  void play_wake();
  void close_instant();
  void judge_end();

  void step(const controller::Event& event);
  void hold_back(const controller::Event& event);
  void step(std::uint32_t node, const agent::Event& event);
  void perform(controller::Command& command);
  void send_up(std::uint32_t node, msg::FromAgent&& message);
  void send_down(controller::Send&& command);
  void deliver(const Letter& letter);
  void dispatch(const Letter& letter);
  void post(const Letter& letter, Duration delay);
  void push(Instant at, Timer::Kind kind, std::uint32_t index, std::uint32_t generation = 0);

  // cluster_faults.cpp: what breaks, and when it is whole again
  void play_faults();
  void meddle(const Letter& letter);
  void miss(const controller::Event& event);
  void lose_controller(const controller::Event* failed = nullptr);
  void turn_away(const controller::Event& request);
  void forget_uncommitted_jobs();
  void restore_if_possible();
  const Fault* in_force(Fault::Kind kind, std::uint32_t node = 0) const;
  void apply(const Fault& fault, bool begins);
  Instant clock_of(const Host& host) const { return host.clock ? host.clock->at(now_) : now_; }
  /// The true instant at which the host's agent next wants a Wake.
  Instant due_of(const Host& host) const {
    const Instant due = host.agent->next_deadline().value_or(kNever);
    return host.clock ? host.clock->when(due) : due;
  }

  // cluster_runtime.cpp: nodes and what runs on them
  void boot(std::uint32_t node);
  void switch_on(std::uint32_t node);
  void crash(std::uint32_t node);
  void kill_agent(std::uint32_t node);
  void set_stuck(std::uint32_t node, bool stuck);
  std::vector<ExecId> runs_of(const Host& host) const;
  void ask_if_pulling(std::uint32_t node, AttemptId worker);
  void begin(std::uint32_t node, const agent::Launch& launch);
  void terminate(std::uint32_t node, const agent::Terminate& order);
  void interrupt(ExecId id);
  void answer(std::uint32_t node, const agent::Probe& probe);
  bool sick(const Run& run) const;
  void complete(ExecId id);
  void retire(ExecId id);

  // cluster_notes.cpp: what the results remember; cluster_measures.cpp: what metrics need beside that
  void note(const controller::Reply& reply);
  void note(const controller::Notice& notice);
  void note_job(const controller::JobChanged& job);
  void note_task(const controller::TaskChanged& task);
  void note_submission(JobRow& row, const JobSpec& spec);
  void note_new_tasks(JobRow& row);
  void note_forgotten(const JobRow& row);
  void note_state(const JobRow& job, const TaskRow& task, TaskState next);
  void note_use_begins(Run& run);
  void note_use_ends(Run& run);
  Run* worker_of(const Run& run);
  const JobRow* job_of(const Run& run) const;
  void note_begin(Run& run);
  void note_end(Run& run);
  void forget_repetitions();
  void note_earlier(const controller::TaskChanged& task, const TaskRow& row);
  TaskRow* row_of(TaskId task);

  const Scenario& scenario_;
  Engine& engine_;
  WorldOptions options_;
  Traced<Controller> controller_;
  std::vector<Host> hosts_;
  std::vector<Run> runs_;
  std::vector<ExecId> free_runs_;
  std::size_t active_runs_ = 0;

  std::unique_ptr<ArrivalSource> source_;
  std::optional<Arrival> arrival_;  ///< The next one.
  std::size_t next_event_ = 0;
  std::size_t next_fault_ = 0;

  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::uint64_t timers_pushed_ = 0;
  Agenda<std::uint32_t> agent_timers_;  ///< When agents want to be woken.
  Mail mail_;
  std::vector<Letter> in_flight_;  ///< Slots of delayed messages.
  std::vector<std::uint32_t> free_slots_;
  std::size_t work_in_flight_ = 0;  ///< Of the delayed messages, those that concern work.
  /// Steps that wait for their Persists, in order; each is released by one timer.
  std::deque<Uncommitted> uncommitted_;
  Instant last_release_;  ///< Of the last of them.

  // Faults in force.
  std::vector<std::uint32_t> faults_ended_;  ///< At this instant.
  std::vector<const Fault*> on_links_;       ///< Partitions and network faults.
  Duration commit_delay_;                    ///< What a commit takes now.
  bool killed_ = false;                      ///< The controller cannot live.
  bool store_fails_ = false;                 ///< Nothing becomes durable.
  bool up_ = true;                           ///< The controller lives.
  std::uint32_t life_ = 0;                   ///< Which one.
  const bool keeps_records_;                 ///< It may die.
  RecordStore store_;
  std::deque<Caller> door_;  ///< Who waits for the controller, in order.

  // Of the instant in progress.
  Instant now_;
  bool started_ = false;
  bool over_ = false;
  bool controller_touched_ = false;
  Instant controller_due_ = kNever;
  std::vector<ExecId> ended_;
  std::vector<std::uint32_t> agents_due_;
  std::vector<std::uint32_t> touched_;
  std::vector<Letter> inbox_;
  std::vector<Letter> batch_;
  controller::Commands commands_;
  agent::Commands agent_commands_;
  bool stop_due_ = false;

  Results results_;
  CapacityMeter capacity_;
  PoolMeters pools_;
  DetectionMeter detection_;
  std::map<std::string, std::uint32_t> users_;      ///< Where each stands in results_.users.
  std::map<ThreadSet, std::uint32_t> thread_sets_;  ///< Where each stands in results_.thread_sets.
  /// Of an accepted job: where its rows stand.
  struct Rows {
    std::uint32_t job = 0;
    std::uint32_t first_task = 0;
  };
  std::vector<Rows> rows_;  ///< Of job id - 1; ids ascend, and so do rows.
  /// What the operator's events need to know of a job.
  struct Known {
    std::vector<JobId> ids;  ///< Of all jobs of that key so far.
    std::uint32_t most_replicas = 0;
    bool again = false;                       ///< It is submitted more than once.
    std::uint32_t unanswered = 0;             ///< Submissions under that key,
    std::vector<const OperatorEvent*> after;  ///< and what is to be asked when they are answered.
  };
  std::map<std::string, Known> known_;  ///< By key; only those that events speak of.
  Instant last_change_;
  std::uint32_t submitting_ = 0;        ///< Row of the submission that was stepped last.
  std::uint32_t submitting_tasks_ = 0;  ///< How many tasks it has; a service may get more.
};

/// The configuration of the agent on node `node` (index into scenario.nodes).
AgentConfig agent_config(const Scenario& scenario, std::uint32_t node);

}  // namespace duet::sim
