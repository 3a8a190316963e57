// The result files that say what a run went through: its nodes, their states, and attempts that were not the
// last.
#include "core/codec/render.h"
#include "core/lifecycle.h"
#include "sim/outputs.h"
#include "sim/slot_text.h"
#include "sim/table.h"

namespace duet::sim {
namespace {

constexpr std::string_view kNodeColumns = "node,type,cores,threads_per_core,reserved_cores,zones\n";
constexpr std::string_view kAttemptColumns = "task_id,attempt,node,slot,outcome,start,end,threads\n";
constexpr std::string_view kNodeStateColumns = "time,node,state,draining\n";

void append_where(std::string& out, const EarlierAttempt& attempt, const RunReport& report) {
  const Scenario& scenario = *report.scenario;
  const Node& node = scenario.nodes[attempt.node];
  append_csv(out, node.name);
  out += ',';
  std::string slot;
  append_slot(slot, scenario.node_types[node.type], report.results->thread_sets[attempt.threads]);
  append_csv(out, slot);
}

}  // namespace

void write_nodes(const RunReport& report, codec::TextSink& to) {
  to.write(kNodeColumns);
  std::string line;
  for (const Node& node : report.scenario->nodes) {
    const NodeType& type = report.scenario->node_types[node.type];
    line.clear();
    append_csv(line, node.name);
    line += ',';
    append_csv(line, type.name);
    for (const std::uint32_t number : {type.offer.cores, type.offer.threads_per_core, type.reserved_cores}) {
      line += ',';
      codec::append_number(line, number);
    }
    line += ',';
    std::string zones;
    for (const std::string& zone : type.zones) zones += (zones.empty() ? "" : " ") + zone;
    append_csv(line, zones);
    to.write(line += '\n');
  }
}

void write_attempts(const RunReport& report, codec::TextSink& to) {
  to.write(kAttemptColumns);
  std::string line;
  for (const EarlierAttempt& attempt : report.results->earlier) {
    line.clear();
    codec::append_text(line, attempt.id.task);
    line += ',';
    codec::append_number(line, attempt.id.number);
    line += ',';
    if (attempt.id.number > 0) {
      append_where(line, attempt, report);
      line += ',';
      line += name(attempt.outcome);
    } else {
      line += ',';
      line += ',';
    }
    line += ',';
    append_csv_instant(line, attempt.started);
    line += ',';
    append_csv_instant(line, attempt.ended);
    line += ',';
    if (attempt.started != kNever) codec::append_number(line, attempt.width);
    to.write(line += '\n');
  }
}

void write_node_states(const RunReport& report, codec::TextSink& to) {
  to.write(kNodeStateColumns);
  std::string line;
  for (const NodeChange& change : report.results->node_changes) {
    line.clear();
    append_csv_instant(line, change.at);
    line += ',';
    append_csv(line, report.scenario->nodes[change.node].name);
    line += ',';
    line += name(change.state);
    line += change.draining ? ",1\n" : ",0\n";
    to.write(line);
  }
}

}  // namespace duet::sim
