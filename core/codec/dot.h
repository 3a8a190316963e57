// Pictures for Graphviz, readable on light and on dark paper. Everything drawn carries a class, so that SVG
// output can be styled.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/codec/task_story.h"
#include "core/controller.h"
#include "core/time.h"

namespace duet::codec {

/// The states of jobs, tasks and nodes and the transitions between them, from the tables in core/lifecycle.h.
std::string lifecycle_dot();

/// The states of tasks, and the way that one took through them.
std::string task_dot(TaskId task, const std::vector<Chapter>& story);

/// Nodes with their cores, threads and the attempts on them as the controller holds them, and what waits.
/// Beyond `most_nodes`, idle nodes are counted instead of drawn, then any.
std::string cluster_dot(const Controller& controller, Instant at, std::size_t most_nodes = 100);

}  // namespace duet::codec
