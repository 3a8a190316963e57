#include "sim/cluster_world.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/codec/fingerprint.h"
#include "sim/stall_text.h"

namespace duet::sim {
namespace {

/// More rounds at one instant than this: the machines answer each other for ever.
constexpr int kMaxRounds = 10'000;
/// Jobs wait, nothing runs, nothing changed for so long: they will never run.
constexpr Duration kStallAfter = std::chrono::hours(1);
/// Rows are reserved for no more jobs than this: a run may end long before its workload.
constexpr std::size_t kMaxReserved = 1'000'000;
/// Requests other than submissions; their replies concern no row.
constexpr RequestId kOperatorRequest{0};

bool persists(const controller::Commands& commands) {
  return std::any_of(commands.begin(), commands.end(), [](const controller::Command& command) {
    return std::holds_alternative<controller::Persist>(command);
  });
}

}  // namespace

AgentConfig agent_config(const Scenario& scenario, std::uint32_t node) {
  AgentConfig config = scenario.agent;
  config.name = scenario.nodes[node].name;
  config.offer = scenario.node_types[scenario.nodes[node].type].offer;
  return config;
}

ClusterWorld::ClusterWorld(const Scenario& scenario, Engine& engine, WorldOptions options)
    : scenario_(scenario),
      engine_(engine),
      options_(options),
      controller_(Controller(scenario.controller), 0, options.controller_sink),
      hosts_(scenario.nodes.size()),
      source_(open_workload(scenario)),
      arrival_(source_->next()),
      commit_delay_(scenario.commit_delay),
      keeps_records_(scenario.controller_dies()),
      capacity_(scenario),
      detection_(scenario.nodes.size()) {
  for (const OperatorEvent& event : scenario_.events)
    if (event.of_job()) {
      Known& job = known_[event.job];
      if (event.kind == OperatorEvent::Kind::kScale)
        job.most_replicas = std::max(job.most_replicas, event.replicas);
      if (event.spec) job.most_replicas = std::max(job.most_replicas, event.spec->groups.front().count);
      job.again |= event.kind == OperatorEvent::Kind::kSubmitAgain;
    }
  const std::size_t jobs = std::min(source_->expected(), kMaxReserved);
  results_.jobs.reserve(jobs);
  results_.tasks.reserve(jobs);
  rows_.reserve(jobs);
  if (scenario_.horizon) push(*scenario_.horizon, Timer::Kind::kStop, 0);
}

ClusterWorld::~ClusterWorld() = default;

Instant ClusterWorld::next_due() const {
  if (!started_) return Instant{};
  Instant due = std::min(controller_due_, agent_timers_.next_due());
  if (!timers_.empty()) due = std::min(due, timers_.top().at);
  if (arrival_) due = std::min(due, arrival_->at);
  if (next_event_ < scenario_.events.size()) due = std::min(due, scenario_.events[next_event_].at);
  if (next_fault_ < scenario_.faults.size()) due = std::min(due, scenario_.faults[next_fault_].at);
  return due;
}

void ClusterWorld::play(Instant now, std::span<const ExecId> ended) {
  DUET_CHECK(!over_ && (!started_ || now > now_));
  now_ = now;
  ++results_.instants;
  capacity_.advance(now_);
  ended_.assign(ended.begin(), ended.end());
  collect_due();
  play_faults();
  if (!started_) {
    started_ = true;
    for (std::uint32_t node = 0; node < hosts_.size(); ++node)
      if (hosts_[node].lives == 0) boot(node);
  }
  play_completions();
  play_messages();
  play_requests();
  for (int round = 0; controller_touched_ || controller_due_ <= now_; ++round) {
    DUET_CHECK(round < kMaxRounds);
    play_wake();
    play_messages();
  }
  close_instant();
  judge_end();
}

/// Sorts what timers say is due into the phases of this instant.
void ClusterWorld::collect_due() {
  while (!timers_.empty() && timers_.top().at <= now_) {
    const Timer timer = timers_.top();
    timers_.pop();
    switch (timer.kind) {
      case Timer::Kind::kRunEnd:
        if (runs_[timer.index].active && runs_[timer.index].generation == timer.generation)
          ended_.push_back(timer.index);
        break;
      case Timer::Kind::kMessage:
        inbox_.push_back(in_flight_[timer.index]);
        work_in_flight_ -= mail_.concerns_work(inbox_.back());
        free_slots_.push_back(timer.index);
        break;
      case Timer::Kind::kRelease:
        release(timer.generation);
        break;
      case Timer::Kind::kFaultEnd:
        faults_ended_.push_back(timer.index);
        break;
      case Timer::Kind::kStop:
        stop_due_ = true;
        break;
    }
  }
  for (; agent_timers_.next_due() <= now_; agent_timers_.pop())
    for (const std::uint32_t node : agent_timers_.front()) {
      hosts_[node].armed = kNever;
      agents_due_.push_back(node);
    }
}

/// The oldest step that waits for its commit is durable, if this is still the controller that made it.
void ClusterWorld::release(std::uint32_t life) {
  if (life != life_) return;
  if (store_fails_ && persists(uncommitted_.front().commands)) return lose_controller();
  commands_ = std::move(uncommitted_.front().commands);
  uncommitted_.pop_front();
  for (controller::Command& command : commands_) perform(command);
  if (keeps_records_ && options_.observer != nullptr) options_.observer->on_commit(now_);
}

void ClusterWorld::play_completions() {
  std::sort(ended_.begin(), ended_.end(),
            [this](ExecId a, ExecId b) { return runs_[a].attempt < runs_[b].attempt; });
  for (const ExecId id : ended_) {
    // A crash at this same instant came first.
    if (!runs_[id].active) continue;
    runs_[id].executing = false;  // The engine has already let go of it.
    complete(id);
  }
  ended_.clear();
}

/// Agents that are due, and messages by link and number, until all are quiet.
void ClusterWorld::play_messages() {
  // Mostly they are in order: all agents beat together, and are looked at again in that order.
  if (!std::is_sorted(agents_due_.begin(), agents_due_.end()))
    std::sort(agents_due_.begin(), agents_due_.end());
  for (const std::uint32_t node : agents_due_) {
    Host& host = hosts_[node];
    if (!host.agent) continue;
    if (due_of(host) <= now_) step(node, Wake{});
    if (!host.touched) {
      host.touched = true;
      touched_.push_back(node);
    }
  }
  agents_due_.clear();
  while (!inbox_.empty()) {
    batch_.swap(inbox_);
    inbox_.clear();
    if (!std::is_sorted(batch_.begin(), batch_.end())) std::sort(batch_.begin(), batch_.end());
    // A step may refill the inbox, never this batch.
    for (const Letter& letter : batch_) deliver(letter);
  }
}

void ClusterWorld::deliver(const Letter& letter) {
  if (!letter.to_agent)
    step(mail_.to_controller(letter));
  else if (hosts_[letter.node].agent)
    step(letter.node, mail_.to_agent(letter));
  mail_.discard(letter);
}

/// Whoever waits for a controller, or for an earlier answer.
void ClusterWorld::play_door() {
  while (up_ && !door_.empty()) {
    const Caller caller = std::move(door_.front());
    door_.pop_front();
    if (const auto* const* event = std::get_if<const OperatorEvent*>(&caller)) {
      ask(**event);
      continue;
    }
    const auto& request = std::get<controller::Event>(caller);
    if (const auto* submit = std::get_if<controller::Submit>(&request))
      submit_row(static_cast<std::uint32_t>(submit->request.value - 1), *submit->spec);
    step(request);
  }
}

void ClusterWorld::play_requests() {
  play_door();
  for (; next_event_ < scenario_.events.size() && scenario_.events[next_event_].at <= now_; ++next_event_)
    ask(scenario_.events[next_event_]);
  while (arrival_ && arrival_->at <= now_) {
    const JobSpecPtr spec = std::move(arrival_->spec);
    arrival_ = source_->next();
    submit(spec);
  }
  play_door();
}

/// Somebody submits a job; under a key, if he will do so again.
void ClusterWorld::submit(const JobSpecPtr& spec) {
  submit_row(static_cast<std::uint32_t>(results_.jobs.size()), *spec);
  JobRow& row = results_.jobs.emplace_back();
  row.key = spec->key;
  row.kind = spec->kind;
  row.workers = spec->pool.has_value();
  row.operation = !spec->groups.empty() && !spec->groups.front().spec.pool.empty();
  row.submitted = now_;
  row.first_task = static_cast<std::uint32_t>(results_.tasks.size());
  for (const TaskGroup& group : spec->groups) {
    row.tasks += group.count;
    row.cpu_m += group.spec.need.cpu_m * static_cast<std::int64_t>(group.count);
    row.estimate_ns = std::max(row.estimate_ns, to_ns(group.spec.estimate));
  }
  if (spec->pool) row.tasks = std::max(row.tasks, spec->pool->maximum);
  note_submission(row, *spec);
  std::optional<controller::IdempotencyKey> once;
  if (const auto known = known_.find(spec->key); known != known_.end()) {
    ++known->second.unanswered;
    if (spec->kind == JobKind::kService) row.tasks = std::max(row.tasks, known->second.most_replicas);
    if (known->second.again) once = controller::IdempotencyKey{spec->key, codec::fingerprint(*spec)};
  }
  step(controller::Submit{RequestId{results_.jobs.size()}, spec, std::move(once)});
}

/// The job of this row is submitted next.
void ClusterWorld::submit_row(std::uint32_t row, const JobSpec& spec) {
  submitting_ = row;
  submitting_tasks_ = 0;
  for (const TaskGroup& group : spec.groups) submitting_tasks_ += group.count;
}

void ClusterWorld::ask(const OperatorEvent& event) {
  if (event.kind == OperatorEvent::Kind::kSubmitAgain) return submit(event.spec);
  // Which jobs it means is seen when the controller hears of it.
  if (!up_) return void(door_.emplace_back(&event));
  // Who has no answer to a submission yet does not know the job's id, and waits for it.
  if (event.of_job() && known_[event.job].unanswered > 0) return known_[event.job].after.push_back(&event);
  const NodeId node{event.node};
  switch (event.kind) {
    case OperatorEvent::Kind::kCancel:
      for (const JobId job : std::exchange(known_[event.job].ids, {}))
        step(controller::Cancel{kOperatorRequest, job});
      break;
    case OperatorEvent::Kind::kScale:
      for (const JobId job : known_[event.job].ids)
        step(controller::Scale{kOperatorRequest, job, event.replicas});
      break;
    case OperatorEvent::Kind::kUpdate:
      for (const JobId job : known_[event.job].ids)
        step(controller::Update{kOperatorRequest, job, event.spec});
      break;
    case OperatorEvent::Kind::kSubmitAgain:
      break;
    case OperatorEvent::Kind::kDrain:
      step(controller::Drain{kOperatorRequest, node, false});
      break;
    case OperatorEvent::Kind::kEvict:
      step(controller::Drain{kOperatorRequest, node, true});
      break;
    case OperatorEvent::Kind::kUndrain:
      step(controller::Undrain{kOperatorRequest, node});
      break;
  }
}

void ClusterWorld::play_wake() {
  controller_due_ = kNever;
  step(Wake{});
  controller_touched_ = false;
  if (!up_) return;
  const auto due = controller_.next_deadline();
  DUET_CHECK(!due || *due > now_);
  controller_due_ = due.value_or(kNever);
}

void ClusterWorld::close_instant() {
  for (const std::uint32_t node : touched_) {
    Host& host = hosts_[node];
    host.touched = false;
    if (!host.agent) continue;
    const Instant due = due_of(host);
    DUET_CHECK(due > now_);
    if (due < host.armed) {
      host.armed = due;
      agent_timers_.push(due, node);
    }
  }
  touched_.clear();
  if (options_.observer != nullptr) options_.observer->on_instant(now_, controller_.machine());
}

void ClusterWorld::judge_end() {
  const bool more_to_come = arrival_ || next_event_ < scenario_.events.size() ||
                            next_fault_ < scenario_.faults.size() || !uncommitted_.empty() || !up_ ||
                            !door_.empty() || work_in_flight_ > 0;
  const bool jobs_live = controller_.machine().jobs().live() > 0;
  if (stop_due_) {
    over_ = true;
    results_.horizon_reached = jobs_live || more_to_come;
  } else if (!more_to_come && !jobs_live) {
    over_ = true;
  } else if (!more_to_come && active_runs_ == 0) {
    over_ = results_.stalled = next_due() == kNever || now_ - last_change_ >= kStallAfter;
  } else {
    // Operations on the engine end by themselves; without them, nothing due means that nothing will ever be.
    over_ = results_.stalled = active_runs_ == 0 && next_due() == kNever;
  }
  if (over_) results_.end = now_;
  if (results_.stalled) results_.stall_cause = why_stalled(controller_.machine());
}

void ClusterWorld::step(const controller::Event& event) {
  if (!up_) return miss(event);
  controller_touched_ = true;
  ++results_.steps;
  commands_.clear();
  controller_.step(now_, event, commands_);
  if (options_.observer != nullptr)
    options_.observer->on_step(now_, controller_.machine(), event, commands_, 0);
  // Order is kept: nothing overtakes what still waits for its commit.
  const bool wait = !uncommitted_.empty() || (commit_delay_ > Duration{0} && persists(commands_));
  if (store_fails_ && !wait && persists(commands_)) return lose_controller(&event);
  if (wait) return hold_back(event);
  for (controller::Command& command : commands_)
    if (auto* published = std::get_if<controller::Publish>(&command))
      note(published->notice);
    else
      perform(command);
  if (keeps_records_ && options_.observer != nullptr) options_.observer->on_commit(now_);
}

/// The step is not durable yet: what it wants done waits, in order. Notices do not.
void ClusterWorld::hold_back(const controller::Event& event) {
  Uncommitted step;
  for (controller::Command& command : commands_)
    if (auto* published = std::get_if<controller::Publish>(&command))
      note(published->notice);
    else if (keeps_records_ || !std::holds_alternative<controller::Persist>(command))
      step.commands.push_back(std::move(command));
  if (keeps_records_)
    step.request = event;
  else if (step.commands.empty())
    return;
  uncommitted_.push_back(std::move(step));
  last_release_ = std::max(last_release_, now_ + commit_delay_);
  push(last_release_, Timer::Kind::kRelease, 0, life_);
}

void ClusterWorld::step(std::uint32_t node, const agent::Event& event) {
  Host& host = hosts_[node];
  if (!host.touched) {
    host.touched = true;
    touched_.push_back(node);
  }
  ++results_.steps;
  const std::size_t first = agent_commands_.size();
  host.agent->step(clock_of(host), event, agent_commands_);
  if (options_.observer != nullptr)
    options_.observer->on_agent_step(now_, node, host.agent->machine(), event, agent_commands_, first);
  // Performing a command may step the agent again, which appends behind: indices, not iterators.
  for (std::size_t i = first; i < agent_commands_.size(); ++i) {
    agent::Command& command = agent_commands_[i];
    if (auto* report = std::get_if<agent::Report>(&command)) {
      send_up(node, std::move(report->message));
    } else if (auto* launch = std::get_if<agent::Launch>(&command)) {
      const agent::Launch order = std::move(*launch);
      begin(node, order);
    } else if (const auto* stop = std::get_if<agent::Terminate>(&command)) {
      const agent::Terminate order = *stop;
      terminate(node, order);
    } else if (const auto* probe = std::get_if<agent::Probe>(&command)) {
      const agent::Probe question = *probe;
      answer(node, question);
    } else if (const auto* forget =
                   std::get_if<agent::Forget>(&command)) {  // Nothing is kept: there is a store.
      const AttemptId known = forget->attempt;
      std::erase_if(host.exits, [&](const agent::Adopted& exit) { return exit.attempt == known; });
    }
  }
  agent_commands_.resize(first);
}

/// What a command asks of the world outside the controller, once its step's records are durable.
void ClusterWorld::perform(controller::Command& command) {
  if (auto* out = std::get_if<controller::Send>(&command))
    send_down(std::move(*out));
  else if (const auto* reply = std::get_if<controller::Reply>(&command))
    note(*reply);
  else if (keeps_records_)
    store_.put(std::get<controller::Persist>(command).record);
}

void ClusterWorld::send_up(std::uint32_t node, msg::FromAgent&& message) {
  dispatch(mail_.write(node, hosts_[node].messages++, std::move(message)));
}

void ClusterWorld::send_down(controller::Send&& command) {
  const auto node = static_cast<std::uint32_t>(command.link.value);
  dispatch(mail_.write(node, hosts_[node].messages++, std::move(command.message)));
}

void ClusterWorld::dispatch(const Letter& letter) {
  ++results_.messages;
  if (now_ >= scenario_.network.until && on_links_.empty())
    post(letter, scenario_.latency);
  else
    meddle(letter);
}

void ClusterWorld::post(const Letter& letter, Duration delay) {
  if (delay == Duration{0}) {
    inbox_.push_back(letter);
    return;
  }
  std::uint32_t slot = 0;
  work_in_flight_ += mail_.concerns_work(letter);
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(in_flight_.size());
    in_flight_.push_back(letter);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    in_flight_[slot] = letter;
  }
  push(now_ + delay, Timer::Kind::kMessage, slot);
}

void ClusterWorld::push(Instant at, Timer::Kind kind, std::uint32_t index, std::uint32_t generation) {
  timers_.push({at, timers_pushed_++, kind, index, generation});
}

}  // namespace duet::sim
