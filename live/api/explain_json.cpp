#include "live/api/explain_json.h"

#include <nlohmann/json.hpp>

#include "core/explain.h"
#include "core/lifecycle.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

using ExplainJson = nlohmann::ordered_json;

ExplainJson standing_json(const Standing& standing) {
  ExplainJson json;
  json["why"] = name(standing.why);
  if (standing.why == Standing::Why::kQueued) {
    json["entries_ahead"] = standing.ahead;
    json["tasks_ahead"] = standing.tasks_ahead;
    json["entries"] = standing.entries;
    if (standing.head) json["first_in_queue"] = standing.head->value;
    json["tasks_of_entry"] = standing.width;
    json["together"] = standing.together;
    json["room_for"] = standing.room;
    if (standing.estimate) json["estimate_s"] = static_cast<double>(to_ns(*standing.estimate)) / 1e9;
  }
  if (standing.why == Standing::Why::kBackoff) json["until"] = rfc3339(standing.until);
  if (!standing.on.empty()) json["waits_for"] = standing.on;
  return json;
}

ExplainJson restraint_json(const Restraint& restraint) {
  ExplainJson json;
  json["by"] = name(restraint.kind);
  json["what"] = restraint.what;
  if (restraint.kind == Restraint::Kind::kCooldown) json["since"] = rfc3339(restraint.since);
  if (restraint.until != kNever) json["until"] = rfc3339(restraint.until);
  if (restraint.kind == Restraint::Kind::kMostWorkers) json["count"] = restraint.count;
  return json;
}

ExplainJson candidate_json(const Candidate& candidate) {
  ExplainJson json;
  json["name"] = candidate.name;
  json["fits"] = candidate.against.empty();
  ExplainJson against = ExplainJson::array();
  for (const Objection& objection : candidate.against) {
    ExplainJson one;
    one["obstacle"] = name(objection.obstacle);
    one["text"] = objection.text;
    against.push_back(std::move(one));
  }
  json["against"] = std::move(against);
  if (candidate.score) json["score"] = *candidate.score;
  if (candidate.rank > 0) json["rank"] = candidate.rank;
  return json;
}

}  // namespace

std::string explain_json(const Controller& machine, TaskId task, Instant now) {
  const LiveJob& job = machine.jobs().at(task.job);
  const LiveTask& live = job.tasks[task.index];
  ExplainJson json;
  json["task"] = id_text(task);
  json["name"] = job.spec->key;
  json["state"] = name(live.state);
  json["attempt"] = live.attempt;
  if (active(live.state)) json["node"] = machine.cluster().node(live.node).name;
  json["queue"] = machine.config().queue.name;
  json["scheduler"] = job.spec->scheduler.empty() ? machine.config().scheduler.name : job.spec->scheduler;
  json["standing"] = standing_json(standing(machine, task));
  ExplainJson held_back = ExplainJson::array();
  for (const Restraint& restraint : restraints(machine, task, now))
    held_back.push_back(restraint_json(restraint));
  json["held_back"] = std::move(held_back);
  if (!terminal(live.state)) {
    const Choice choice = choice_now(machine, task);
    json["measure"] = choice.measure;
    ExplainJson nodes = ExplainJson::array();
    for (const Candidate& candidate : choice.nodes) nodes.push_back(candidate_json(candidate));
    json["nodes"] = std::move(nodes);
  }
  return json.dump();
}

}  // namespace duet::live
