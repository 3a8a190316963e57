// A machine is a value: step(now, event) -> commands, and the instant at which it next wants a Wake.
// The two machines' events and commands are listed here; what is not in these lists cannot happen to them.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/message.h"
#include "core/model.h"

namespace duet {

template <class M>
concept Machine = requires(M m, const M c, Instant now, const typename M::Event& e,
                           typename M::Commands& out) {
  { m.step(now, e, out) } -> std::same_as<void>;
  { c.next_deadline() } -> std::same_as<std::optional<Instant>>;
};

/// "It is now `now`, and nothing else came with it": only this detects failures, scales and schedules.
struct Wake {
  template <class Self, class V>
  static void fields(Self&, V&&) {}
};

namespace controller {

// ---- Events

/// First event of a controller that takes over from an earlier one.
struct Restore {
  std::vector<Record> records;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("records", s.records);
  }
};
/// Makes a repeated submission the same job.
struct IdempotencyKey {
  std::string text;               ///< The submitter's choice: 1 to 255 bytes, never used for another job.
  std::uint64_t fingerprint = 0;  ///< Of what is submitted, so that a key used twice is noticed.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("text", s.text);
    v("fingerprint", s.fingerprint);
  }
};
struct Submit {
  RequestId request;
  JobSpecPtr spec;
  std::optional<IdempotencyKey> once{};
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("spec", s.spec);
    v("once", s.once);
  }
};
struct Cancel {
  RequestId request;
  JobId job;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("job", s.job);
  }
};
/// A service is to have so many replicas: a set, not an addition. Surplus ones, the highest indices, end.
struct Scale {
  RequestId request;
  JobId job;
  std::uint32_t count = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("job", s.job);
    v("count", s.count);
  }
};
/// A service is to run this instead. Replicas of the old version are replaced one by one, each when all
/// desired ones run.
struct Update {
  RequestId request;
  JobId job;
  JobSpecPtr spec;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("job", s.job);
    v("spec", s.spec);
  }
};
/// No new tasks on this node. With `evict`, its tasks are ended and run elsewhere, at no cost of a retry.
struct Drain {
  RequestId request;
  NodeId node;
  bool evict = false;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("node", s.node);
    v("evict", s.evict);
  }
};
struct Undrain {
  RequestId request;
  NodeId node;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("node", s.node);
  }
};
struct Received {
  LinkId link;
  msg::FromAgent message;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("link", s.link);
    v("message", s.message);
  }
};

using Event = std::variant<Restore, Submit, Cancel, Drain, Undrain, Received, Wake, Scale, Update>;

// ---- Commands

/// Put this record. Every Send and Reply of the same step, before it or after it, waits until it is durable.
/// The records of one step become durable together, or none does.
struct Persist {
  Record record;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("record", s.record);
  }
};
struct Send {
  LinkId link;
  msg::ToAgent message;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("link", s.link);
    v("message", s.message);
  }
};
/// Answers a request. `refusal` is empty if it was accepted.
struct Reply {
  RequestId request;
  JobId job;  ///< The job it made or concerns; 0 if none.
  std::string refusal;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("job", s.job);
    v("refusal", s.refusal);
  }
};
struct JobChanged {
  JobId job;
  JobState state = JobState::kPending;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("job", s.job);
    v("state", s.state);
  }
};
struct TaskChanged {
  AttemptId attempt;  ///< The task, and its last attempt; number 0 before the first.
  TaskState state = TaskState::kPending;
  NodeId node;  ///< Of that attempt.
  Outcome outcome =
      Outcome::kSucceeded;  ///< How that attempt ended; meaningful in Pending and terminal states.
  bool ready = false;  ///< It runs and is to be relied on. Where only this changes, `state` is said again.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("state", s.state);
    v("node", s.node);
    v("outcome", s.outcome);
    v("ready", s.ready);
  }
};
struct NodeChanged {
  NodeId node;
  NodeState state = NodeState::kUnknown;
  bool draining = false;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("node", s.node);
    v("state", s.state);
    v("draining", s.draining);
  }
};
/// The autoscaler wants another number of workers.
struct PoolScaled {
  JobId job;  ///< Whose replicas the workers are.
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool applied = false;  ///< False in a dry run.
  std::string why;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("job", s.job);
    v("from", s.from);
    v("to", s.to);
    v("applied", s.applied);
    v("why", s.why);
  }
};
using Notice = std::variant<JobChanged, TaskChanged, NodeChanged, PoolScaled>;
/// For whoever watches: event streams, results, checkers.
struct Publish {
  Notice notice;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("notice", s.notice);
  }
};

