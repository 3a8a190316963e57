// The cluster as a reader of the trace sees it: nodes, attempts that hold room, tasks that wait.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/codec/trace_file.h"
#include "core/machine.h"
#include "core/result.h"

namespace duet::codec {

struct NodeView {
  std::string name;
  NodeOffer offer;
  NodeState state = NodeState::kUnknown;
  bool draining = false;
};

struct AttemptView {
  AttemptId id;
  NodeId node;
  ThreadSet threads;  ///< Empty where threads are not told apart.
  Instant placed{};
  std::optional<Instant> started;
  bool stopping = false;
};

class ClusterView;

/// Hears what happens, in the order of the trace.
class ClusterListener {
 public:
  virtual ~ClusterListener() = default;
  virtual void placed(const AttemptView&) {}
  /// It no longer holds its room. `again`: its task waits for another attempt.
  virtual void ended(const AttemptView&, Instant, Outcome, bool /*again*/) {}
  virtual void node_changed(NodeId, const NodeView&) {}
  /// All commands of a step have been applied.
  virtual void stepped(Instant, const ClusterView&) {}
};

/// Follows the controller's steps. Its memory depends on what is alive, not on the length of the trace.
class ClusterView {
 public:
  void apply(Instant now, const controller::Event& event, const controller::Commands& commands,
             ClusterListener& listener);

  const std::map<NodeId, NodeView>& nodes() const { return nodes_; }
  /// Attempts that hold room, by task.
  const std::map<TaskId, AttemptView>& attempts() const { return attempts_; }
  /// Tasks that wait for a place.
  std::uint64_t waiting() const { return waiting_; }

 private:
  void know(NodeId node, const NodeRecord& record, ClusterListener& listener);
  void accept(const JobRecord& record);
  void restore(Instant now, const controller::Restore& event, ClusterListener& listener);
  void notice(Instant now, const controller::TaskChanged& change, const TaskRecord* record,
              ClusterListener& listener);
  void begin(const AttemptView& attempt, ClusterListener& listener);
  void end(const TaskId& task, Instant now, Outcome outcome, bool again, ClusterListener& listener);
  void wait(JobId job, bool more);
  void forget(JobId job);

  std::map<NodeId, NodeView> nodes_;
  std::map<TaskId, AttemptView> attempts_;
  std::map<JobId, std::uint64_t> jobs_;  ///< How many tasks of each live job wait.
  std::uint64_t waiting_ = 0;
};

/// Applies the trace's controller steps up to and including `until` and then reads on to the end, so that
/// the whole trace is checked. Returns the instant of the last step applied.
Result<Instant> follow(TraceReader& reader, Instant until, ClusterView& view, ClusterListener& listener);

/// The first instant at whose end the most attempts hold room.
Result<Instant> busiest_instant(TraceReader& reader);

}  // namespace duet::codec
