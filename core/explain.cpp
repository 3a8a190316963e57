#include "core/explain.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/check.h"
#include "core/lifecycle.h"

namespace duet {
namespace {

constexpr std::array<std::string_view, 9> kObstacleNames{"never_seen", "not_ready",  "draining",
                                                         "avoided",    "not_asking", "no_core",
                                                         "no_cpu",     "no_memory",  "no_countable"};
constexpr std::array<std::string_view, 3> kRestraintNames{"cooldown", "most_workers", "mass_loss"};
constexpr std::array<std::string_view, 7> kWhyNames{"active", "queued", "backoff", "predecessors",
                                                    "gang",   "idle",   "over"};

Objection shortage(Obstacle obstacle, const std::string& what, std::int64_t need, std::int64_t have,
                   std::string_view unit) {
  const auto amount = [&](std::int64_t n) { return std::to_string(n) + std::string(unit); };
  return {obstacle, what + ": needs " + amount(need) + ", has " + amount(have) + " free, short by " +
                        amount(need - have)};
}

void add_shortages(std::vector<Objection>& to, const Request& request, const Room& room) {
  const Resources& need = request.need;
  const Resources& have = room.free;
  if (request.exclusive && room.slots < 1) to.push_back({Obstacle::kNoCore, "no core is wholly free"});
  if (need.cpu_m > have.cpu_m) to.push_back(shortage(Obstacle::kNoCpu, "CPU", need.cpu_m, have.cpu_m, " m"));
  if (need.memory_bytes > have.memory_bytes)
    to.push_back(shortage(Obstacle::kNoMemory, "memory", need.memory_bytes, have.memory_bytes, " B"));
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    if (need.count[kind] > have.count[kind])
      to.push_back(shortage(Obstacle::kNoCountable, "countable kind " + std::to_string(kind),
                            need.count[kind], have.count[kind], ""));
}

Candidate candidate_of(const Cluster& cluster, NodeId id, const Request& request) {
  const ClusterNode& node = cluster.node(id);
  Candidate candidate{id, node.name, {}, {}, 0};
  auto& against = candidate.against;
  if (!node.known)
    against.push_back({Obstacle::kNeverSeen, "has never been seen"});
  else if (node.state != NodeState::kReady)
    against.push_back({Obstacle::kNotReady, "is " + std::string(name(node.state))});
  if (node.draining) against.push_back({Obstacle::kDraining, "is draining"});
  if (node.known) add_shortages(against, request, node.room);
  // The plan hides the node where a task of the group has just failed, as long as there is another.
  if (against.empty() && !cluster.index().fits(id, request))
    against.push_back({Obstacle::kAvoided, "avoided: a task of the job has just failed here"});
  return candidate;
}

/// The workers of a pool, each with the load it has.
Candidate candidate_of(const Pool& pool, const Cluster& cluster, std::uint32_t index,
                       const Request& request) {
  Candidate candidate{{}, pool.name + "/" + std::to_string(index), {}, {}, 0};
  auto& against = candidate.against;
  const Pool::Worker* worker = pool.find(index);
  if (worker == nullptr) {
    against.push_back({Obstacle::kNeverSeen, "is no worker at present"});
    return candidate;
  }
  candidate.node = worker->node;
  const ClusterNode& node = cluster.node(worker->node);
  candidate.name += " on " + node.name;
  if (!worker->ready) against.push_back({Obstacle::kNotReady, "does not run"});
  if (node.state != NodeState::kReady)
    against.push_back({Obstacle::kNotReady, "its node is " + std::string(name(node.state))});
  if (node.draining) against.push_back({Obstacle::kDraining, "its node is draining"});
  if (!against.empty()) return candidate;
  const Room& room = pool.index().target(NodeId{index}).room;
  if (request.need.cpu_m > room.free.cpu_m)
    against.push_back(
        shortage(Obstacle::kNoCpu, "load", request.need.cpu_m, room.free.cpu_m, " thousandths"));
  if (!pool.open(*worker)) against.push_back({Obstacle::kNotAsking, "has not asked for an operation"});
  if (against.empty() && !pool.index().fits(NodeId{index}, request))
    against.push_back({Obstacle::kAvoided, "avoided: a task of the job has just failed there"});
  return candidate;
}

void add_ranks(Choice& choice) {
  std::vector<std::size_t> order;
  for (std::size_t n = 0; n < choice.nodes.size(); ++n)
    if (choice.nodes[n].score) order.push_back(n);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return *choice.nodes[a].score > *choice.nodes[b].score;
  });
  for (std::size_t i = 0; i < order.size(); ++i)
    choice.nodes[order[i]].rank = static_cast<std::uint32_t>(i + 1);
  if (!order.empty()) choice.first = order.front();
}

