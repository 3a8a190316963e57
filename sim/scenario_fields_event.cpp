// The fields of what happens during a run: requests of operators, faults.
#include "sim/scenario_field_makers.h"

namespace duet::sim::fields {
namespace {

constexpr Field kEventFields[] = {
    at_s(S::kEvent),
    plain(S::kEvent, "cancel", kName, "", "The job of this `id`."),
    plain(S::kEvent, "scale", kName, "", "The service of this `id` is to have so many `replicas`."),
    integer(S::kEvent, "replicas", "replicas", 0, kMillion, "", "With `scale`: how many."),
    plain(S::kEvent, "update", kName, "",
          "The service of this `id` is to run `to` instead, replica by replica."),
    nested(S::kEvent, "to", kObject, S::kGroup, "With `update`: the new replicas; `tasks` says how many."),
    plain(S::kEvent, "submit_again", kName, "",
          "The listed job of this `id` is submitted once more, under the same idempotency key: as by someone "
          "who got no answer."),
    plain(S::kEvent, "changed", kFlag, "false",
          "With `submit_again`: as another job (of one retry more), which must be refused."),
    plain(S::kEvent, "drain", kName, "", "This node gets no new tasks."),
    plain(S::kEvent, "evict", kName, "", "As `drain`, and its tasks are ended and run elsewhere."),
    plain(S::kEvent, "undrain", kName, "", "This node gets tasks again."),

    at_s(S::kFault),
    plain(S::kFault, "crash", kName, "",
          "This node stops with all that runs on it. Does nothing to one that is off."),
    plain(S::kFault, "restart", kName, "", "This node is back, empty. Does nothing to a node that is on."),
    nested(S::kFault, "slow_node", kObject, S::kSlowNode, "Operations on a node take longer for a while."),
    nested(S::kFault, "partition", kObject, S::kPartition,
           "Messages between the controller and some nodes are lost."),
    nested(S::kFault, "network", kObject, S::kNetworkFault,
           "Messages are lost, repeated and late at random: as `/network`, for a while."),
    nested(S::kFault, "clock_skew", kObject, S::kClockSkew, "The clock of a node's agent is wrong."),
    nested(S::kFault, "controller_restart", kObject, S::kControllerRestart,
           "The controller dies; another one starts from the store."),
    nested(S::kFault, "store_delay", kObject, S::kStoreDelay, "Records take longer to become durable."),
    nested(S::kFault, "store_failure", kObject, S::kStoreFailure, "Records cannot be stored."),
    nested(S::kFault, "agent_restart", kObject, S::kAgentRestart,
           "A node's agent dies, and what it runs goes on; another agent takes it over."),
    nested(S::kFault, "stuck_node", kObject, S::kStuckNode,
           "A node starts nothing, though its agent goes on: launches wait."),
    nested(S::kFault, "unhealthy", kObject, S::kUnhealthy, "Attempts of a job fail their health checks."),

    node(S::kSlowNode),
    required({.section = S::kSlowNode,
              .name = "factor",
              .type = kNumber,
              .min = 1,
              .max = kMillion,
              .doc = "Its speed is divided by this."}),
    until(S::kSlowNode),
    lasts(S::kSlowNode),

    required(plain(S::kPartition, "nodes", kNames, "", "Those that are cut off.")),
    choice(S::kPartition, "direction", "both|to_agent|to_controller", "\"both\"",
           "Which messages are lost: those to the agents, those to the controller, or both."),
    until(S::kPartition),
    lasts(S::kPartition),

    loss(S::kNetworkFault),
    duplicate(S::kNetworkFault),
    delay(S::kNetworkFault),
    max_delay(S::kNetworkFault),
    plain(S::kNetworkFault, "nodes", kNames, "", "Those whose messages suffer; by default all."),
    until(S::kNetworkFault),
    lasts(S::kNetworkFault),

    node(S::kClockSkew),
    {.section = S::kClockSkew,
     .name = "rate",
     .type = kRatio,
     .min = 0.5,
     .max = 2,
     .fallback = "1",
     .doc = "How fast it goes: 1.01 = fast by a hundredth."},
    seconds(S::kClockSkew, "offset_s", "0",
            "How far it jumps at the start; a monotone clock never goes back."),
    until(S::kClockSkew),
    lasts(S::kClockSkew),

    until(S::kControllerRestart),
    lasts(S::kControllerRestart),

    required(seconds(S::kStoreDelay, "delay_s", "", "What a commit takes at least.")),
    until(S::kStoreDelay),
    lasts(S::kStoreDelay),

    until(S::kStoreFailure),
    lasts(S::kStoreFailure),

    node(S::kAgentRestart),
    until(S::kAgentRestart),
    lasts(S::kAgentRestart),

    node(S::kStuckNode),
    until(S::kStuckNode),
    lasts(S::kStuckNode),

    required(plain(S::kUnhealthy, "job", kName, "", "The job of this `id`, which has a `health` check.")),
    integer(S::kUnhealthy, "task", "", 0, kMillion, "", "Only its task, or replica, of this index."),
    plain(S::kUnhealthy, "new_attempts", kFlag, "false",
          "Attempts that begin while it lasts fail them, too; else they are healthy."),
    until(S::kUnhealthy),
    lasts(S::kUnhealthy),

    loss(S::kNetwork),
    duplicate(S::kNetwork),
    delay(S::kNetwork),
    max_delay(S::kNetwork),
    seconds(S::kNetwork, "until_s", "", "From then on every message arrives; by default never."),
};

}  // namespace

std::span<const Field> event_fields() { return kEventFields; }

}  // namespace duet::sim::fields
