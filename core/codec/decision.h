// What a step of the controller decided, in words: what it heard, what changed, what it sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/codec/walk.h"

namespace duet::codec {

/// One change, or one command.
struct Happening {
  std::string
      what;        ///< "task", "job", "node", "pool", "request"; of a command "launch", "kill", "reply", ...
  std::string id;  ///< "3.0#1", "3", "n1"
  std::string state;
  std::string node;
  std::string why;
};

struct Decision {
  std::uint64_t step = 0;
  Instant at;
  std::string event;  ///< "n1 says that 3.0#1 has ended: succeeded"
  std::vector<Happening> changes;
  std::vector<Happening> commands;
};

/// Which decisions are wanted, and which of their changes. Without conditions: all.
struct DecisionFilter {
  std::optional<JobId> job;
  std::optional<std::uint32_t> task;  ///< Of that job.
  std::string node;                   ///< Name.
};

/// True if the step placed, ended or moved something that is wanted, or refused a request: only those are
/// decisions.
bool decides(const Walk& walk, const DecisionFilter& filter);
/// To be asked when the step has been taken.
Decision decision_of(const Walk& walk, const DecisionFilter& filter);

}  // namespace duet::codec
