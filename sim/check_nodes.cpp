// Checks of nodes: who is fenced, who may be used, who must be seen to be gone or back.
#include <algorithm>

#include "core/lifecycle.h"
#include "sim/checkers.h"

namespace duet::sim {
namespace {

std::string node_text(std::uint64_t node) { return "node " + std::to_string(node); }

std::string attempt_text(AttemptId id) {
  return std::to_string(id.task.job.value) + '.' + std::to_string(id.task.index) + '#' +
         std::to_string(id.number);
}

}  // namespace

Checkers::Cause Checkers::cause_of(const controller::Event& event) {
  Cause cause;
  cause.submits = std::holds_alternative<controller::Submit>(event);
  cause.draining = std::get_if<controller::Drain>(&event);
  const auto* received = std::get_if<controller::Received>(&event);
  if (received == nullptr) return cause;
  cause.message = &received->message;
  cause.ended = std::get_if<msg::AttemptEnded>(&cause.message->body);
  cause.registering = std::get_if<msg::Register>(&cause.message->body);
  // A node's link has the node's number in this world.
  NodeView& node = nodes_[received->link.value];
  const bool away = node.state == NodeState::kUnknown || node.state == NodeState::kDown;
  if (cause.registering != nullptr) {
    // News is what counts higher than all that was heard of this life, or what is asked again of a node given
    // up. Lives come back, when an older one's late registration came in between.
    std::uint32_t& highest = node.highest_serial[cause.message->boot];
    const bool asked_again = cause.registering->serial == highest && node.boot == cause.message->boot &&
                             node.state == NodeState::kDown;
    cause.repeated = cause.registering->serial <= highest && !asked_again;
    highest = std::max(highest, cause.registering->serial);
    if (!cause.repeated) node.heard = now_;
    return cause;
  }
  cause.current = !away && cause.message->node.value == received->link.value &&
                  node.boot == cause.message->boot && node.epoch == cause.message->epoch;
  if (cause.current) node.heard = now_;
  if (cause.current && node.repeated > 0 && answers_launches(cause, received->link.value)) node.repeated = 0;
  return cause;
}

/// L6: a launch has come to something, or none is left that could.
bool Checkers::answers_launches(const Cause& cause, std::uint64_t node) {
  if (std::holds_alternative<msg::AttemptStarted>(cause.message->body)) return true;
  const auto waits = [node](const TaskView& task) {
    return task.state == TaskState::kStarting && task.node.value == node;
  };
  if (const TaskView* ended = cause.ended != nullptr ? task_of(cause.ended->attempt.task) : nullptr;
      ended != nullptr && ended->number == cause.ended->attempt.number && waits(*ended))
    return true;
  const auto* said = std::get_if<msg::AttemptReady>(&cause.message->body);
  if (const TaskView* ready = said != nullptr ? task_of(said->attempt.task) : nullptr;
      ready != nullptr && ready->number == said->attempt.number && waits(*ready))
    return true;
  return std::none_of(jobs_.begin(), jobs_.end(), [&](const JobView& job) {
    return std::any_of(job.tasks.begin(), job.tasks.end(), waits);
  });
}

/// I9: what is not of the current registration is answered with Fenced and changes nothing.
void Checkers::check_fencing(const Cause& cause, const controller::Commands& commands, std::size_t first) {
  if (cause.message == nullptr || cause.current || (cause.registering != nullptr && !cause.repeated)) return;
  for (std::size_t i = first; i < commands.size(); ++i) {
    const auto* send = std::get_if<controller::Send>(&commands[i]);
    const bool answer =
        send != nullptr &&
        (std::holds_alternative<msg::Fenced>(send->message.body) ||
         (cause.registering != nullptr && std::holds_alternative<msg::Registered>(send->message.body)));
    if (answer && send->message.boot == cause.message->boot) continue;
    return broken("I9", "a message of another registration had an effect beyond its refusal");
  }
}

/// The controller granted a registration.
void Checkers::see_grant(const controller::Send& send) {
  NodeView& node = nodes_[send.link.value];
  const Epoch epoch = send.message.epoch;
  if (epoch == node.epoch && send.message.boot == node.boot) return;  // Said again.
  if (epoch.value != node.granted.size() + 1)
    return broken("I9",
                  node_text(send.link.value) + " was granted an epoch that does not follow the last one");
  changed_nodes_.push_back(send.link.value);
  node.granted.push_back(send.message.boot);
  node.granted_at = now_;
  node.boot = send.message.boot;
  node.epoch = epoch;
  node.repeated = 0;
  // The registration of a life that is no more: its silence begins now.
  const bool dead = !node.on || node.agent_boot != node.boot;
  expect_down(node, dead ? now_ : kNever);
}

/// L3: silent from `from` on, the node must be Down in time; kNever: nothing is expected of it.
void Checkers::expect_down(NodeView& node, Instant from) {
  node.down_by = promise_.detect == Duration{0} || !up_
                     ? kNever
                     : saturating_add(from, promise_.detect + promise_.brake + promise_.late);
  next_deadline_ = std::min(next_deadline_, node.down_by);
}

void Checkers::see(const Cause& cause, const controller::NodeChanged& notice) {
  const std::uint64_t id = notice.node.value;
  if (id >= nodes_.size()) return broken("I1", "a node that does not exist changed");
  NodeView& node = nodes_[id];
  changed_nodes_.push_back(id);
  node.draining = notice.draining;
  if (notice.state == node.state) return;
  if (!allowed(node.state, notice.state))
    broken("I1", node_text(id) + " went from " + std::string(name(node.state)) + " to " +
                     std::string(name(notice.state)));
  // Without a word from its agent a node does not come back, and with a word in time it is not given up.
  if ((notice.state == NodeState::kReady || notice.state == NodeState::kFenced) &&
      (cause.message == nullptr || !(cause.current || (cause.registering != nullptr && !cause.repeated))))
    broken("I9", node_text(id) + " came back without a message of a registration that holds");
  node.state = notice.state;
  if (notice.state == NodeState::kDown) {
    node.down_by = kNever;
    check_brake();
    const Duration silence = now_ - node.heard;
    if (promise_.detect == Duration{0} || silence + scenario_.latency < promise_.detect)
      broken("L3", node_text(id) + " was given up although it was heard in time");
  }
  if (notice.state == NodeState::kReady) check_holds_only_own(static_cast<std::uint32_t>(id), "is Ready");
}

/// I23: a node has been given up. Were too many just before?
void Checkers::check_brake() {
  const MassLoss& brake = scenario_.controller.mass_loss;
  if (brake.percent == 0) return;
  std::erase_if(given_up_, [&](Instant at) { return saturating_add(at, brake.window) <= now_; });
  const auto known = static_cast<std::size_t>(std::count_if(
      nodes_.begin(), nodes_.end(), [](const NodeView& node) { return node.epoch != Epoch{}; }));
  const bool mass = !given_up_.empty() && 100 * (given_up_.size() + 1) > brake.percent * known;
  if (mass && saturating_add(given_up_.back(), brake.interval) > now_)
    broken("I23", "in a mass loss the next node was given up at once");
  given_up_.push_back(now_);
}

/// I9: nothing runs on the node that the controller does not count there.
void Checkers::check_holds_only_own(std::uint32_t id, const char* when) {
  const NodeView& node = nodes_[id];
  // What runs under a registration that no longer holds is the agent's affair until it hears of it.
  if (!node.on || node.agent_epoch != node.epoch || node.agent_boot != node.boot) return;
  if (node.state != NodeState::kReady && node.state != NodeState::kSuspect) return;
  for (const AttemptId attempt : node.running) {
    const TaskView* task = task_of(attempt.task);
    const bool ours =
        task != nullptr && task->active() && task->number == attempt.number && task->node.value == id;
    if (!ours)
      broken("I9", attempt_text(attempt) + " runs on " + node_text(id) + ", which " + when +
                       ", but the controller has given it up");
  }
}

void Checkers::on_agent_step(Instant now, std::uint32_t id, const Agent& agent, const agent::Event& event,
                             const agent::Commands& commands, std::size_t first) {
  see_time(now);
  NodeView& node = nodes_[id];
  if (const auto* boot = std::get_if<agent::Boot>(&event)) {
    node.on = true;
    node.agent_boot = boot->nonce;
    for (const agent::Adopted& adopted : boot->adopted)
      if (AttemptView* attempt = attempt_of(adopted.attempt); attempt != nullptr && !adopted.running) {
        attempt->ended = true;
        attempt->outcome = adopted.outcome;
      }
    calm_node(node, now);
  }
  if (const auto* exited = std::get_if<agent::Exited>(&event))
    if (AttemptView* attempt = attempt_of(exited->attempt)) {
      attempt->ended = true;
      attempt->outcome = exited->outcome;
    }
  for (std::size_t i = first; i < commands.size(); ++i)
    if (const auto* report = std::get_if<agent::Report>(&commands[i]))
      if (const auto* asks = std::get_if<msg::Register>(&report->message.body))
        node.asked_serial = asks->serial;
  see_health(id, event, commands, first);
  const auto* delivered = std::get_if<agent::Delivered>(&event);
  if (delivered != nullptr) {
    const msg::ToAgent& message = delivered->message;
    const bool other_life = message.boot != node.agent_boot;
    const bool other_epoch = !std::holds_alternative<msg::Registered>(message.body) &&
                             !std::holds_alternative<msg::Fenced>(message.body) &&
                             message.epoch != node.agent_epoch;
    if ((other_life || other_epoch) && commands.size() > first)
      broken("I9", "the agent of " + node_text(id) + " acted on a message of another registration");
  }
  if (agent.epoch() == node.agent_epoch) return;
  node.agent_epoch = agent.epoch();
  if (node.agent_epoch == Epoch{}) return;
  const std::uint64_t number = node.agent_epoch.value;
  const auto* granted =
      delivered == nullptr ? nullptr : std::get_if<msg::Registered>(&delivered->message.body);
  if (granted != nullptr && granted->serial != node.asked_serial)
    broken("I10", "the agent of " + node_text(id) + " believed the answer to an earlier registration");
  if (granted == nullptr || delivered->message.boot != node.agent_boot)
    broken("I10",
           "the agent of " + node_text(id) + " believed a registration that was meant for another life");
  else if (number > node.granted.size() || node.granted[number - 1] != node.agent_boot)
    broken("I10", "the agent of " + node_text(id) + " believes a registration that it was never granted");
  check_holds_only_own(id, "has just registered");
}

void Checkers::on_fault(Instant now, const Fault& fault) {
  see_time(now);
  // A restart is seen when the agent boots.
  if (fault.kind != Fault::Kind::kCrash && fault.kind != Fault::Kind::kAgentRestart) return;
  NodeView& node = nodes_[fault.node];
  node.on = false;
  node.agent_epoch = {};
  node.ready_from = kNever;
  // What it said last may be under way for as long as the network delays messages. A controller that took
  // over expects every node that ever registered.
  if (node.epoch != Epoch{} && node.state != NodeState::kDown) expect_down(node, now);
}

/// From when on the node must be Ready, if its agent boots or the network becomes clean at `from`.
void Checkers::calm_node(NodeView& node, Instant from) {
  if (!up_) return;
  node.ready_from = saturating_add(std::max(from, promise_.clean), promise_.rejoin);
  next_deadline_ = std::min(next_deadline_, node.ready_from);
}

void Checkers::check_nodes(Instant now) {
  next_deadline_ = kNever;
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    NodeView& node = nodes_[id];
    if (now > node.down_by) {
      // Unless a later life has registered in the meantime, which ends the old one's claim.
      if (node.boot != node.agent_boot || !node.on)
        broken("L3", node_text(id) + " crashed and was not found to be Down in time");
      node.down_by = kNever;
    }
    if (now > node.ready_from && node.state != NodeState::kReady) {
      broken("L4",
             node_text(id) + " is on and should long be Ready, but is " + std::string(name(node.state)));
      node.ready_from = kNever;
    }
    next_deadline_ = std::min({next_deadline_, node.down_by, node.ready_from});
  }
}

}  // namespace duet::sim
