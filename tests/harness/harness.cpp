#include "tests/harness/harness.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "core/lifecycle.h"
#include "tests/harness/notices.h"

namespace duet::test {
namespace {

constexpr int kMaxRounds = 10'000;

/// The driver's name of the connection to node `node`: one for all lives of its agent.
LinkId link_of(std::uint32_t node) { return LinkId{node + 1}; }

}  // namespace

Harness::Harness(const ClusterBuilder& builder)
    : config_(builder.controller),
      one_way_(builder.one_way),
      controller_(std::make_unique<Controller>(config_)) {
  for (const AgentConfig& config : builder.agents) {
    Host& host = hosts_.emplace_back();
    host.config = config;
    at(Duration{0}).boot(static_cast<std::uint32_t>(hosts_.size() - 1));
  }
}

// ---- The script

void Harness::add(Instant t, Phase phase, std::function<void()> perform) {
  if (t < now_) throw std::logic_error("the script's instant " + time_text(t) + " has already been played");
  script_.emplace(t, Action{phase, std::move(perform)});
}

Harness::At Harness::At::submit(const JobSpecPtr& spec) {
  harness_.add(t_, Phase::kSubmit, [&h = harness_, spec] {
    h.step(controller::Submit{{++h.requests_}, spec});
  });
  return *this;
}
Harness::At Harness::At::once(const JobBuilder& job, const std::string& key, std::uint64_t fingerprint) {
  harness_.add(t_, Phase::kSubmit, [&h = harness_, spec = job.spec(), key, fingerprint] {
    h.step(controller::Submit{{++h.requests_}, spec, controller::IdempotencyKey{key, fingerprint}});
  });
  return *this;
}
Harness::At Harness::At::cancel(std::uint64_t job) {
  harness_.add(t_, Phase::kCancel, [&h = harness_, job] {
    h.step(controller::Cancel{{++h.requests_}, {job}});
  });
  return *this;
}
Harness::At Harness::At::scale(std::uint64_t job, std::uint32_t count) {
  harness_.add(t_, Phase::kCancel, [&h = harness_, job, count] {
    h.step(controller::Scale{{++h.requests_}, {job}, count});
  });
  return *this;
}
Harness::At Harness::At::update(std::uint64_t job, const JobSpecPtr& spec) {
  harness_.add(t_, Phase::kCancel, [&h = harness_, job, spec] {
    h.step(controller::Update{{++h.requests_}, {job}, spec});
  });
  return *this;
}
Harness::At Harness::At::drain(std::uint64_t node, bool evict) {
  harness_.add(t_, Phase::kCancel, [&h = harness_, node, evict] {
    h.step(controller::Drain{{++h.requests_}, {node}, evict});
  });
  return *this;
}
Harness::At Harness::At::undrain(std::uint64_t node) {
  harness_.add(t_, Phase::kCancel, [&h = harness_, node] {
    h.step(controller::Undrain{{++h.requests_}, {node}});
  });
  return *this;
}
Harness::At Harness::At::crash(std::uint32_t node) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node] {
    h.hosts_[node].agent.reset();
    h.hosts_[node].runs.clear();
    h.hosts_[node].exits.clear();
  });
  return *this;
}
Harness::At Harness::At::kill_agent(std::uint32_t node) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node] { h.hosts_[node].agent.reset(); });
  return *this;
}
Harness::At Harness::At::boot(std::uint32_t node) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node] { h.boot(node); });
  return *this;
}
Harness::At Harness::At::sicken(AttemptId attempt, bool sick) {
  harness_.add(t_, Phase::kFault, [&h = harness_, attempt, sick] {
    if (sick)
      h.sick_.insert(attempt);
    else
      h.sick_.erase(attempt);
  });
  return *this;
}
Harness::At Harness::At::hang(AttemptId attempt) {
  harness_.add(t_, Phase::kFault, [&h = harness_, attempt] { h.hanging_.insert(attempt); });
  return *this;
}
Harness::At Harness::At::cut(std::uint32_t node) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node] { h.hosts_[node].cut = true; });
  return *this;
}
Harness::At Harness::At::heal(std::uint32_t node) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node] { h.hosts_[node].cut = false; });
  return *this;
}
Harness::At Harness::At::replace_controller() {
  harness_.add(t_, Phase::kFault, [&h = harness_] { h.restore(); });
  return *this;
}
Harness::At Harness::At::forget_all() {
  harness_.add(t_, Phase::kFault, [&h = harness_] {
    h.store_ = {};
    h.controller_ = std::make_unique<Controller>(h.config_);
  });
  return *this;
}
Harness::At Harness::At::deliver(std::uint32_t node, const msg::ToAgent& message) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node, message] {
    if (h.hosts_[node].agent) h.step(node, agent::Delivered{message});
  });
  return *this;
}
Harness::At Harness::At::deliver(std::uint32_t node, const msg::FromAgent& message) {
  harness_.add(t_, Phase::kFault, [&h = harness_, node, message] {
    h.step(controller::Received{link_of(node), message});
  });
  return *this;
}

