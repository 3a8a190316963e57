// Names of things inside the core: small counters, never strings or addresses.
#pragma once

#include <compare>
#include <cstdint>

namespace duet {

template <class Tag>
struct Id {
  std::uint64_t value = 0;
  auto operator<=>(const Id&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("value", s.value);
  }
};

/// Counts accepted jobs from 1, in the order of their submission; 0 names no job.
using JobId = Id<struct JobTag>;
/// Counts nodes from 0, in the order of the inventory, then of first registration.
using NodeId = Id<struct NodeTag>;
/// A connection of the driver's; it means nothing to the core but "answer here".
using LinkId = Id<struct LinkTag>;
/// A request of a client, echoed in the reply.
using RequestId = Id<struct RequestTag>;
/// Drawn by the driver at each start of an agent, so that no two lives of one agent share it.
using BootNonce = Id<struct BootTag>;
/// Counts the registrations of one node from 1; 0 is "not registered".
using Epoch = Id<struct EpochTag>;

/// Task `index` (from 0) of a job. Written `17.0`.
struct TaskId {
  JobId job;
  std::uint32_t index = 0;
  auto operator<=>(const TaskId&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("job", s.job);
    v("index", s.index);
  }
};

/// The only thing that runs: try `number` (from 1) of a task. Written `17.0#1`.
struct AttemptId {
  TaskId task;
  std::uint32_t number = 0;
  auto operator<=>(const AttemptId&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("task", s.task);
    v("number", s.number);
  }
};

}  // namespace duet