using Command = std::variant<Persist, Send, Reply, Publish>;
using Commands = std::vector<Command>;

}  // namespace controller

namespace agent {

// ---- Events

/// An attempt that an earlier life launched, and that outlived it.
struct Adopted {
  AttemptId attempt;
  std::optional<AttemptId> worker{};  ///< As in its Launch.
  std::optional<Outcome> ordered{};   ///< It was told to end: Terminate::why.
  bool running = true;                ///< Else it has ended, as the next two say, and was not forgotten.
  Outcome outcome = Outcome::kSucceeded;
  std::int32_t exit_code = 0;
  Duration timeout_left{0};             ///< 0 = it has no timeout; one that is over has 1 ns left.
  Duration cpu{0};                      ///< As in Exited.
  std::optional<HealthCheck> health{};  ///< As in its Launch; start_period is what is left of it.
  std::vector<msg::Keep> kept{};        ///< The last Keep that the earlier life got of it, if any.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("worker", s.worker);
    v("ordered", s.ordered);
    v("running", s.running);
    v("outcome", s.outcome);
    v("exit_code", s.exit_code);
    v("timeout_left", s.timeout_left);
    v("cpu", s.cpu);
    v("health", s.health);
    v("kept", s.kept);
  }
};
/// First event of each life.
struct Boot {
  BootNonce nonce;
  std::vector<Adopted> adopted{};  ///< Ascending by attempt, each once.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("nonce", s.nonce);
    v("adopted", s.adopted);
  }
};
struct Delivered {
  msg::ToAgent message;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("message", s.message);
  }
};
/// The runtime started the attempt.
struct Started {
  AttemptId attempt;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
  }
};
/// A worker that pulls wants an operation.
struct Asked {
  AttemptId worker;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("worker", s.worker);
  }
};
/// The runtime saw the attempt end, or could not start it (kLaunchFailed).
struct Exited {
  AttemptId attempt;
  Outcome outcome = Outcome::kSucceeded;
  std::int32_t exit_code = 0;
  Duration cpu{0};  ///< Processor time that it used; 0 = not measured.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("outcome", s.outcome);
    v("exit_code", s.exit_code);
    v("cpu", s.cpu);
  }
};
/// Answers Probe.
struct Probed {
  AttemptId attempt;
  std::uint32_t number = 0;  ///< The Probe's.
  bool healthy = false;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("number", s.number);
    v("healthy", s.healthy);
  }
};

using Event = std::variant<Boot, Delivered, Started, Exited, Wake, Asked, Probed>;

// ---- Commands

/// Start the attempt. The runtime answers with Started, then Exited, or with Exited alone if it cannot.
struct Launch {
  AttemptId attempt;
  std::optional<AttemptId> worker{};  ///< Of an operation: which worker is to execute it; it runs here.
  Work work;
  std::int64_t cpu_m = 0;
  ThreadSet threads;
  Duration timeout{
      0};  ///< The agent will end it so long after its start; for a life that adopts it. 0 = never.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("worker", s.worker);
    v("work", s.work);
    v("cpu_m", s.cpu_m);
    v("threads", s.threads);
    v("timeout", s.timeout);
  }
};
/// End the attempt: first politely, after the grace by force. The runtime answers with Exited.
struct Terminate {
  AttemptId attempt;
  bool force = false;
  Outcome why =
      Outcome::kKilled;  ///< What its end is to be called, if it does not succeed: for a later life.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("force", s.force);
    v("why", s.why);
  }
};
/// The controller knows how the attempt ended: no later life of the agent need be told.
struct Forget {
  AttemptId attempt;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
  }
};
/// Send this to the controller.
struct Report {
  msg::FromAgent message;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("message", s.message);
  }
};

/// Ask the attempt whether it works, as its payload says. The runtime answers with Probed; an answer that
/// takes longer than `timeout` is not waited for.
struct Probe {
  AttemptId attempt;
  std::uint32_t number = 0;  ///< Counts the probes of this boot.
  Duration timeout{0};
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("number", s.number);
    v("timeout", s.timeout);
  }
};

/// Keep: give it back in Adopted, to a later life.
using Command = std::variant<Launch, Terminate, Report, Forget, Probe, msg::Keep>;
using Commands = std::vector<Command>;

}  // namespace agent
}  // namespace duet
