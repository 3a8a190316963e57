// The cluster as the controller sees it: nodes, what is free on them, which threads are taken.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/index.h"
#include "core/model.h"
#include "core/places.h"
#include "core/policy.h"

namespace duet {

/// A life of an agent, and how far its registrations have come.
struct PastBoot {
  BootNonce boot;
  std::uint32_t register_serial = 0;
};

/// What every message, launch and end touches comes first, so that it shares cache lines.
struct ClusterNode {
  NodeState state = NodeState::kUnknown;
  bool draining = false;
  bool known = false;            ///< Has an offer: registered at least once.
  std::uint32_t unanswered = 0;  ///< Rounds of repeated launches since it last answered one.
  std::uint32_t register_serial = 0;
  LinkId link;  ///< Where it was last heard.
  BootNonce boot;
  Epoch epoch;                      ///< Of the current registration; the last one while down.
  std::uint64_t launch_serial = 0;  ///< Launches sent in this epoch.
  std::unique_ptr<FailureDetector> detector;
  std::vector<TaskId> tasks;  ///< Whose attempt holds resources here; in no order.

  Room room;
  std::uint32_t held = 0;                   ///< Attempts that hold room here.
  ThreadSet free_threads;                   ///< Threads without any load.
  std::int64_t idle_slots = 0;              ///< Slots of such threads only.
  std::vector<std::int32_t> load_m;         ///< Load per thread in millicores; empty on counted pools.
  std::vector<std::uint32_t> busy_threads;  ///< Threads with load, per core; empty on counted pools.
  NodeOffer offer;

  Instant dead_since = kNever;  ///< While it waits to be given up: since when.
  Instant repeated;             ///< When the last such round was.
  std::set<AttemptId> foreign;  ///< Held by the agent though no longer ours; told to end.
  std::string name;
  std::vector<PastBoot> past_boots;  ///< The latest other lives: much of what they say comes late.
};

class Cluster final : public Places {
 public:
  /// Adds a node by name; ids are given in order.
  NodeId add(std::string name);
  std::optional<NodeId> find(const std::string& name) const;
  std::size_t size() const { return nodes_.size(); }
  /// Nodes that registered at least once.
  std::size_t known() const { return known_; }
  ClusterNode& node(NodeId id) { return nodes_[id.value]; }
  const ClusterNode& node(NodeId id) const { return nodes_[id.value]; }
  const TargetIndex& index() const override { return index_; }

  /// Takes over what a node offers; it must hold nothing.
  void set_offer(NodeId id, const NodeOffer& offer);
  /// To be called after state or draining changed.
  void refresh(NodeId id);
  bool usable(NodeId id) const;

  /// Takes what `request` needs, which must fit. Returns the threads: the lowest free ones; none on counted
  /// pools.
  ThreadSet take(NodeId id, const Request& request) override;
  /// Takes these very threads again: for restoring. Must fit.
  void retake(NodeId id, const Request& request, const ThreadSet& threads);
  /// Whether they can be: agents are not trusted to count right.
  bool can_retake(NodeId id, const Request& request, const ThreadSet& threads) const;
  void give_back(NodeId id, const Request& request, const ThreadSet& threads) override;

  void show(NodeId id, bool shown) override {
    index_.set(id, node(id).room, shown && counted_[id.value], node(id).held);
  }

  /// CPU free on all usable nodes together, in millicores.
  std::int64_t free_cpu_m() const { return free_cpu_m_; }
  /// True if all known nodes offer the same.
  bool uniform() const { return offers_.size() <= 1; }
  /// CPU that an attempt of `request` takes on this node, in millicores.
  std::int64_t cpu_m(NodeId id, const Request& request) const { return charge(node(id), request).cpu_m; }

 private:
  Resources charge(const ClusterNode& node, const Request& request) const;
  ThreadSet choose_threads(const ClusterNode& node, const Request& request) const;
  void load_threads(ClusterNode& node, const Request& request, const ThreadSet& threads, int sign);

  std::vector<ClusterNode> nodes_;
  std::map<std::string, NodeId> by_name_;
  std::map<std::vector<std::int64_t>, std::uint32_t>
      offers_;  ///< Different offers of known nodes, with their number.
  TargetIndex index_;
  std::size_t known_ = 0;
  std::vector<bool> counted_;  ///< Whether the node's free CPU is in free_cpu_m_.
  std::int64_t free_cpu_m_ = 0;
};

}  // namespace duet
