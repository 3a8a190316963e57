#include "core/codec/decision.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <variant>

#include "core/codec/render.h"
#include "core/codec/task_story.h"
#include "core/lifecycle.h"

namespace duet::codec {
namespace {

std::string name_of(const Walk& walk, NodeId node) {
  const Cluster& cluster = walk.controller()->cluster();
  return node.value < cluster.size() ? cluster.node(node).name : "node " + std::to_string(node.value);
}

/// Whom a message goes to.
std::string name_of(const Walk& walk, LinkId link) {
  const Cluster& cluster = walk.controller()->cluster();
  for (std::uint64_t n = 0; n < cluster.size(); ++n)
    if (const ClusterNode& node = cluster.node(NodeId{n}); node.known && node.link == link) return node.name;
  return "link " + std::to_string(link.value);
}

std::string job_text(JobId job) { return std::to_string(job.value); }

// ---- The event

std::string told(const Walk& walk, const msg::FromAgent& message) {
  if (const msg::Register* body = msg::registration(message))
    return body->name + " registers" +
           (body->held.empty() ? ""
                               : ", with " + std::to_string(body->held.size()) + " attempts that it holds");
  const std::string who = name_of(walk, message.node);
  if (const auto* body = std::get_if<msg::AttemptStarted>(&message.body))
    return who + " says that " + to_text(body->attempt) + " has started";
  if (const auto* body = std::get_if<msg::AttemptEnded>(&message.body))
    return who + " says that " + to_text(body->attempt) + " has ended: " + std::string(name(body->outcome));
  if (const auto* body = std::get_if<msg::Ask>(&message.body))
    return who + " says that worker " + to_text(body->worker) + " asks for an operation";
  return who + " sends a heartbeat";
}

std::string words_of(const Walk& walk, const controller::Event& event) {
  return std::visit(
      [&](const auto& e) -> std::string {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, controller::Restore>)
          return "a new controller takes over, with " + std::to_string(e.records.size()) + " records";
        else if constexpr (std::is_same_v<E, controller::Submit>)
          return "a job is submitted" + (e.spec == nullptr || e.spec->key.empty() ? "" : ": " + e.spec->key);
        else if constexpr (std::is_same_v<E, controller::Cancel>)
          return "job " + job_text(e.job) + " is to be cancelled";
        else if constexpr (std::is_same_v<E, controller::Scale>)
          return "service " + job_text(e.job) + " is to have " + std::to_string(e.count) + " replicas";
        else if constexpr (std::is_same_v<E, controller::Update>)
          return "service " + job_text(e.job) + " is to run a new version";
        else if constexpr (std::is_same_v<E, controller::Drain>)
          return name_of(walk, e.node) + " is to be drained" + (e.evict ? ", and its tasks evicted" : "");
        else if constexpr (std::is_same_v<E, controller::Undrain>)
          return name_of(walk, e.node) + " is to take tasks again";
        else if constexpr (std::is_same_v<E, controller::Received>)
          return told(walk, e.message);
        else
          return "wake: failures are detected, what is due is done, the queue is looked at";
      },
      event);
}

// ---- What it is about

/// Whether a change or command is wanted, without a word being made of it.
class Wanted {
 public:
  Wanted(const Walk& walk, const DecisionFilter& filter) : walk_(walk), filter_(filter) {}

  bool operator()(const controller::Notice& notice) const {
    return std::visit([&](const auto& n) { return about(n); }, notice);
  }
  bool operator()(const controller::Send& send) const {
    if (const auto* launch = std::get_if<msg::Launch>(&send.message.body))
      return about(launch->attempt, send);
    if (const auto* kill = std::get_if<msg::Kill>(&send.message.body)) return about(kill->attempt, send);
    if (const auto* ack = std::get_if<msg::Ack>(&send.message.body)) return about(ack->attempt, send);
    if (const auto* noted = std::get_if<msg::Noted>(&send.message.body)) return about(noted->attempt, send);
    if (const auto* keep = std::get_if<msg::Keep>(&send.message.body))
      return about({keep->task.task, keep->task.attempt}, send);
    return !filter_.job && on(name_of(walk_, send.link));
  }
  bool operator()(const controller::Reply& reply) const {
    return filter_.node.empty() && !filter_.task && (!filter_.job || reply.job == *filter_.job);
  }

 private:
  bool about(const controller::JobChanged& change) const {
    return filter_.node.empty() && !filter_.task && (!filter_.job || change.job == *filter_.job);
  }
  bool about(const controller::TaskChanged& change) const {
    return about(change.attempt.task) && (filter_.node.empty() || on(name_of(walk_, change.node)));
  }
  bool about(const controller::PoolScaled& change) const {
    return filter_.node.empty() && !filter_.task && (!filter_.job || change.job == *filter_.job);
  }
  bool about(const controller::NodeChanged& change) const {
    return !filter_.job && (filter_.node.empty() || on(name_of(walk_, change.node)));
  }
  bool about(const AttemptId& attempt, const controller::Send& send) const {
    return about(attempt.task) && (filter_.node.empty() || on(name_of(walk_, send.link)));
  }
  bool about(const TaskId& task) const {
    return !filter_.job || (task.job == *filter_.job && (!filter_.task || task.index == *filter_.task));
  }
  bool on(const std::string& node) const { return filter_.node.empty() || node == filter_.node; }

