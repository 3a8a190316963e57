// What people see of the cluster: jobs that live and those that ended lately, attempts, events. It follows
// what the controller publishes, at the step that does, and decides nothing.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/controller.h"
#include "live/driver/event_log.h"
#include "live/runtime/runtime.h"
#include "live/store/store.h"

namespace duet::live {

/// Where an attempt was, whose output may still lie there.
struct EarlierAttempt {
  std::uint32_t number = 0;
  NodeId node;
};

struct TaskView {
  static constexpr std::size_t kEarlierKept = 8;
  TaskState state = TaskState::kPending;
  std::uint32_t attempt = 0;              ///< Number of the last one; 0 before the first.
  NodeId node;                            ///< Of that attempt.
  Outcome outcome = Outcome::kSucceeded;  ///< How the last attempt that ended did so.
  bool has_ended = false;                 ///< One did; the next two are that one's.
  std::int32_t exit_code = 0;             ///< 0..255, or minus the signal.
  std::uint32_t ended_attempt = 0;        ///< Its number.
  Instant ended{};
  bool ready = false;                     ///< It runs and passed its health check, if it has one.
  Instant placed{};                       ///< Of the last attempt; the epoch: it has none.
  Instant started{};                      ///< Likewise; the epoch: it has not started.
  std::vector<EarlierAttempt> earlier{};  ///< The latest ones before the last, ascending.
};

/// Of an operation: where its last attempt was placed.
struct OperationView {
  AttemptId worker;
  ThreadSet threads;  ///< Of the worker's node.
};

struct JobView {
  JobId id;
  JobSpecPtr spec;
  JobState state = JobState::kPending;
  Instant submitted{};
  Instant started{};  ///< Of its first task; the epoch: none has.
  Instant ended{};    ///< The epoch: it lives.
  std::vector<TaskView> tasks;

  bool service() const { return spec->kind == JobKind::kService; }
};

/// Who an agent is, as it said itself.
struct AgentFacts {
  std::string name;
  std::string address;   ///< Where its tasks can be reached: an IP address.
  std::string version;   ///< Of its program.
  std::string topology;  ///< How its slots map to processors, in words.
  std::string limits;    ///< What enforces limits there: cgroups v2, v1, or nothing, in words.
  std::int64_t pid = 0;
  std::uint32_t port = 0;  ///< S0's agents are known by address and port; 0 = it has none.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("name", s.name);
    v("address", s.address);
    v("version", s.version);
    v("topology", s.topology);
    v("limits", s.limits);
    v("pid", s.pid);
    v("port", s.port);
  }
};

class ClusterView {
 public:
  /// Ended jobs kept in memory; older ones are in the store's history.
  static constexpr std::size_t kEndedKept = 1000;

  /// Starts over from a controller that has just been restored.
  void rebuild(const Controller& machine);
  /// Something was published. `spec`: of the live job that it speaks of, if it speaks of one.
  void note(Instant now, const controller::Notice& notice, const JobSpecPtr& spec);
  /// A service was scaled or updated.
  void respecify(JobId job, const JobSpecPtr& spec);
  /// What is shown of this job or task began before this controller did.
  void date(const Record& record);
  /// The operation was given to this worker.
  void given(TaskId operation, const OperationView& to) { operations_[operation] = to; }
  /// An agent said how this attempt ended.
  void exited(AttemptId attempt, std::int32_t exit_code);
  /// An agent told something of an attempt; at this instant, if it was measured.
  void learn(const AttemptFacts& facts, Instant measured = {});
  void learn(const AgentFacts& agent) { agents_[agent.name] = agent; }

  /// A job that lives or ended lately; null: look into the store's history.
  const JobView* job(JobId id) const;
  const std::map<JobId, JobView>& jobs() const { return jobs_; }
  /// What the store's history has of jobs that ended before this controller began; later ones are in jobs().
  void remember(const std::vector<HistoryRow>& rows);
  const std::map<JobId, std::string>& ended_before() const { return ended_before_; }
  /// Null if nothing is known.
  const AttemptFacts* facts(AttemptId attempt) const;
  /// Hardware threads that an attempt used between the last two times it was measured; nothing before.
  std::optional<double> cpu_in_use(AttemptId attempt) const;
  /// Of all tasks that are active.
  struct InUse {
    double cores = 0;
    std::int64_t memory_bytes = 0;
  };
  std::map<NodeId, InUse> in_use() const;
  const AgentFacts* agent(const std::string& name) const;
  /// Null if the task is no operation, or was never placed.
  const OperationView* operation(TaskId task) const;
  EventLog& events() { return events_; }
  const EventLog& events() const { return events_; }

 private:
  void note(Instant now, const controller::JobChanged& change, const JobSpecPtr& spec);
  void note(Instant now, const controller::TaskChanged& change);
  JobView& add(JobId id, JobSpecPtr spec);
  static TaskView& task(JobView& job, std::uint32_t index);
  void forget_oldest();

  std::map<JobId, JobView> jobs_;
  std::map<JobId, std::string> ended_before_;  ///< As JSON.
  std::deque<JobId> ended_;                    ///< Of jobs_, in the order of their ends.
  struct Known : AttemptFacts {
    Instant measured{};
    std::optional<double> cores{};
  };
  std::map<AttemptId, Known> facts_;              ///< Of attempts of jobs_.
  std::map<AttemptId, std::int32_t> exit_codes_;  ///< Said, but the end is not published yet.
  std::map<TaskId, OperationView> operations_;    ///< Of jobs_.
  std::map<std::string, AgentFacts> agents_;
  EventLog events_;
};

}  // namespace duet::live
