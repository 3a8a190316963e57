// /events, /faults and /network of the canonical JSON.
#include "sim/scenario_writer.h"

namespace duet::sim {

void ScenarioWriter::events() {
  using Kind = OperatorEvent::Kind;
  array("events");
  for (const OperatorEvent& event : scenario_.events) {
    out_.object(true);
    instant("at_s", event.at);
    if (event.kind == Kind::kCancel) {
      text("cancel", event.job);
    } else if (event.kind == Kind::kScale) {
      text("scale", event.job);
      integer("replicas", event.replicas);
    } else if (event.kind == Kind::kUpdate) {
      text("update", event.job);
      object("to");
      group(event.spec->groups.front(), "tasks");
      out_.close();
    } else if (event.kind == Kind::kSubmitAgain) {
      text("submit_again", event.job);
      flag("changed", event.changed);
    } else
      text(event.kind == Kind::kDrain   ? "drain"
           : event.kind == Kind::kEvict ? "evict"
                                        : "undrain",
           scenario_.nodes[event.node].name);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::faults() {
  array("faults");
  for (const Fault& fault : scenario_.faults) {
    out_.object(true);
    instant("at_s", fault.at);
    if (fault.lasts())
      lasting(fault);
    else
      text(fault.kind == Fault::Kind::kCrash ? "crash" : "restart", scenario_.nodes[fault.node].name);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::lasting(const Fault& fault) {
  using Kind = Fault::Kind;
  const auto nodes = [&] {
    array("nodes");
    for (const std::uint32_t node : fault.nodes) out_.string(scenario_.nodes[node].name);
    out_.close();
  };
  switch (fault.kind) {
    case Kind::kSlowNode:
      object("slow_node");
      text("node", scenario_.nodes[fault.node].name);
      number("factor", fault.factor);
      break;
    case Kind::kPartition:
      object("partition");
      nodes();
      text("direction", fault.direction == Fault::Direction::kBoth      ? "both"
                        : fault.direction == Fault::Direction::kToAgent ? "to_agent"
                                                                        : "to_controller");
      break;
    case Kind::kNetwork:
      object("network");
      messages(fault.messages);
      if (fault.nodes.size() < scenario_.nodes.size()) nodes();
      break;
    case Kind::kClockSkew:
      object("clock_skew");
      text("node", scenario_.nodes[fault.node].name);
      raw("rate", decimal(fault.rate_ppm, 6));
      seconds("offset_s", fault.delay);
      break;
    case Kind::kAgentRestart:
    case Kind::kStuckNode:
      object(fault.kind == Kind::kStuckNode ? "stuck_node" : "agent_restart");
      text("node", scenario_.nodes[fault.node].name);
      break;
    case Kind::kUnhealthy:
      object("unhealthy");
      text("job", fault.job);
      if (fault.task) integer("task", *fault.task);
      flag("new_attempts", fault.new_attempts);
      break;
    case Kind::kStoreDelay:
      object("store_delay");
      seconds("delay_s", fault.delay);
      break;
    default:
      object(fault.kind == Kind::kControllerRestart ? "controller_restart" : "store_failure");
      break;
  }
  if (fault.until != kNever) instant("until_s", fault.until);
  out_.close();
}

void ScenarioWriter::messages(const MessageFaults& messages) {
  raw("loss", decimal(messages.loss_ppm, 6));
  raw("duplicate", decimal(messages.duplicate_ppm, 6));
  raw("delay", decimal(messages.delay_ppm, 6));
  seconds("max_delay_s", messages.max_delay);
}

void ScenarioWriter::network() {
  const NetworkFaults& network = scenario_.network;
  object("network", true);
  messages(network);
  if (network.any() && network.until != kNever) instant("until_s", network.until);
  out_.close();
}

}  // namespace duet::sim