  const Walk& walk_;
  const DecisionFilter& filter_;
};

bool heard_ready(const Walk& walk) {
  const auto* received = std::get_if<controller::Received>(&walk.event());
  return received != nullptr && std::holds_alternative<msg::AttemptReady>(received->message.body);
}

Happening happening(const Walk& walk, const controller::Notice& notice) {
  if (const auto* job = std::get_if<controller::JobChanged>(&notice))
    return {"job", job_text(job->job), std::string(name(job->state)), {}, {}};
  if (const auto* node = std::get_if<controller::NodeChanged>(&notice))
    return {"node",
            name_of(walk, node->node),
            std::string(name(node->state)) + (node->draining ? ", draining" : ""),
            {},
            {}};
  if (const auto* scaled = std::get_if<controller::PoolScaled>(&notice))
    return {"pool",
            job_text(scaled->job),
            std::to_string(scaled->from) + " to " + std::to_string(scaled->to) + " workers" +
                (scaled->applied ? "" : ", not done"),
            {},
            scaled->why};
  const auto& task = std::get<controller::TaskChanged>(notice);
  return {"task", task.attempt.number == 0 ? to_text(task.attempt.task) : to_text(task.attempt),
          std::string(name(task.state)) + (task.ready && heard_ready(walk) ? ", ready" : ""),
          task.attempt.number == 0 ? std::string() : name_of(walk, task.node), why_of(walk, task)};
}

Happening happening(const Walk& walk, const controller::Send& send) {
  const std::string to = name_of(walk, send.link);
  if (const auto* launch = std::get_if<msg::Launch>(&send.message.body))
    return {"launch",
            to_text(launch->attempt),
            {},
            to,
            launch->threads.empty() ? std::string() : "threads " + to_text(launch->threads)};
  if (const auto* kill = std::get_if<msg::Kill>(&send.message.body))
    return {"kill", to_text(kill->attempt), {}, to, {}};
  if (const auto* ack = std::get_if<msg::Ack>(&send.message.body))
    return {"ack", to_text(ack->attempt), {}, to, {}};
  if (const auto* noted = std::get_if<msg::Noted>(&send.message.body))
    return {"noted", to_text(noted->attempt), {}, to, {}};
  const bool registered = std::holds_alternative<msg::Registered>(send.message.body);
  return {registered ? "registered" : "fenced", {}, {}, to, {}};
}

/// What a request is about: the key of a job that is submitted, else the job's number or the node's.
std::string asked_for(const controller::Event& event) {
  return std::visit(
      [](const auto& e) -> std::string {
        if constexpr (requires { e.spec->key; }) {
          if (e.spec != nullptr && !e.spec->key.empty()) return e.spec->key;
        }
        if constexpr (requires { e.job; }) return job_text(e.job);
        return {};
      },
      event);
}

}  // namespace

bool decides(const Walk& walk, const DecisionFilter& filter) {
  const Wanted wanted(walk, filter);
  return std::ranges::any_of(walk.commands(), [&](const controller::Command& command) {
    if (const auto* reply = std::get_if<controller::Reply>(&command))
      return !reply->refusal.empty() && wanted(*reply);
    const auto* publish = std::get_if<controller::Publish>(&command);
    return publish != nullptr && wanted(publish->notice);
  });
}

Decision decision_of(const Walk& walk, const DecisionFilter& filter) {
  const Wanted wanted(walk, filter);
  Decision out{walk.number(), walk.now(), words_of(walk, walk.event()), {}, {}};
  for (const controller::Command& command : walk.commands()) {
    if (const auto* publish = std::get_if<controller::Publish>(&command)) {
      if (wanted(publish->notice)) out.changes.push_back(happening(walk, publish->notice));
    } else if (const auto* send = std::get_if<controller::Send>(&command)) {
      if (wanted(*send)) out.commands.push_back(happening(walk, *send));
    } else if (const auto* reply = std::get_if<controller::Reply>(&command)) {
      if (!wanted(*reply)) continue;
      // A refusal changes nothing, and is what came of the request.
      if (!reply->refusal.empty())
        out.changes.push_back({"request", asked_for(walk.event()), "refused", {}, reply->refusal});
      out.commands.push_back({"reply",
                              reply->job.value == 0 ? std::string() : job_text(reply->job),
                              reply->refusal.empty() ? "accepted" : "refused",
                              {},
                              reply->refusal});
    }
  }
  return out;
}

}  // namespace duet::codec
