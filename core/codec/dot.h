// Pictures for Graphviz. Everything drawn carries a class, so that SVG output can be styled.
#pragma once

#include <cstddef>
#include <string>

#include "core/codec/trace_file.h"
#include "core/result.h"
#include "core/time.h"

namespace duet::codec {

/// The states of jobs, tasks and nodes and the transitions between them, from the tables in core/lifecycle.h.
std::string lifecycle_dot();

struct ClusterDotOptions {
  Instant at = kNever;  ///< After all that happened at this instant; kNever = at the end of the trace.
  std::size_t most_nodes = 100;  ///< Beyond, idle nodes are counted instead of drawn, then any.
};

/// Nodes with their cores, threads and the attempts on them at an instant; see busiest_instant() for a good
/// one.
Result<std::string> cluster_dot(TraceReader& reader, const ClusterDotOptions& options = {});

}  // namespace duet::codec