/// `pool` is null for what is placed on nodes.
Choice choice_of(const Cluster& cluster, const Pool* pool, const Request& request, const Scheduler* scheduler,
                 const Rng& rng) {
  Choice choice;
  choice.request = request;
  choice.of_workers = pool != nullptr;
  const TargetIndex& index = pool != nullptr ? pool->index() : cluster.index();
  for (std::uint64_t n = 0; n < index.size(); ++n)
    choice.nodes.push_back(pool != nullptr
                               ? candidate_of(*pool, cluster, static_cast<std::uint32_t>(n), request)
                               : candidate_of(cluster, NodeId{n}, request));
  if (scheduler == nullptr) return choice;
  const Comparison comparison = scheduler->compare(request, index, rng);
  choice.measure = comparison.measure;
  for (std::size_t n = 0; n < choice.nodes.size(); ++n)
    if (comparison.score[n]) choice.nodes[n].score = *comparison.score[n] + 0.0;  // Never -0.
  add_ranks(choice);
  return choice;
}

/// For how many tasks there is room at most, if nothing stands in the way but what is taken.
std::uint64_t room_for(const TargetIndex& index, const Request& request, std::uint64_t limit) {
  std::uint64_t total = 0;
  for (std::uint64_t n = 0; n < index.size() && total < limit; ++n) {
    if (!index.fits(NodeId{n}, request)) continue;
    const Target& target = index.target(NodeId{n});
    std::uint64_t here = limit - total;
    const auto bound = [&](std::int64_t have, std::int64_t need) {
      if (need > 0) here = std::min(here, static_cast<std::uint64_t>(have / need));
    };
    bound(target.room.slots, request.exclusive ? 1 : 0);
    bound(target.room.free.cpu_m, request.exclusive ? target.slot_cpu_m : request.need.cpu_m);
    bound(target.room.free.memory_bytes, request.need.memory_bytes);
    for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
      bound(target.room.free.count[kind], request.need.count[kind]);
    total += here;
  }
  return total;
}

/// The same in a pool.
std::uint64_t room_for(const Pool& pool, const Request& request, std::uint64_t limit) {
  std::uint64_t total = 0;
  for (std::uint64_t n = 0; n < pool.index().size() && total < limit; ++n)
    if (pool.index().fits(NodeId{n}, request)) total += pool.room_for(static_cast<std::uint32_t>(n), request);
  return std::min(total, limit);
}

/// Why the pool gets no further worker for what waits in it.
void restrain_pool(std::vector<Restraint>& to, const Controller& controller, const Pool& pool, Instant now) {
  const LiveJob* workers = controller.jobs().find(pool.job);
  if (workers == nullptr) return;
  const PoolSpec& spec = *workers->spec->pool;
  if (workers->desired() >= spec.maximum) {
    to.push_back({Restraint::Kind::kMostWorkers, pool.name, {}, kNever, spec.maximum});
    return;
  }
  if (!pool.scaled_at) return;
  const Instant until = saturating_add(*pool.scaled_at, spec.cooldown_up);
  if (until > now) to.push_back({Restraint::Kind::kCooldown, pool.name, *pool.scaled_at, until, 0});
}

/// The detector has given the node up, the controller has not.
bool braked(const Controller& controller, const ClusterNode& node, Instant now) {
  return controller.config().mass_loss.percent > 0 && node.known && node.state != NodeState::kDown &&
         node.detector->assess(now) == Liveness::kDead;
}

/// Of the tasks of a group that wait, those that are placed first: the lower ones.
std::uint64_t before_in_group(const LiveGroup& group, std::uint32_t index) {
  const auto back = std::lower_bound(group.back.begin(), group.back.end(), index) - group.back.begin();
  const std::uint32_t fresh = std::min(index, group.end);
  return static_cast<std::uint64_t>(back) + (fresh > group.next ? fresh - group.next : 0);
}

/// Finds the entry of the task's group. False if there is none.
bool stand_in_queue(Standing& out, const Controller& controller, const LiveJob& job, std::uint32_t index) {
  const LiveTask& task = job.tasks[index];
  const LiveGroup& group = job.groups[task.group];
  const Pool* pool = group.pool;
  const Pending& pending = pool != nullptr ? pool->pending : controller.pending();
  for (const auto& [key, waiting] : pending.map()) {
    if (waiting.job == job.id && waiting.group == task.group) {
      out.why = Standing::Why::kQueued;
      out.tasks_ahead += before_in_group(group, index);
      out.width = waiting.width;
      out.together = waiting.together;
      out.estimate = waiting.estimate;
      out.room = pool != nullptr ? room_for(*pool, waiting.request, waiting.width)
                                 : room_for(controller.cluster().index(), waiting.request, waiting.width);
      return true;
    }
    ++out.ahead;
    out.tasks_ahead += waiting.width;
  }
  out.ahead = 0;
  out.tasks_ahead = 0;
  return false;
}

}  // namespace

