// Nodes come, go silent, are fenced and come back.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {
namespace {

auto find(std::vector<PastBoot>& boots, BootNonce boot) {
  return std::find_if(boots.begin(), boots.end(), [&](const PastBoot& past) { return past.boot == boot; });
}

/// True if a registration is not news: another of the same life came after it. An earlier life may come back:
/// the one that took its place may have been older still, and its registration late.
bool late(ClusterNode& node, BootNonce boot, std::uint32_t serial) {
  if (node.boot == boot) return serial < node.register_serial;
  const auto past = find(node.past_boots, boot);
  return past != node.past_boots.end() && serial <= past->register_serial;
}

/// Messages hardly outlive more lives than this: an agent that restarts every half second, for half a minute.
constexpr std::size_t kBootsRemembered = 64;

/// The node's life gives way to `next`.
void remember(ClusterNode& node, BootNonce next) {
  auto& boots = node.past_boots;
  if (const auto again = find(boots, next); again != boots.end()) boots.erase(again);
  if (boots.size() == kBootsRemembered) boots.erase(boots.begin());
  boots.push_back({node.boot, node.register_serial});
}

}  // namespace

void Controller::persist_node(NodeId id) {
  const ClusterNode& node = cluster_.node(id);
  emit(controller::Persist{NodeRecord{id, node.name, node.epoch, node.draining, node.offer}});
}

void Controller::set_state(NodeId id, NodeState state) {
  ClusterNode& node = cluster_.node(id);
  if (node.state == state) return;
  DUET_CHECK(allowed(node.state, state));
  node.state = state;
  cluster_.refresh(id);
  follow_node(id);
  if (state == NodeState::kReady) dirty_ = true;
  publish(controller::NodeChanged{id, state, node.draining});
}

/// Looks at the node again when its detector may think worse of it. The entry is not moved at each heartbeat:
/// when it falls due, the detector is asked anew.
void Controller::watch(NodeId id) {
  const ClusterNode& node = cluster_.node(id);
  const Instant at = node.detector->next_change(now_);
  if (at != kNever) watch_.push(at, id);
}

/// When the next dead node may be given up: now, unless too many were within a while. After Borg, which
/// limits how fast the work of unreachable machines is placed anew, as it cannot tell a mass failure from a
/// partition of the network (Verma et al., "Large-scale cluster management at Google with Borg", EuroSys
/// 2015, section 4).
Instant Controller::may_give_up() {
  const MassLoss& brake = config_.mass_loss;
  if (brake.percent == 0 || mutated(Mutant::kNoBrake)) return now_;
  while (!given_up_.empty() && saturating_add(given_up_.front(), brake.window) <= now_) given_up_.pop_front();
  if (100 * (given_up_.size() + 1) > std::uint64_t{brake.percent} * cluster_.known() && !given_up_.empty())
    if (const Instant next = saturating_add(given_up_.back(), brake.interval); next > now_) return next;
  given_up_.push_back(now_);
  return now_;
}

void Controller::detect() {
  for (; watch_.next_due() <= now_; watch_.pop()) {
    std::vector<NodeId>& due = watch_.front();  // What is watched from now on is due later.
    std::sort(due.begin(), due.end());
    due.erase(std::unique(due.begin(), due.end()), due.end());
    for (const NodeId id : due) detect(id);
    give_up_silent();  // Who looks again may have come back, but another has waited as long.
  }
}

/// Gives up dead nodes in the order of their silence, as far as the brake lets it.
void Controller::give_up_silent() {
  while (!silent_.empty()) {
    const NodeId id = silent_.begin()->second;
    if (const Instant at = may_give_up(); at > now_) {
      watch_.push(at, id);
      return;
    }
    no_longer_silent(id);
    cluster_.node(id).foreign.clear();
    set_state(id, NodeState::kDown);
    lose_tasks(id, cluster_.node(id).tasks);
  }
}

void Controller::no_longer_silent(NodeId id) {
  Instant& since = cluster_.node(id).dead_since;
  if (since == kNever) return;
  silent_.erase({since, id});
  since = kNever;
}

