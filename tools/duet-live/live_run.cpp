#include "tools/duet-live/live_run.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>

#include <unistd.h>

#include "core/check.h"
#include "core/explain.h"
#include "core/lifecycle.h"
#include "live/program/folder.h"
#include "live/store/memory_store.h"
#include "sim/cluster_world.h"

namespace duet::live_run {
namespace {

constexpr auto kReadyWithin = std::chrono::seconds(20);
/// Nothing has happened for so long, and nothing runs: what waits will wait for ever.
constexpr auto kQuiet = std::chrono::seconds(3);

}  // namespace

void LiveRun::Sinks::record(MachineIndex machine, Instant now, const controller::Event& event,
                            const controller::Commands& commands, std::size_t first) {
  if (run_.ended_ != Instant{}) return;  // What shutting down makes happen belongs to nobody's run.
  if (run_.options_.controller_sink != nullptr)
    run_.options_.controller_sink->record(machine, now, event, commands, first);
  run_.results_.record(machine, now, event, commands, first);
}

void LiveRun::Sinks::record(MachineIndex machine, Instant now, const agent::Event& event,
                            const agent::Commands& commands, std::size_t first) {
  if (run_.ended_ != Instant{}) return;
  if (run_.options_.agent_sink != nullptr)
    run_.options_.agent_sink->record(machine, now, event, commands, first);
}

LiveRun::LiveRun(const sim::Scenario& scenario, LiveRunOptions options)
    : scenario_(scenario),
      options_(std::move(options)),
      signals_(io_),
      next_(io_),
      patience_(io_),
      quiet_(io_),
      zero_(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())),
      results_(scenario) {}

LiveRun::~LiveRun() = default;

Result<sim::Results> LiveRun::play() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) signals_.add(number);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) end({{"duet live", "interrupted; its processes were ended", {}}});
  });
  if (Problems problems = start(); !problems.empty()) end(std::move(problems));
  io_.run();
  for (const auto& node : nodes_) node->link.reset();
  for (const auto& node : nodes_) node->runtime.reset();
  if (!problems_.empty()) return problems_;
  sim::Results results = results_.take(ended_);
  results.stalled = stalled_;
  if (stalled_) results.stall_cause = "nothing runs, and for what waits there is no room";
  results.horizon_reached = horizon_;
  return results;
}

Problems LiveRun::start() {
  auto token = live::secret_in(options_.folder + "/agent.token");
  if (!token) return token.problems();
  token_ = std::move(*token);
  const auto machine = live::find_processors();
  if (!machine) return machine.problems();
  start_controller();
  if (Problems problems = driver_->start(); !problems.empty()) return problems;
  if (Problems problems = agents_->listen(); !problems.empty()) return problems;
  for (std::uint32_t i = 0; i < scenario_.nodes.size(); ++i)
    if (Problems problems = start_node(i, *machine); !problems.empty()) return problems;
  patience_.expires_after(kReadyWithin);
  patience_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !running_) end({{"nodes", "are not ready after 20 s", {}}});
  });
  return {};
}

void LiveRun::start_controller() {
  store_ = live::make_memory_store(io_);
  live::ControllerDriverOptions options;
  options.config = scenario_.controller;
  options.store = store_.get();
  options.recorder = &sinks_;
  options.zero = zero_;
  options.send = [this](LinkId link, const msg::ToAgent& message) { agents_->send(link, message); };
  driver_.emplace(io_, std::move(options));
  driver_->view().events().watch(
      [this](const live::ClusterEvent&) { live::asio::post(io_, [this] { advance(); }); });
  live::wire::AgentPort::Hooks hooks;
  hooks.joined = [](LinkId, const live::AgentFacts&) {};
  hooks.left = [](LinkId, const std::string&) {};
  hooks.message = [this](LinkId link, msg::FromAgent message) {
    driver_->received(link, std::move(message));
  };
  hooks.learned = [](LinkId, const live::AttemptFacts&) {};
  hooks.warn = [](const std::string&) {};
  agents_.emplace(io_, live::wire::AgentPort::Options{"127.0.0.1", 0, token_, DUET_VERSION},
                  std::move(hooks));
}

Problems LiveRun::start_node(std::uint32_t index, const live::Processors& machine) {
  Node& node = *nodes_.emplace_back(std::make_unique<Node>());
  live::AgentDriverOptions options;
  options.config = sim::agent_config(scenario_, index);
  options.recorder = &sinks_;
  options.index = index + 1;
  options.zero = zero_;
  options.send = [&node](const msg::FromAgent& message) { node.link->send(message); };
  options.booted = [this, &node, index] {
    if (!node.link) connect(index);
  };
  options.registered = [&node](bool registered) { node.registered = registered; };
  options.warn = [this, name = options.config.name](const std::string& what) {
    if (!ending_) end({{name, what, {}}});
  };
  live::ProcessOptions processes;
  processes.runner_program = options_.runner;
  processes.topology =
      live::emulate_offer(options.config.offer, machine, index * options.config.offer.threads());
  processes.runner.folder = options_.folder + '/' + std::to_string(index + 1);
  processes.runner.node = options.config.name;
  std::error_code error;
  std::filesystem::create_directories(processes.runner.folder, error);
  if (error) return {{processes.runner.folder, "cannot be made: " + error.message(), {}}};
  node.driver.emplace(io_, std::move(options));
  node.runtime = live::make_process_runtime(io_, std::move(processes), node.driver->hooks());
  node.driver->start(*node.runtime);
  return {};
}

