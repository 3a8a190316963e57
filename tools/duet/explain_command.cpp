// duet explain: why a task is where it is, or why it waits.
#include <charconv>

#include "core/codec/cat.h"
#include "core/codec/explain_trace.h"
#include "core/codec/render.h"
#include "core/lifecycle.h"
#include "sim/diagnostics.h"
#include "sim/json_write.h"
#include "sim/terminal.h"
#include "tools/duet/guarded.h"
#include "tools/duet/instant_option.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/run_folder.h"

namespace duet::front {
namespace {

using codec::seconds_text;
using codec::TaskExplanation;
using sim::Cell;
using sim::Table;
using Why = Standing::Why;

std::string verdict_of(const TaskExplanation& told, std::size_t n) {
  const Candidate& node = told.choice->nodes[n];
  if (told.placed && told.chosen() == n) return "chosen";
  if (!node.against.empty())
    return node.against.front().obstacle == Obstacle::kAvoided ? "avoided" : "refused";
  return node.score || told.choice->nodes.size() == 1 || !told.choice->first ? "fits" : "not drawn";
}

std::string reasons(const Candidate& node) {
  std::string text;
  for (const Objection& objection : node.against) text += (text.empty() ? "" : "; ") + objection.text;
  return text;
}

std::string obstacles(const Candidate& node) {
  std::string text;
  for (const Objection& objection : node.against)
    text += (text.empty() ? "" : " ") + std::string(name(objection.obstacle));
  return text;
}

/// Exact for programs, short for people.
std::string score_text(double score, Format format) {
  if (format != Format::kTable) return sim::number_text(score);
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, score, std::chars_format::general, 6).ptr;
  return {digits, end};
}

Table nodes_of(const TaskExplanation& told, Format format) {
  Table table{{"node", "verdict", "rank", "score", "why"}, {}};
  if (format != Format::kTable) table.columns.emplace_back("obstacles");
  if (!told.choice) return table;
  for (std::size_t n = 0; n < told.choice->nodes.size(); ++n) {
    const Candidate& node = told.choice->nodes[n];
    table.rows.push_back({node.name, verdict_of(told, n),
                          node.rank > 0 ? Cell(std::uint64_t{node.rank}) : Cell(),
                          node.score ? Cell::plain(score_text(*node.score, format)) : Cell(), reasons(node)});
    if (format != Format::kTable) table.rows.back().emplace_back(obstacles(node));
  }
  return table;
}

Table story_of(const TaskExplanation& told, Format format) {
  const bool people = format == Format::kTable;
  Table table{{people ? "at" : "at_ns", "step", "attempt", "state", "node", "why"}, {}};
  const auto at = [&](std::int64_t ns) {
    return people ? Cell(seconds_text(ns)) : Cell::plain(std::to_string(ns));
  };
  for (const codec::Chapter& chapter : told.story)
    table.rows.push_back({at(to_ns(chapter.at)), chapter.step, std::uint64_t{chapter.attempt},
                          name(chapter.state), chapter.node, chapter.why});
  return table;
}

std::string need_of(const Choice& choice) {
  const Request& request = choice.request;
  if (choice.of_workers) return std::to_string(request.need.cpu_m) + " thousandths of a worker";
  std::string text = request.exclusive ? "a whole core" : std::to_string(request.need.cpu_m) + " m of CPU";
  if (request.need.memory_bytes > 0)
    text += ", " + std::to_string(request.need.memory_bytes / kMiB) + " MiB of memory";
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    if (request.need.count[kind] > 0)
      text += ", " + std::to_string(request.need.count[kind]) + " of countable kind " + std::to_string(kind);
  return text;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string numbers(const std::vector<std::uint32_t>& values) {
  std::vector<std::string> words;
  for (const std::uint32_t value : values) words.push_back(std::to_string(value));
  return listed(words);
}

std::string many(std::uint64_t n, const std::string& one, const std::string& more) {
  return std::to_string(n) + ' ' + (n == 1 ? one : more);
}

/// For what is waiting there is room, or not.
std::string room_text(const TaskExplanation& told, const Standing& standing) {
  const bool operation = !told.pool.empty();
  if (standing.together && standing.width > 1)
    return "its gang of " + std::to_string(standing.width) + " starts together, and there is room for " +
           std::to_string(standing.room);
  if (standing.room == 0) return operation ? "no worker has room" : "no node has room";
  return "there is room for " + std::to_string(standing.room) + " of its " +
         (operation ? many(standing.width, "operation", "operations")
                    : many(standing.width, "task", "tasks"));
}

std::string queue_text(const TaskExplanation& told, const Standing& standing) {
  const std::string entry =
      "entry " + std::to_string(standing.ahead + 1) + " of " + std::to_string(standing.entries);
  std::string text = told.pool.empty() ? "stands in the queue " + told.queue + ", " + entry
                                       : "waits in pool " + sim::backquoted(told.pool) + ": " +
                                             many(standing.tasks_ahead, "operation", "operations") +
                                             " before it (first come, first served), " + entry;
  text += "; " + room_text(told, standing);
  if (standing.room >= standing.width && standing.ahead > 0) text += ", but what is ahead of it comes first";
  if (standing.estimate)
    text += "; started now, it would by its estimate end at " +
            seconds_text(to_ns(saturating_add(told.at, *standing.estimate)));
  return text;
}

/// Why it waits, in words.
std::string standing_text(const TaskExplanation& told) {
  const Standing& standing = *told.standing;
  switch (standing.why) {
    case Why::kActive:
      return "has a place";
    case Why::kQueued:
      return queue_text(told, standing);
    case Why::kBackoff:
      return "failed, and waits out a backoff until " + seconds_text(to_ns(standing.until));
    case Why::kPredecessors:
      return "waits for group" + std::string(standing.on.size() == 1 ? " " : "s ") + numbers(standing.on) +
             " of its job to succeed";
    case Why::kGang:
      return "waits for the other tasks of its gang to end: " + numbers(standing.on);
    case Why::kIdle:
      return "is a replica that is not desired at present";
    case Why::kOver:
      break;
  }
  return "has ended";
}

std::string reservation_text(const TaskExplanation& told) {
  const auto& reserved = *told.reserved;
  std::string text = reserved.job == told.task.job
                         ? std::string("it is the head of the queue")
                         : "the head of the queue, job " + std::to_string(reserved.job.value) + ",";
  text += reserved.job == told.task.job ? " and" : "";
  if (reserved.at == kNever)
    return text + " has no reservation: the estimates do not tell when there is room";
  text += " has a reservation from " + seconds_text(to_ns(reserved.at));
  if (!told.reserved_nodes.empty()) text += " on " + listed(told.reserved_nodes);
  return text + "; what starts before must not delay it";
}

/// What a rule holds back, a line each; nodes that the brake holds are one.
std::string restraints_text(const TaskExplanation& told) {
  constexpr std::size_t kListedNodes = 8;
  std::string text;
  std::vector<std::string> silent;
  for (const Restraint& restraint : told.restraints) {
    const std::string pool = "  held back pool " + sim::backquoted(restraint.what);
    if (restraint.kind == Restraint::Kind::kCooldown)
      text += pool + " gets no further worker before " + seconds_text(to_ns(restraint.until)) +
              ": their number changed at " + seconds_text(to_ns(restraint.since)) +
              ", and this is its cooldown\n";
    if (restraint.kind == Restraint::Kind::kMostWorkers)
      text += pool + " has as many workers as it may have: " + std::to_string(restraint.count) + "\n";
    if (restraint.kind == Restraint::Kind::kMassLoss) silent.push_back(restraint.what);
  }
  if (silent.empty()) return text;
  const std::size_t more = silent.size() - std::min(silent.size(), kListedNodes);
  silent.resize(silent.size() - more);
  return text + "  held back " + sim::printable(listed(silent)) +
         (more > 0 ? " and " + std::to_string(more) + " more" : "") +
         ": silent for too long, but not given up yet: in a mass loss the brake lets nodes go one by one\n";
}

std::string placed_on(const TaskExplanation& told) {
  if (told.choice && told.chosen() < told.choice->nodes.size())
    return sim::printable(told.choice->nodes[told.chosen()].name);
  return "node " + std::to_string(told.placed->node.value);
}

std::string headline(const TaskExplanation& told) {
  std::string text = "task " + codec::to_text(told.task);
  if (!told.key.empty()) text += " of job " + sim::backquoted(told.key);
  if (told.placed)
    text += ", attempt " + std::to_string(told.placed->attempt) + ": placed on " + placed_on(told) + " at " +
            seconds_text(to_ns(told.at)) + " (step " + std::to_string(told.step) + ")";
  else if (told.standing && told.standing->why != Why::kOver)
    text += (told.state_then ? " at " : " at the end of the trace, ") + seconds_text(to_ns(told.at));
  else
    text += ": ended without ever having a place";
  text += "\n";
  if (told.placed && told.asked)
    text += "  then      " + std::string(name(*told.state_then)) + ", at " +
            seconds_text(to_ns(*told.asked)) + "\n";
  if (!told.choice) return text + restraints_text(told);
  text += "  needs     " + need_of(*told.choice) + "\n";
  if (told.standing) text += "  now       " + standing_text(told) + "\n";
  if (told.reserved) text += "  reserved  " + reservation_text(told) + "\n";
  text += restraints_text(told);
  if (told.placed)
    text += "  queue     " + (told.pool.empty() ? told.queue : "of pool " + sim::backquoted(told.pool)) +
            (told.choice->passed == 0
                 ? ": nothing was ahead of it\n"
                 : ": started past " + many(told.choice->passed, "entry that was", "entries that were") +
                       " ahead of it and had to wait\n");
  if (told.choice->measure.empty())
    return text +
           "  scheduler not asked: the queue itself takes the lowest nodes that leave its reservation "
           "alone\n";
  return text + "  scheduler " + told.scheduler + "; score: " + std::string(told.choice->measure) +
         (told.choice->of_workers ? " (of a worker, thousandths)" : "") +
         "; the highest wins, the first among equals\n";
}

void write_standing(sim::JsonWriter& json, const Standing& standing) {
  json.object();
  json.key("why"), json.string(name(standing.why));
  json.key("ahead"), json.integer(static_cast<std::int64_t>(standing.ahead));
  json.key("tasks_ahead"), json.integer(static_cast<std::int64_t>(standing.tasks_ahead));
  json.key("entries"), json.integer(static_cast<std::int64_t>(standing.entries));
  json.key("width"), json.integer(standing.width);
  json.key("together"), json.raw(standing.together ? "true" : "false");
  json.key("room"), json.integer(static_cast<std::int64_t>(standing.room));
  json.key("estimate_ns"), standing.estimate ? json.integer(to_ns(*standing.estimate)) : json.raw("null");
  json.key("until_ns");
  standing.why == Why::kBackoff ? json.integer(to_ns(standing.until)) : json.raw("null");
  json.key("waits_for"), json.raw("[" + numbers(standing.on) + "]");
  json.close();
}

void write_restraints(sim::JsonWriter& json, const std::vector<Restraint>& restraints) {
  json.array();
  for (const Restraint& restraint : restraints) {
    const bool cooldown = restraint.kind == Restraint::Kind::kCooldown;
    json.object(true);
    json.key("by"), json.string(name(restraint.kind));
    json.key("what"), json.string(restraint.what);
    json.key("since_ns"), cooldown ? json.integer(to_ns(restraint.since)) : json.raw("null");
    json.key("until_ns"), cooldown ? json.integer(to_ns(restraint.until)) : json.raw("null");
    json.close();
  }
  json.close();
}

/// A table as part of a document.
std::string part(const Table& table) {
  std::string text = to_text(table, Format::kJson);
  text.pop_back();
  return text;
}

std::string json_of(const TaskExplanation& told) {
  std::string out;
  sim::JsonWriter json([&](std::string_view text) { out += text; });
  json.object();
  json.key("task"), json.string(codec::to_text(told.task));
  json.key("job_key"), json.string(told.key);
  json.key("submitted_ns"), json.integer(to_ns(told.submitted));
  json.key("queue"), json.string(told.queue);
  json.key("scheduler"), json.string(told.scheduler);
  json.key("pool"), told.pool.empty() ? json.raw("null") : json.string(told.pool);
  json.key("asked_ns"), told.asked ? json.integer(to_ns(*told.asked)) : json.raw("null");
  json.key("state_then"), told.state_then ? json.string(name(*told.state_then)) : json.raw("null");
  json.key("attempt"), told.placed ? json.integer(told.placed->attempt) : json.raw("null");
  json.key("at_ns"), json.integer(to_ns(told.at));
  json.key("step"), json.integer(static_cast<std::int64_t>(told.step));
  json.key("passed");
  told.placed&& told.choice ? json.integer(static_cast<std::int64_t>(told.choice->passed)) : json.raw("null");
  json.key("standing");
  told.standing ? write_standing(json, *told.standing) : json.raw("null");
  json.key("reserved");
  if (told.reserved) {
    json.object(true);
    json.key("job"), json.integer(static_cast<std::int64_t>(told.reserved->job.value));
    json.key("from_ns");
    told.reserved->at == kNever ? json.raw("null") : json.integer(to_ns(told.reserved->at));
    json.key("nodes"), json.array();
    for (const std::string& node : told.reserved_nodes) json.string(node);
    json.close();
    json.close();
  } else {
    json.raw("null");
  }
  json.key("held_back"), write_restraints(json, told.restraints);
  json.key("measure"), told.choice ? json.string(told.choice->measure) : json.raw("null");
  json.key("story"), json.raw(part(story_of(told, Format::kJson)));
  json.key("nodes"), json.raw(part(nodes_of(told, Format::kJson)));
  json.close();
  json.finish();
  return out;
}

std::string text_of(const TaskExplanation& told, Format format) {
  if (format == Format::kJson) return json_of(told);
  if (format == Format::kCsv) return to_text(nodes_of(told, format), format);
  std::string text = headline(told) + "\n" + to_text(story_of(told, format), format);
  if (told.choice) text += "\n" + to_text(nodes_of(told, format), format);
  return text;
}

int explain_here(const ExplainCommand& command, const std::string& trace,
                 const codec::ExplainQuestion& question, std::atomic<std::uint64_t>& step) {
  const auto told = codec::explain_task(trace, question, &step);
  if (!told) return refuse(told.problems());
  if (told->unfinished) sim::say("note: " + trace + ": " + *told->unfinished + '\n');
  return sim::print(text_of(*told, command.format)) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace

int run(const ExplainCommand& command) {
  if (command.task.empty()) return explain_live(command);
  const std::string trace = trace_of(command.run);
  const auto id = codec::attempt_by_text(command.task);
  if (!id) return refuse(id.problems());
  codec::ExplainQuestion question{id->task, id->number};
  if (!command.at.empty()) {
    const auto at = instant_from("--at", command.at);
    if (!at) return refuse(at.problems());
    if (id->number != 0)
      return refuse({{"--at", "an attempt was named, which was placed when it was",
                      codec::to_text(id->task) + " --at " + command.at}});
    question.at = *at;
  }
  return guarded(trace, [&](auto& step) { return explain_here(command, trace, question, step); });
}

}  // namespace duet::front