void Controller::detect(NodeId id) {
  ClusterNode& node = cluster_.node(id);
  if (node.state == NodeState::kDown) return;
  const Liveness liveness = mutated(Mutant::kNeverDetect) ? Liveness::kAlive : node.detector->assess(now_);
  if (liveness == Liveness::kDead) {
    if (node.dead_since == kNever) {
      node.dead_since = mutated(Mutant::kBrakeByNumber) ? Instant{} : now_;
      silent_.insert({node.dead_since, id});
    }
    give_up_silent();
    if (node.state == NodeState::kReady) set_state(id, NodeState::kSuspect);
    return;
  }
  if (liveness == Liveness::kSuspect && node.state == NodeState::kReady) set_state(id, NodeState::kSuspect);
  if (!mutated(Mutant::kNeverDetect)) watch(id);
}

void Controller::lose_tasks(NodeId, const std::vector<TaskId>& lost) {
  std::vector<TaskId> tasks = lost;  // The node's own list shrinks while they end.
  std::sort(tasks.begin(), tasks.end());
  for (const TaskId id : tasks) {
    LiveJob* job = jobs_.find(id.job);
    if (job == nullptr) continue;
    const TaskState state = job->tasks[id.index].state;
    const bool active =
        state == TaskState::kStarting || state == TaskState::kRunning || state == TaskState::kStopping;
    if (!active) continue;
    if (mutated(Mutant::kLoseTaskOfDeadNode)) {
      release(*job, id);
      job->tasks[id.index].state = TaskState::kPending;
      continue;
    }
    end_attempt(*job, id, Outcome::kLost);
  }
}

void Controller::on(const controller::Received& event) {
  const msg::FromAgent& message = event.message;
  if (const msg::Register* body = msg::registration(message)) {
    on_register(event.link, message, *body);
    return;
  }
  const bool heartbeat = std::holds_alternative<msg::Heartbeat>(message.body);
  const bool known = message.node.value < cluster_.size();
  const ClusterNode* n = known ? &cluster_.node(message.node) : nullptr;
  const bool gone = !known || n->state == NodeState::kDown || n->state == NodeState::kUnknown;
  bool current = !gone && n->boot == message.boot && n->epoch == message.epoch;
  if (mutated(Mutant::kHeartbeatRevives) && heartbeat && known && n->state == NodeState::kDown) {
    cluster_.node(message.node).state = NodeState::kReady;
    cluster_.refresh(message.node);
    publish(controller::NodeChanged{message.node, NodeState::kReady, n->draining});
    current = true;
  }
  if (!current) {
    ++counters_.fenced;
    emit(controller::Send{event.link, msg::ToAgent{message.boot, message.epoch, msg::Fenced{}}});
    return;
  }
  cluster_.node(message.node).link = event.link;
  hear(message.node, message);
  if (const auto* started = std::get_if<msg::AttemptStarted>(&message.body))
    on_message(message.node, *started);
  if (const auto* ended = std::get_if<msg::AttemptEnded>(&message.body)) on_message(message.node, *ended);
  if (const auto* ask = std::get_if<msg::Ask>(&message.body)) on_message(message.node, *ask);
  if (const auto* ready = std::get_if<msg::AttemptReady>(&message.body)) on_message(message.node, *ready);
}

/// A sign of life, and perhaps of more.
void Controller::hear(NodeId id, const msg::FromAgent& message) {
  ClusterNode& node = cluster_.node(id);
  node.detector->heartbeat(now_);
  if (node.dead_since != kNever) {
    no_longer_silent(id);
    watch(id);  // Of those that wait to be given up, only the first is watched.
  }
  if (node.unanswered > 0 && answers_launches(id, message)) node.unanswered = 0;
  if (node.state == NodeState::kSuspect && !stuck(node)) set_state(id, NodeState::kReady);
}

