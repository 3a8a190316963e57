// How a controller and an agent are set up: values that a trace header carries and a replay starts from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/model.h"
#include "core/time.h"

namespace duet {

using ParamValue = std::variant<bool, std::int64_t, double, std::string>;

/// The parameters of one policy, as the user wrote them.
struct Params {
  std::vector<std::pair<std::string, ParamValue>> items;  ///< Unique names, ascending.
  bool operator==(const Params&) const = default;
};

/// A policy by name, with its parameters.
struct PolicyChoice {
  std::string name;
  Params params;
  bool operator==(const PolicyChoice&) const = default;
};

/// When so many nodes fall silent at once, the fault is more likely the network's, or the controller's: then
/// dead nodes are given up slowly, so that the work of those that come back is not placed twice.
struct MassLoss {
  std::uint32_t percent = 0;                     ///< More than this share of the nodes, given up ...
  Duration window = std::chrono::seconds(60);    ///< ... within so long, is a mass loss; 0 % = never is.
  Duration interval = std::chrono::seconds(10);  ///< Then so long passes between one node and the next.
  bool operator==(const MassLoss&) const = default;
};

struct ControllerConfig {
  PolicyChoice queue{"fcfs", {}};
  PolicyChoice scheduler{"first_fit", {}};
  PolicyChoice autoscaler{"fixed", {}};
  PolicyChoice detector{"timeout", {}};
  PolicyChoice estimator{"declared", {}};
  std::vector<std::string> inventory;  ///< Names of nodes known beforehand; node ids follow this order.
  Duration resend_after =
      std::chrono::seconds(5);    ///< An unanswered launch or kill is sent again after this.
  std::uint32_t max_losses = 16;  ///< A task lost with its node more often than this fails.
  MassLoss mass_loss;
  /// A node that answers no launch, though it is heard, is suspect after so many rounds of repetitions: its
  /// heartbeats may go on while nothing works there any more. 0 = never.
  std::uint32_t stuck_after = 0;
  /// A submission under the idempotency key of an earlier one is that one's job for so long after the first,
  /// and as long as the job lives.
  Duration keys_kept = std::chrono::hours(24);
  /// Of a controller without a durable store: what it does not know, it takes over as agents report it, and
  /// for the other tasks of the same job it waits so long. 0 = what it does not know is ended.
  Duration adopt_for{0};
  std::uint64_t seed = 1;  ///< Of the policies' random streams.
  bool operator==(const ControllerConfig&) const = default;
};

struct AgentConfig {
  std::string name;
  NodeOffer offer;
  Duration heartbeat = std::chrono::seconds(10);    ///< Between heartbeats; 0 = none are sent.
  Duration resend_after = std::chrono::seconds(5);  ///< Between repeats of what is not acknowledged.
  Duration kill_grace = std::chrono::seconds(10);   ///< From the polite Terminate to the forced one.
  bool operator==(const AgentConfig&) const = default;
};

}  // namespace duet
