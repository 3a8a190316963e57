// The cluster and the policies, and the order of all.
#include "sim/scenario_write.h"

#include <algorithm>
#include <variant>

#include "sim/scenario_writer.h"

namespace duet::sim {

void ScenarioWriter::cluster() {
  object("cluster");
  array("countable", true);
  for (const std::string& name : scenario_.countable) out_.string(name);
  out_.close();
  object("node_types");
  // By name: the order in which types are given means nothing.
  std::vector<const NodeType*> types;
  for (const NodeType& type : scenario_.node_types) types.push_back(&type);
  std::sort(types.begin(), types.end(),
            [](const NodeType* a, const NodeType* b) { return a->name < b->name; });
  for (const NodeType* type : types) {
    object(type->name, true);
    integer("cores", type->cores());
    // Left out where there is nothing to say, so that older scenarios keep their hashes.
    if (type->reserved_cores > 0) integer("reserved_cores", type->reserved_cores);
    if (!type->zones.empty()) {
      array("zones");
      for (const std::string& zone : type->zones) out_.string(zone);
      out_.close();
    }
    integer("threads_per_core", type->offer.threads_per_core);
    if (type->speed.size() == 1) {
      number("speed_hz", type->speed.front());
    } else {
      numbers("turbo_hz", type->speed);
    }
    number("smt_yield", type->smt_yield);
    memory(type->offer.capacity.memory_bytes);
    counts(type->offer.capacity);
    if (type->power) power(*type->power);
    out_.close();
  }
  out_.close();
  nodes();
  seconds("latency_s", scenario_.latency);
  seconds("commit_delay_s", scenario_.commit_delay);
  seconds("heartbeat_s", scenario_.agent.heartbeat);
  seconds("resend_after_s", scenario_.agent.resend_after);
  seconds("kill_grace_s", scenario_.agent.kill_grace);
  integer("max_losses", scenario_.controller.max_losses);
  if (scenario_.controller.stuck_after > 0) integer("stuck_after", scenario_.controller.stuck_after);
  if (scenario_.controller.keys_kept != ControllerConfig{}.keys_kept)
    seconds("keys_kept_s", scenario_.controller.keys_kept);
  if (const MassLoss& loss = scenario_.controller.mass_loss; loss != MassLoss{}) {
    object("mass_loss", true);
    integer("percent", loss.percent);
    seconds("window_s", loss.window);
    seconds("interval_s", loss.interval);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::power(const PowerModel& power) {
  object("power");
  numbers("core_w", power.core_w);
  number("uncore_w", power.uncore_w);
  number("off_w", power.off_w);
  out_.close();
}

/// Runs of nodes of one type that are called name0, name1, ... become one entry.
void ScenarioWriter::nodes() {
  const std::vector<Node>& all = scenario_.nodes;
  array("nodes");
  for (std::size_t i = 0; i < all.size();) {
    const std::string& first = all[i].name;
    const std::string base =
        first.size() > 1 && first.ends_with('0') ? first.substr(0, first.size() - 1) : "";
    std::size_t count = 1;
    while (!base.empty() && i + count < all.size() && all[i + count].type == all[i].type &&
           all[i + count].name == base + std::to_string(count))
      ++count;
    out_.object(true);
    text("type", scenario_.node_types[all[i].type].name);
    if (count > 1) integer("count", static_cast<std::int64_t>(count));
    text("name", count > 1 ? base : first);
    out_.close();
    i += count;
  }
  out_.close();
}

void ScenarioWriter::choice(std::string_view kind, const PolicyChoice& choice) {
  object(kind, true);
  text("name", choice.name);
  for (const auto& [name, value] : choice.params.items) {
    out_.key(name);
    if (const auto* b = std::get_if<bool>(&value)) {
      out_.raw(*b ? "true" : "false");
    } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
      out_.integer(*i);
    } else if (const auto* d = std::get_if<double>(&value)) {
      std::string digits = number_text(*d);  // with a point or exponent, so that it stays a double
      if (digits.find_first_of(".e") == digits.npos) digits += ".0";
      out_.raw(digits);
    } else {
      out_.string(std::get<std::string>(value));
    }
  }
  out_.close();
}

void ScenarioWriter::policies() {
  const ControllerConfig& config = scenario_.controller;
  object("policies");
  choice("queue", config.queue);
  choice("scheduler", config.scheduler);
  choice("autoscaler", config.autoscaler);
  choice("detector", config.detector);
  choice("estimator", config.estimator);
  out_.close();
}

void canonical_json(const Scenario& scenario, const TextSink& sink) {
  ScenarioWriter(scenario, sink).write();
}

std::string canonical_json(const Scenario& scenario) {
  std::string text;
  canonical_json(scenario, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace duet::sim