void LiveRun::connect(std::uint32_t index) {
  Node& node = *nodes_[index];
  live::wire::ControllerLink::Options to;
  to.port = std::to_string(agents_->port());
  to.hello.token = std::string(token_.reveal());
  to.hello.agent.name = scenario_.nodes[index].name;
  to.hello.agent.version = DUET_VERSION;
  to.hello.agent.pid = ::getpid();
  live::wire::ControllerLink::Hooks hooks;
  hooks.message = [&node](msg::ToAgent message) { node.driver->delivered(std::move(message)); };
  hooks.read_log = [](const live::wire::ReadLog&) {};
  hooks.changed = [](bool, const std::string&) {};
  hooks.refused = [this](const std::string& why) { end({{"agent", why, {}}}); };
  node.link.emplace(io_, std::move(to), std::move(hooks));
  node.link->start();
}

LiveRun::Clock::time_point LiveRun::due(Instant at) const {
  const double ns = static_cast<double>(to_ns(at)) / options_.how.speedup;
  return began_ + std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(ns, 9e17)));
}

void LiveRun::begin_workload() {
  running_ = true;
  patience_.cancel();
  source_ = sim::open_workload(scenario_);
  arrival_ = source_->next();
  began_ = Clock::now();
  begun_ = driver_->now();
  results_.begin(begun_, options_.how.speedup);
}

/// Whatever of the scenario is due, in its order; then the end, or a timer for the next.
void LiveRun::advance() {
  if (ending_) return;
  const Cluster& cluster = driver_->machine().cluster();
  if (!running_) {
    for (std::uint32_t i = 0; i < scenario_.nodes.size(); ++i)
      if (cluster.node(NodeId{i}).state != NodeState::kReady) return;
    begin_workload();
  }
  const auto now = Clock::now();
  while (next_event_ < scenario_.events.size() && due(scenario_.events[next_event_].at) <= now)
    perform(scenario_.events[next_event_++]);
  while (arrival_ && due(arrival_->at) <= now) {
    submit(*arrival_);
    arrival_ = source_->next();
  }
  horizon_ = scenario_.horizon && due(*scenario_.horizon) <= now;
  if (horizon_ || over()) return end({});
  auto next = Clock::time_point::max();
  if (next_event_ < scenario_.events.size()) next = std::min(next, due(scenario_.events[next_event_].at));
  if (arrival_) next = std::min(next, due(arrival_->at));
  if (scenario_.horizon) next = std::min(next, due(*scenario_.horizon));
  if (next != Clock::time_point::max()) {
    next_.expires_at(next);
    next_.async_wait([this](const boost::system::error_code& error) {
      if (!error) advance();
    });
  }
  watch_for_stall();
}

void LiveRun::submit(const sim::Arrival& arrival) {
  ++unanswered_;
  driver_->submit(live_spec(*arrival.spec, scenario_, options_.how), std::nullopt,
                  [this, key = arrival.spec->key](const live::Answer& answer) {
                    --unanswered_;
                    if (answer.refusal.empty()) ids_[key].push_back(answer.job);
                    live::asio::post(io_, [this] { advance(); });
                  });
}

/// Answers are of no interest: what comes of it is in the results.
void LiveRun::perform(const sim::OperatorEvent& event) {
  using Kind = sim::OperatorEvent::Kind;
  const auto heard = [](const live::Answer&) {};
  const NodeId node{event.node};
  if (event.kind == Kind::kDrain || event.kind == Kind::kEvict)
    return driver_->drain(node, event.kind == Kind::kEvict, heard);
  if (event.kind == Kind::kUndrain) return driver_->undrain(node, heard);
  for (const JobId job : ids_[event.job]) {
    if (event.kind == Kind::kCancel) driver_->cancel(job, heard);
    if (event.kind == Kind::kScale) driver_->scale(job, event.replicas, heard);
    if (event.kind == Kind::kUpdate)
      driver_->update(job, live_spec(*event.spec, scenario_, options_.how), heard);
  }
}

/// All was submitted and has ended; services go on until something ends them.
bool LiveRun::over() const {
  if (arrival_ || next_event_ < scenario_.events.size() || unanswered_ > 0) return false;
  bool work = false;
  bool services = false;
  driver_->machine().jobs().for_each([&](const LiveJob& job) { (job.service() ? services : work) = true; });
  return !work && !(services && scenario_.horizon);
}

void LiveRun::watch_for_stall() {
  quiet_.expires_after(kQuiet);
  quiet_.async_wait([this](const boost::system::error_code& error) {
    if (error || ending_ || arrival_ || next_event_ < scenario_.events.size() || unanswered_ > 0) return;
    bool hope = false;
    driver_->machine().jobs().for_each([&](const LiveJob& job) {
      hope |= job.active > 0 && !job.service();
      for (std::uint32_t i = 0; i < job.tasks.size() && !hope && !job.service(); ++i)
        hope = job.tasks[i].retry_at != Instant{};
    });
    if (hope) return watch_for_stall();
    stalled_ = true;
    end({});
  });
}

/// The first one tells how it went.
void LiveRun::end(Problems problems) {
  if (std::exchange(ending_, true)) return;
  problems_ = std::move(problems);
  if (driver_) ended_ = driver_->now();
  next_.cancel();
  quiet_.cancel();
  patience_.cancel();
  signals_.cancel();
  live::asio::post(io_, [this] { shut_down(); });
}

void LiveRun::shut_down() {
  left_ = 0;
  for (const auto& node : nodes_) left_ += node->runtime ? 1 : 0;
  if (left_ == 0) return io_.stop();
  for (const auto& node : nodes_) {
    if (!node->runtime) continue;
    node->runtime->shut_down(scenario_.agent.kill_grace, [this] {
      if (--left_ == 0) io_.stop();
    });
  }
}

}  // namespace duet::live_run