void Controller::on_register(LinkId link, const msg::FromAgent& message, const msg::Register& body) {
  auto id = cluster_.find(body.name);
  if (!body.offer.possible()) {
    ++counters_.stale;
    return;
  }
  if (id && late(cluster_.node(*id), message.boot, body.serial)) {
    ++counters_.stale;
    // If that life lives and still asks, an older one's late registration has come in between: it must ask
    // anew.
    if (cluster_.node(*id).boot != message.boot && !mutated(Mutant::kOldLifeStaysOut))
      emit(controller::Send{link, msg::ToAgent{message.boot, message.epoch, msg::Fenced{}}});
    return;
  }
  if (!id) id = cluster_.add(body.name);
  ClusterNode& node = cluster_.node(*id);
  if (node.boot == message.boot && body.serial == node.register_serial && node.state != NodeState::kDown) {
    // Asked again, or heard twice: the answer stands.
    ++counters_.stale;
    emit(controller::Send{link, msg::ToAgent{node.boot, node.epoch, msg::Registered{*id, body.serial}}});
    return;
  }
  if (mutated(Mutant::kNoRejoin) && node.state == NodeState::kDown) return;
  const bool same_offer = node.known && node.offer == body.offer;
  node.link = link;
  if (node.boot != message.boot) remember(node, message.boot);
  node.boot = message.boot;
  node.register_serial = body.serial;
  ++node.epoch.value;
  node.launch_serial = 0;
  node.detector = std::move(*make_policy(detector_policies(), config_.detector));
  node.detector->heartbeat(now_);
  emit(controller::Send{link, msg::ToAgent{node.boot, node.epoch, msg::Registered{*id, body.serial}}});
  settle_held(*id, same_offer ? body.held : std::vector<AttemptId>{});
  if (!same_offer) {
    cluster_.set_offer(*id, body.offer);
    for (const AttemptId attempt : body.held) node.foreign.insert(attempt);
    dirty_ = true;  // It may have grown.
  }
  if (const auto* again = std::get_if<msg::Rejoin>(&message.body)) adopt(*id, again->kept);
  node.unanswered = 0;
  no_longer_silent(*id);
  persist_node(*id);
  if (!mutated(Mutant::kNoKillOnRegister))
    for (const AttemptId attempt : node.foreign) {
      send(*id, msg::Kill{attempt, 0});
      await_answer(attempt, *id);
    }
  else
    node.foreign.clear();
  set_state(*id, node.foreign.empty() ? NodeState::kReady : NodeState::kFenced);
  watch(*id);
}

/// Compares what a returning agent holds with what it should: keeps what is right, gives up what it does not
/// have, marks the rest as foreign.
void Controller::settle_held(NodeId id, const std::vector<AttemptId>& held) {
  ClusterNode& node = cluster_.node(id);
  node.foreign.clear();
  std::vector<TaskId> lost;
  std::set<AttemptId> ours;
  for (const TaskId task_id : node.tasks) {
    LiveTask& task = jobs_.at(task_id.job).tasks[task_id.index];
    const AttemptId attempt{task_id, task.attempt};
    if (const LiveJob& job = jobs_.at(task_id.job); job.pool != nullptr) job.pool->forget_asks(task_id.index);
    task.serial = 0;  // Of an earlier epoch: its launches are void by now, and serials begin anew.
    task.ready_number = 0;
    if (std::find(held.begin(), held.end(), attempt) == held.end()) {
      lost.push_back(task_id);
      continue;
    }
    ours.insert(attempt);
    // Its start, or the order to stop, may have got lost with the old registration.
    if (task.state == TaskState::kRunning) continue;
    if (task.state == TaskState::kStarting) {
      send_launch(jobs_.at(task_id.job), task_id);
      continue;
    }
    send(id, msg::Kill{attempt, 0});
    await_answer(attempt, id);
  }
  for (const AttemptId attempt : held)
    if (!ours.contains(attempt)) node.foreign.insert(attempt);
  lose_tasks(id, lost);
}

void Controller::on_message(NodeId id, const msg::AttemptEnded& body) {
  ClusterNode& node = cluster_.node(id);
  LiveJob* job = jobs_.find(body.attempt.task.job);
  LiveTask* task = nullptr;
  if (job != nullptr && body.attempt.task.index < job->tasks.size())
    task = &job->tasks[body.attempt.task.index];
  const bool active =
      task != nullptr && (task->state == TaskState::kStarting || task->state == TaskState::kRunning ||
                          task->state == TaskState::kStopping);
  const bool number_fits =
      active && (task->attempt == body.attempt.number || mutated(Mutant::kAcceptStaleAttempt));
  const bool current = number_fits && (task->node == id || mutated(Mutant::kAcceptStaleAttempt));
  // Launches of it that are still under way must not run. Where we no longer know which those are: all so
  // far.
  send(id, msg::Ack{body.attempt, current ? task->serial : node.launch_serial});
  if (node.foreign.erase(body.attempt) > 0) {
    if (!node.foreign.empty() || node.state != NodeState::kFenced) return;
    set_state(id, NodeState::kReady);
    if (stuck(node)) set_state(id, NodeState::kSuspect);  // It may have answered no launch meanwhile.
    return;
  }
  if (!current) {
    ++counters_.stale;
    return;
  }
  end_attempt(*job, body.attempt.task, body.outcome, body.cpu);
  trim_unanswered();
}

}  // namespace duet
