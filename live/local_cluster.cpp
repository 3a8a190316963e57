#include "live/local_cluster.h"

#include <charconv>
#include <string>

#include "core/check.h"

namespace duet::live {
namespace {

/// A batch is cut here, so that a flood of events cannot hold back the Wake.
constexpr std::size_t kMaxBatch = 1024;

/// What a task without a command line of its own runs: it sleeps for its duration, or does nothing.
std::vector<std::string> command_of(const Work& work) {
  if (work.duration == Duration{0}) return {"true"};
  const std::int64_t ns = to_ns(work.duration);
  std::string fraction = std::to_string(ns % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return {"sleep", std::to_string(ns / 1'000'000'000) + "." + fraction};
}

}  // namespace

LocalCluster::LocalCluster(asio::io_context& io, LocalClusterOptions options)
    : io_(io),
      options_(std::move(options)),
      controller_(Controller(options_.controller), 0, options_.controller_sink),
      timer_(io) {
  for (std::size_t i = 0; i < options_.agents.size(); ++i) {
    const auto index = static_cast<MachineIndex>(1 + i);
    nodes_.push_back(
        {std::make_unique<Traced<Agent>>(Agent(options_.agents[i]), index, options_.agent_sink), {}});
    // Lives of one process: the clock reading at its start tells them apart.
    const auto nonce =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    agent_events_.emplace_back(i, agent::Boot{BootNonce{nonce + i}});
  }
  schedule_pump();
}

LocalCluster::~LocalCluster() { *alive_ = false; }

void LocalCluster::request(controller::Event event) {
  requests_.push_back(std::move(event));
  schedule_pump();
}

Instant LocalCluster::read_clock() const {
  const auto since = std::chrono::steady_clock::now() - start_;
  return Instant(std::chrono::duration_cast<Duration>(since));
}

/// Events that come in one turn of the loop are played together.
void LocalCluster::schedule_pump() {
  if (std::exchange(pump_scheduled_, true)) return;
  boost::asio::post(io_, [this, alive = alive_] {
    if (!*alive) return;
    pump_scheduled_ = false;
    pump();
  });
}

void LocalCluster::pump() {
  // Time must not stand still between batches: what is due now must not be due again.
  now_ = std::max(read_clock(), now_ + Duration{1});
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (const auto due = nodes_[i].agent->next_deadline(); due && *due <= now_) step(i, Wake{});
  for (std::size_t n = 0; n < kMaxBatch && !agent_events_.empty(); ++n) {
    const AgentEvent event = std::move(agent_events_.front());
    agent_events_.pop_front();
    step(event.first, event.second);
  }
  settle_messages();
  for (std::size_t n = 0; n < kMaxBatch && !requests_.empty(); ++n) {
    const controller::Event event = std::move(requests_.front());
    requests_.pop_front();
    step(event);
  }
  const auto due = controller_.next_deadline();
  if (controller_touched_ || (due && *due <= now_)) step(Wake{});
  controller_touched_ = false;
  settle_messages();
  if (controller_touched_ || !agent_events_.empty() || !requests_.empty()) schedule_pump();
  arm();
}

void LocalCluster::settle_messages() {
  while (!to_controller_.empty()) {
    auto [node, message] = std::move(to_controller_.front());
    to_controller_.pop_front();
    step(controller::Received{LinkId{node}, std::move(message)});
  }
}

void LocalCluster::step(const controller::Event& event) {
  controller_touched_ = true;
  controller::Commands commands;
  controller_.step(now_, event, commands);
  for (controller::Command& command : commands) {
    if (auto* send = std::get_if<controller::Send>(&command))
      step(static_cast<std::size_t>(send->link.value), agent::Delivered{std::move(send->message)});
    else if (const auto* publish = std::get_if<controller::Publish>(&command)) {
      if (options_.on_notice) options_.on_notice(now_, publish->notice);
    } else if (const auto* reply = std::get_if<controller::Reply>(&command)) {
      if (options_.on_reply) options_.on_reply(*reply);
    }
  }
}

void LocalCluster::step(std::size_t node, const agent::Event& event) {
  agent::Commands commands;
  nodes_[node].agent->step(now_, event, commands);
  for (const agent::Command& command : commands) perform(node, command);
}

void LocalCluster::perform(std::size_t node, const agent::Command& command) {
  if (const auto* report = std::get_if<agent::Report>(&command)) {
    to_controller_.emplace_back(node, report->message);
  } else if (const auto* order = std::get_if<agent::Terminate>(&command)) {
    const auto it = nodes_[node].processes.find(order->attempt);
    if (it != nodes_[node].processes.end()) it->second->terminate(order->force);
  } else if (const auto* start = std::get_if<agent::Launch>(&command)) {
    launch(node, *start);
  }
  // Agents live as long as this process does: no later life need be told of what ended.
}

void LocalCluster::launch(std::size_t node, const agent::Launch& launch) {
  const AttemptId attempt = launch.attempt;
  auto child = ChildProcess::start(io_, command_of(launch.work), [this, node, attempt](std::int32_t code) {
    // The process object is still on the stack of this call: it goes with the next turn of the loop.
    auto& processes = nodes_[node].processes;
    const auto it = processes.find(attempt);
    boost::asio::post(io_, [gone = std::shared_ptr<ChildProcess>(std::move(it->second))] {});
    processes.erase(it);
    agent_events_.emplace_back(
        node, agent::Exited{attempt, code == 0 ? Outcome::kSucceeded : Outcome::kFailed, code});
    schedule_pump();
  });
  if (!child) {
    agent_events_.emplace_back(node, agent::Exited{attempt, Outcome::kLaunchFailed, 127});
  } else {
    nodes_[node].processes[attempt] = std::move(*child);
    agent_events_.emplace_back(node, agent::Started{attempt});
  }
  schedule_pump();
}

/// One timer, for whatever is due first.
void LocalCluster::arm() {
  Instant due = controller_.next_deadline().value_or(kNever);
  for (const Node& node : nodes_) due = std::min(due, node.agent->next_deadline().value_or(kNever));
  if (due == kNever) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(start_ + due.time_since_epoch());
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) schedule_pump();
  });
}

}  // namespace duet::live
