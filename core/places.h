// Where a plan can put tasks: the nodes of the cluster, or the workers of a pool.
#pragma once

#include "core/index.h"
#include "core/resources.h"

namespace duet {

/// Targets are named by NodeId throughout: of a cluster these are its nodes, of a pool the indices of its
/// workers.
class Places {
 public:
  virtual ~Places() = default;
  virtual const TargetIndex& index() const = 0;
  /// Takes what `request` needs, which must fit. Returns the threads; none where they are not told apart.
  virtual ThreadSet take(NodeId id, const Request& request) = 0;
  virtual void give_back(NodeId id, const Request& request, const ThreadSet& threads) = 0;
  /// Until it is shown again, nothing fits there.
  virtual void show(NodeId id, bool shown) = 0;
};

}  // namespace duet