std::string_view name(Obstacle obstacle) { return kObstacleNames[static_cast<std::size_t>(obstacle)]; }
std::string_view name(Restraint::Kind kind) { return kRestraintNames[static_cast<std::size_t>(kind)]; }
std::string_view name(Standing::Why why) { return kWhyNames[static_cast<std::size_t>(why)]; }

void ChoiceWatcher::choosing(const Plan& plan, const Waiting& waiting, const Scheduler* scheduler) {
  if (before_ + plan.placed() != nth_) return;
  const Pool* pool = plan.in_pool() ? static_cast<const Pool*>(&plan.places()) : nullptr;
  Choice choice = choice_of(cluster_, pool, waiting.request, scheduler, plan.rng());
  // Where nothing fits, nothing is placed: what was chosen before stands (the avoided node, too, if there is
  // no other).
  if (choice_ && scheduler != nullptr && !choice.first) return;
  choice_ = std::move(choice);
  for (const auto& [key, other] : plan.pending().map()) {
    if (other.job == waiting.job && other.group == waiting.group) break;
    ++choice_->passed;
  }
}

Standing standing(const Controller& controller, TaskId id) {
  const LiveJob* job = controller.jobs().find(id.job);
  DUET_CHECK(job != nullptr && id.index < job->tasks.size());
  const LiveTask& task = job->tasks[id.index];
  const bool rigid = job->spec->kind == JobKind::kRigid;
  const Pool* pool = job->groups[task.group].pool;
  const Pending& pending = pool != nullptr ? pool->pending : controller.pending();
  Standing out;
  out.entries = pending.size();
  if (out.entries > 0) out.head = pending.map().begin()->second.job;
  if (active(task.state)) {
    out.why = Standing::Why::kActive;
  } else if (task.state == TaskState::kIdle) {
    out.why = Standing::Why::kIdle;
  } else if (task.state != TaskState::kPending) {
    out.why = Standing::Why::kOver;
  } else if (job->blocked(task.group)) {
    out.why = Standing::Why::kPredecessors;
    for (const std::uint32_t group : job->spec->groups[task.group].after)
      if (job->dag[group].unfinished > 0) out.on.push_back(group);
  } else if (rigid && job->active > 0) {
    out.why = Standing::Why::kGang;
    for (std::uint32_t i = 0; i < job->tasks.size(); ++i)
      if (active(job->tasks[i].state)) out.on.push_back(i);
  } else if (!rigid && task.retry_at != Instant{}) {
    out.why = Standing::Why::kBackoff;  // Others of its group may stand in the queue.
    out.until = task.retry_at;
  } else if (!stand_in_queue(out, controller, *job, id.index)) {
    out.why = Standing::Why::kBackoff;  // The gang waits for the member whose backoff ends last.
    for (const LiveTask& member : job->tasks) out.until = std::max(out.until, member.retry_at);
  }
  return out;
}

std::vector<Restraint> restraints(const Controller& controller, TaskId id, Instant now) {
  std::vector<Restraint> out;
  const LiveJob* job = controller.jobs().find(id.job);
  DUET_CHECK(job != nullptr && id.index < job->tasks.size());
  const LiveTask& task = job->tasks[id.index];
  const Pool* pool = job->groups[task.group].pool;
  const bool placed = active(task.state);
  if (!placed && task.state != TaskState::kPending) return out;
  if (!placed && pool != nullptr) restrain_pool(out, controller, *pool, now);
  const Cluster& cluster = controller.cluster();
  for (std::uint64_t n = 0; n < cluster.size(); ++n)
    if ((!placed || task.node == NodeId{n}) && braked(controller, cluster.node(NodeId{n}), now))
      out.push_back({Restraint::Kind::kMassLoss, cluster.node(NodeId{n}).name, {}, kNever, 0});
  return out;
}

Choice choice_now(const Controller& controller, TaskId id) {
  const LiveJob* job = controller.jobs().find(id.job);
  DUET_CHECK(job != nullptr && id.index < job->tasks.size());
  const LiveGroup& group = job->groups[job->tasks[id.index].group];
  return choice_of(controller.cluster(), group.pool, group.request, controller.scheduler_of(*job, group),
                   controller.scheduler_rng());
}

}  // namespace duet