// ---- Time

Harness& Harness::run_until(Duration since_start) {
  const Instant end(since_start);
  for (Instant t = next_instant(); t <= end; t = next_instant()) play(t);
  now_ = end;
  return *this;
}

Harness& Harness::run(Duration limit) {
  const Instant end = now_ + limit;
  while (!quiet()) {
    const Instant t = next_instant();
    if (t > end) {
      throw std::runtime_error("not quiet after " + time_text(end) +
                               " s; last: " + (lines_.empty() ? std::string("nothing") : lines_.back()));
    }
    play(t);
  }
  return *this;
}

Instant Harness::next_instant() const {
  Instant next = controller_->next_deadline().value_or(kNever);
  if (!script_.empty()) next = std::min(next, script_.begin()->first);
  if (!mail_.empty()) next = std::min(next, mail_.begin()->first);
  for (const Host& host : hosts_) {
    if (host.agent) next = std::min(next, host.agent->next_deadline().value_or(kNever));
    for (const auto& [attempt, run] : host.runs) next = std::min(next, run.ends);
  }
  return std::max(next, now_);
}

bool Harness::quiet() const {
  if (!script_.empty() || ended_.size() < accepted_.size()) return false;
  for (const auto& [due, letter] : mail_)
    if (letter.as<msg::Heartbeat>() == nullptr) return false;
  return std::all_of(hosts_.begin(), hosts_.end(),
                     [](const Host& host) { return !host.agent || host.agent->held() == 0; });
}

/// The rounds of one instant: faults, completions, messages until quiet, cancels, submissions, one Wake.
void Harness::play(Instant now) {
  now_ = now;
  for (int round = 0; round < kMaxRounds; ++round) {
    play_actions(Phase::kFault);
    play_completions();
    while (play_messages()) continue;
    play_actions(Phase::kCancel);
    play_actions(Phase::kSubmit);
    const auto due = controller_->next_deadline();
    if (!arrived_ && !(due && *due <= now)) return;
    wake_controller();
  }
  throw std::runtime_error("livelock at " + time_text(now));
}

bool Harness::play_actions(Phase phase) {
  std::vector<Action> due;
  const auto end = script_.upper_bound(now_);
  for (auto it = script_.begin(); it != end;) {
    if (it->second.phase != phase) {
      ++it;
      continue;
    }
    due.push_back(std::move(it->second));
    it = script_.erase(it);
  }
  for (const Action& action : due) action.perform();
  return !due.empty();
}

