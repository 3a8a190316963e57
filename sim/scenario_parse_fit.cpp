// Can a job ever run on this cluster? A user should learn it now, not from a run that never ends.
#include <algorithm>
#include <limits>

#include "sim/decimal.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

constexpr std::uint64_t kMaxTasks = 100'000'000;

/// One dimension in which a task needs more than an empty node has.
struct Shortage {
  std::string text;
  const JsonPlace* place = nullptr;
};

std::string amount(std::int64_t value, std::string_view unit) {
  return std::to_string(value) + ' ' + std::string(unit);
}

Shortage shortage(std::int64_t need, std::int64_t have, std::int64_t unit, std::string_view name,
                  const JsonPlace& place) {
  return {"needs " + amount(need / unit, name) + ", has " + std::to_string(have / unit) + ", short by " +
              std::to_string((need - have) / unit),
          &place};
}

std::vector<Shortage> shortages(const Context& context, const TaskSpec& spec, const Resources& have,
                                const NeedPlaces& places) {
  std::vector<Shortage> found;
  const Resources& need = spec.need;
  if (need.cpu_m > have.cpu_m) {
    const bool whole = need.cpu_m % kThread == 0;
    found.push_back(shortage(need.cpu_m, have.cpu_m, whole ? kThread : 1,
                             whole ? "hardware threads" : "millicores", places.cpu));
  }
  if (need.memory_bytes > have.memory_bytes)
    found.push_back(shortage(need.memory_bytes, have.memory_bytes, kMiB, "MiB of memory", places.memory));
  for (std::size_t i = 0; i < context.out.countable.size(); ++i)
    if (need.count[i] > have.count[i])
      found.push_back(
          shortage(need.count[i], have.count[i], 1, printable(context.out.countable[i]), places.count));
  return found;
}

/// How many such tasks an empty node holds.
std::int64_t held(const TaskSpec& spec, const NodeOffer& offer) {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto limit = [&](std::int64_t need, std::int64_t have) {
    if (need > 0) most = std::min(most, have / need);
  };
  if (spec.exclusive) limit(1, offer.cores);
  limit(spec.need.cpu_m, offer.capacity.cpu_m);
  limit(spec.need.memory_bytes, offer.capacity.memory_bytes);
  for (std::size_t i = 0; i < kCountableKinds; ++i) limit(spec.need.count[i], offer.capacity.count[i]);
  return most;
}

void report_no_node(Context& context, const TaskSpec& spec, const NeedPlaces& places) {
  constexpr std::size_t kShownTypes = 4;
  std::string hint;
  const JsonPlace* only = nullptr;  // the one thing that is too much on every kind of node
  bool several = false;
  std::size_t types = 0;
  for (std::size_t i = 0; i < context.out.node_types.size(); ++i) {
    if (context.used[i] == 0) continue;
    if (types++ == kShownTypes) {
      hint += "; ...";
      break;
    }
    const NodeType& type = context.out.node_types[i];
    hint += (hint.empty() ? "a " : "; a ") + backquoted(type.name) + " node: ";
    bool first = true;
    for (const Shortage& one : shortages(context, spec, type.offer.capacity, places)) {
      hint += (first ? "" : "; ") + one.text;
      first = false;
      several = several || (only != nullptr && only != one.place);
      only = one.place;
    }
  }
  const JsonPlace place = several || only == nullptr ? places.job : *only;
  context.mistakes.add(place, "this job can never run: no node can hold a task of it", hint);
}

}  // namespace

void count_tasks(Context& context, std::uint64_t tasks, const JsonPlace& place) {
  const bool fine = context.tasks <= kMaxTasks;
  context.tasks += tasks;
  if (fine && context.tasks > kMaxTasks)
    context.mistakes.add(place,
                         "from here on there are more than " + std::to_string(kMaxTasks) + " tasks in all");
}

std::uint64_t room_for(const Context& context, const TaskSpec& spec) {
  constexpr std::int64_t kMost = 1'000'000;
  std::uint64_t room = 0;
  for (std::size_t i = 0; i < context.out.node_types.size() && context.cluster_known; ++i)
    if (context.used[i] > 0)
      room += static_cast<std::uint64_t>(std::min(held(spec, context.out.node_types[i].offer), kMost)) *
              context.used[i];
  return std::clamp<std::uint64_t>(room, 1, kMost);
}

bool check_fits(Context& context, const TaskSpec& spec, std::uint32_t tasks, bool together,
                const NeedPlaces& places) {
  if (!context.cluster_known) return true;
  std::int64_t room = 0;  // for tasks, on the whole cluster
  for (std::size_t i = 0; i < context.out.node_types.size() && room < tasks; ++i)
    if (context.used[i] > 0) {
      const std::int64_t each = std::min<std::int64_t>(held(spec, context.out.node_types[i].offer), tasks);
      room += each * static_cast<std::int64_t>(context.used[i]);
    }
  if (room == 0) {
    report_no_node(context, spec, places);
    return false;
  }
  if (together && room < tasks) {
    context.mistakes.add(places.tasks,
                         "this job can never run: its tasks start together, and the cluster cannot hold them",
                         "needs room for " + std::to_string(tasks) + " of them, has " + std::to_string(room) +
                             ", short by " + std::to_string(tasks - room));
    return false;
  }
  if (context.queue == nullptr) return true;
  Waiting waiting;
  waiting.request = {spec.need, spec.exclusive};
  waiting.width = tasks;
  waiting.together = together;
  const std::string_view why = context.queue->refuses(waiting, context.identical_nodes);
  if (why.empty()) return true;
  context.mistakes.add(
      places.job, "the queue policy " + backquoted(context.out.controller.queue.name) + " refuses this job",
      std::string(why));
  return false;
}

}  // namespace duet::sim::parsing