bool Harness::play_completions() {
  std::vector<std::tuple<AttemptId, std::uint32_t, Run>> over;
  for (std::uint32_t n = 0; n < hosts_.size(); ++n)
    for (const auto& [attempt, run] : hosts_[n].runs)
      if (run.ends <= now_) over.emplace_back(attempt, n, run);
  std::sort(over.begin(), over.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  for (const auto& [attempt, n, run] : over) {
    Host& host = hosts_[n];
    if (host.runs.erase(attempt) == 0) continue;
    host.exits[attempt] = run;
    if (host.agent) {
      step(n, agent::Exited{attempt, run.outcome, run.exit_code});
      if (run.worker) ask_if_pulling(n, *run.worker);
      continue;
    }
    // Operations die with the process that executes them; else the agent says so.
    for (auto it = host.runs.begin(); it != host.runs.end();) {
      if (it->second.worker == attempt) {
        it->second.outcome = Outcome::kLost;
        host.exits.insert(*it);
        it = host.runs.erase(it);
      } else {
        ++it;
      }
    }
  }
  return !over.empty();
}

/// One sweep: what has arrived by now, then the agents that wanted to be woken. False if there was nothing.
bool Harness::play_messages() {
  std::vector<Letter> arrived;
  const auto end = mail_.upper_bound(now_);
  for (auto it = mail_.begin(); it != end; it = mail_.erase(it)) arrived.push_back(std::move(it->second));
  std::stable_sort(arrived.begin(), arrived.end(), [](const Letter& a, const Letter& b) {
    return std::tie(a.node, a.number) < std::tie(b.node, b.number);
  });
  for (const Letter& letter : arrived) {
    if (const auto* up = std::get_if<msg::FromAgent>(&letter.body))
      step(controller::Received{link_of(letter.node), *up});
    else if (hosts_[letter.node].agent)
      step(letter.node, agent::Delivered{std::get<msg::ToAgent>(letter.body)});
  }
  bool woken = false;
  for (std::uint32_t n = 0; n < hosts_.size(); ++n) {
    if (!hosts_[n].agent || hosts_[n].agent->next_deadline().value_or(kNever) > now_) continue;
    step(n, Wake{});
    woken = true;
    if (hosts_[n].agent->next_deadline().value_or(kNever) <= now_)
      throw std::runtime_error("an agent wants to be woken again at " + time_text(now_));
  }
  return woken || !arrived.empty();
}

void Harness::wake_controller() {
  step(Wake{});
  arrived_ = false;
  if (controller_->next_deadline().value_or(kNever) <= now_)
    throw std::runtime_error("the controller wants to be woken again at " + time_text(now_));
}

// ---- The machines and their commands

void Harness::step(const controller::Event& event) {
  controller::Commands commands;
  controller_->step(now_, event, commands);
  arrived_ = true;
  // Released as a unit: first what must be durable, then what may be seen.
  for (const auto& command : commands)
    if (const auto* persist = std::get_if<controller::Persist>(&command)) store_.put(persist->record);
  for (const auto& command : commands) {
    if (const auto* sent = std::get_if<controller::Send>(&command)) {
      if (sent->link.value >= 1 && sent->link.value <= hosts_.size())
        send(static_cast<std::uint32_t>(sent->link.value - 1), sent->message);
    } else if (const auto* reply = std::get_if<controller::Reply>(&command)) {
      replies_.push_back(reply_text(now_, *reply));
      if (std::holds_alternative<controller::Submit>(event) && reply->refusal.empty())
        accepted_.push_back(reply->job);
    } else if (const auto* published = std::get_if<controller::Publish>(&command)) {
      note(published->notice);
    }
  }
  if (++steps_ == restore_after_) restore();
}

void Harness::note(const controller::Notice& notice) {
  lines_.push_back(notice_text(now_, notice));
  if (const auto* job = std::get_if<controller::JobChanged>(&notice); job != nullptr && terminal(job->state))
    ended_.emplace_back(job->job, job->state);
}

void Harness::restore() {
  controller_ = std::make_unique<Controller>(config_);
  // In an order that no controller may rely on: tasks and jobs before nodes, the highest keys first.
  std::vector<Record> records = store_.records();
  std::reverse(records.begin(), records.end());
  step(controller::Restore{std::move(records)});
}

void Harness::boot(std::uint32_t node) {
  Host& host = hosts_[node];
  if (host.agent) return;
  host.agent = std::make_unique<Agent>(host.config);
  agent::Boot event{BootNonce{1000 * (node + 1) + ++host.lives}, {}};
  for (const auto& [attempt, run] : host.runs) {
    agent::Adopted adopted{attempt, run.worker, run.ordered};
    if (run.times_out != kNever) adopted.timeout_left = std::max(run.times_out - now_, Duration{1});
    adopted.health = run.health;
    if (run.health)
      adopted.health->start_period = std::max(run.health->start_period - (now_ - run.began), Duration{0});
    adopted.kept = run.kept;
    event.adopted.push_back(adopted);
  }
  for (const auto& [attempt, run] : host.exits) {
    event.adopted.push_back({attempt, run.worker, run.ordered, false, run.outcome, run.exit_code});
    event.adopted.back().kept = run.kept;
  }
  std::sort(event.adopted.begin(), event.adopted.end(),
            [](const agent::Adopted& a, const agent::Adopted& b) { return a.attempt < b.attempt; });
  step(node, event);
  for (const agent::Adopted& adopted : event.adopted) ask_if_pulling(node, adopted.attempt);
}

/// A worker that pulls, and does nothing, asks for an operation.
void Harness::ask_if_pulling(std::uint32_t node, AttemptId worker) {
  const auto& runs = hosts_[node].runs;
  const auto it = runs.find(worker);
  if (it == runs.end() || !it->second.behaviour.pulls) return;
  for (const auto& [attempt, run] : runs)
    if (run.worker == worker) return;
  step(node, agent::Asked{worker});
}

void Harness::step(std::uint32_t node, const agent::Event& event) {
  agent::Commands commands;
  hosts_[node].agent->step(now_, event, commands);
  for (const auto& command : commands) {
    if (const auto* report = std::get_if<agent::Report>(&command)) send(node, report->message);
    if (const auto* launch = std::get_if<agent::Launch>(&command)) perform(node, *launch);
    if (const auto* order = std::get_if<agent::Terminate>(&command)) perform(node, *order);
    if (const auto* known = std::get_if<agent::Forget>(&command)) hosts_[node].exits.erase(known->attempt);
    if (const auto* keep = std::get_if<msg::Keep>(&command))
      if (const auto run = hosts_[node].runs.find({keep->task.task, keep->task.attempt});
          run != hosts_[node].runs.end())
        run->second.kept = {*keep};
    if (const auto* probe = std::get_if<agent::Probe>(&command)) perform(node, *probe);
  }
}

void Harness::perform(std::uint32_t node, const agent::Launch& launch) {
  Host& host = hosts_[node];
  Run run;
  if (launch.work.payload) run.behaviour = Behaviour::decoded(*launch.work.payload);
  if (run.behaviour.unstartable) {
    step(node, agent::Exited{launch.attempt, Outcome::kLaunchFailed, 127});
    return;
  }
  run.worker = launch.worker;
  run.health = launch.work.health;
  run.began = now_;
  for (const auto& [other, its] : host.runs)
    if (!run.worker && !its.worker && its.threads.intersects(launch.threads))
      collisions_.push_back(time_text(now_) + " " + attempt_text(launch.attempt) + " and " +
                            attempt_text(other) + " on n" + std::to_string(node));
  run.threads = launch.threads;
  run.ends = saturating_add(now_, launch.work.duration);
  if (launch.timeout > Duration{0}) run.times_out = saturating_add(now_, launch.timeout);
  const Behaviour& b = run.behaviour;
  if (launch.attempt.number <= b.fails && (!b.culprit_only || b.culprit == launch.attempt.task.index)) {
    run.outcome = Outcome::kFailed;
    run.exit_code = 1;
    if (b.fails_after > Duration{0}) run.ends = now_ + b.fails_after;
  }
  ++starts_[launch.attempt];
  host.runs[launch.attempt] = run;
  step(node, agent::Started{launch.attempt});
  ask_if_pulling(node, launch.attempt);
}

void Harness::perform(std::uint32_t node, const agent::Probe& probe) {
  if (!hosts_[node].runs.contains(probe.attempt) || hanging_.contains(probe.attempt)) return;
  step(node, agent::Probed{probe.attempt, probe.number, !sick_.contains(probe.attempt)});
}

void Harness::perform(std::uint32_t node, const agent::Terminate& order) {
  const auto it = hosts_[node].runs.find(order.attempt);
  if (it == hosts_[node].runs.end()) return;
  Run& run = it->second;
  run.ordered = order.why;
  if (run.behaviour.stubborn && !order.force) return;
  run.ends = now_;
  const bool obliges = run.behaviour.obliging && !order.force;
  run.outcome = obliges ? Outcome::kSucceeded : Outcome::kFailed;
  run.exit_code = obliges ? 0 : (order.force ? -9 : -15);
}

void Harness::send(std::uint32_t node, std::variant<msg::FromAgent, msg::ToAgent> body) {
  Host& host = hosts_[node];
  const Letter letter{node, ++host.letters, now_, std::move(body)};
  letters_.push_back(letter);
  if (host.cut) return;
  const std::vector<Duration> copies = fate_ ? fate_(letter) : std::vector<Duration>{Duration{0}};
  for (const Duration extra : copies) mail_.emplace(now_ + one_way_ + extra, letter);
}

// ---- Questions

Lines Harness::lines(std::string_view word) const {
  Lines found;
  for (const std::string& line : lines_)
    if (line.find(word) != std::string::npos) found.push_back(line);
  return found;
}

std::size_t Harness::running() const {
  std::size_t n = 0;
  for (const Host& host : hosts_) n += host.runs.size();
  return n;
}

std::map<std::uint64_t, std::string> verdicts(const Harness& harness) {
  std::map<std::uint64_t, std::string> all;
  for (const auto& [id, state] : harness.ended()) all[id.value] += name(state);
  return all;
}

Lines refusals(const Harness& harness) {
  Lines found;
  for (const std::string& reply : harness.replies())
    if (reply.find(" refused: ") != std::string::npos) found.push_back(reply);
  return found;
}

}  // namespace duet::test
