// The third driver: controller and agents in one function, with virtual time and scripted misfortune.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/agent.h"
#include "core/controller.h"
#include "core/record_store.h"
#include "tests/harness/builders.h"

namespace duet::test {

using Seconds = std::chrono::seconds;
using Lines = std::vector<std::string>;

/// A message between the controller and the agent of node `node`.
struct Letter {
  std::uint32_t node = 0;
  std::uint64_t number = 0;  ///< Per link, both directions together, in the order of sending.
  Instant sent;
  std::variant<msg::FromAgent, msg::ToAgent> body;

  /// The body, if it is a T: letter.as<msg::Launch>().
  template <class T>
  const T* as() const {
    const T* found = nullptr;
    const auto look = [&](const auto& one) {
      if constexpr (std::is_same_v<std::decay_t<decltype(one)>, T>) found = &one;
    };
    std::visit([&](const auto& message) { std::visit(look, message.body); }, body);
    return found;
  }
};

class Harness {
 public:
  /// Decides a letter's fate: the extra delay of each copy that arrives. {} = lost, {0s} = as usual.
  using Fate = std::function<std::vector<Duration>(const Letter&)>;

  explicit Harness(const ClusterBuilder& builder);

  /// What happens at an instant of the script; in any order, before that instant is played.
  class At {
   public:
    At(Harness& harness, Instant t) : harness_(harness), t_(t) {}
    At submit(const JobBuilder& job) { return submit(job.spec()); }
    At submit(const JobSpecPtr& spec);
    At once(const JobBuilder& job, const std::string& key, std::uint64_t fingerprint = 1);
    At cancel(std::uint64_t job);
    At scale(std::uint64_t job, std::uint32_t count);
    At update(std::uint64_t job, const JobSpecPtr& spec);
    At update(std::uint64_t job, const JobBuilder& spec) { return update(job, spec.spec()); }
    At drain(std::uint64_t node, bool evict = false);
    At evict(std::uint64_t node) { return drain(node, true); }
    At undrain(std::uint64_t node);
    At crash(std::uint32_t node);       ///< The agent and all it runs are gone.
    At kill_agent(std::uint32_t node);  ///< The agent is gone; what it runs goes on.
    At boot(std::uint32_t node);        ///< A new life of the agent; nothing if it is alive.
    At restart(std::uint32_t node) { return crash(node).boot(node); }
    At sicken(AttemptId attempt, bool sick = true);  ///< Its probes fail from now on; or succeed again.
    At hang(AttemptId attempt);                      ///< Its probes are not answered any more.
    At cut(std::uint32_t node);  ///< From now on nothing passes on this link, in either direction.
    At heal(std::uint32_t node);
    At replace_controller();  ///< A new one, restored from the records.
    At forget_all();          ///< A new one, and all records are gone.
    At deliver(std::uint32_t node, const msg::ToAgent& message);
    At deliver(std::uint32_t node, const msg::FromAgent& message);

   private:
    Harness& harness_;
    Instant t_;
  };
  At at(Duration since_start) { return At(*this, Instant(since_start)); }

  /// Plays every instant up to this one, this one included.
  Harness& run_until(Duration since_start);
  /// Plays until all jobs have ended and nothing is under way. Throws if that does not happen within `limit`.
  Harness& run(Duration limit = std::chrono::hours(24));
  /// Replaces the controller by a restored one after its k-th step, counted from 1.
  Harness& restore_after_step(std::uint64_t k) { return restore_after_ = k, *this; }
  Harness& fate(Fate fate) { return fate_ = std::move(fate), *this; }

  const Controller& controller() const { return *controller_; }
  const Agent& agent(std::uint32_t node) const { return *hosts_[node].agent; }
  /// Notices so far, those that contain `word`.
  Lines lines(std::string_view word = {}) const;
  const Lines& replies() const { return replies_; }
  const std::vector<Letter>& letters() const { return letters_; }
  const RecordStore& store() const { return store_; }
  std::uint64_t controller_steps() const { return steps_; }
  Instant now() const { return now_; }
  /// How often each attempt was started by a runtime; how many are running now.
  const std::map<AttemptId, std::uint32_t>& starts() const { return starts_; }
  std::size_t running() const;
  /// Jobs that were accepted, and the state in which each ended, once per end.
  const std::vector<JobId>& accepted() const { return accepted_; }
  const std::vector<std::pair<JobId, JobState>>& ended() const { return ended_; }
  /// Tells of two attempts that really ran on one hardware thread at a time. Meaningful if all tasks take
  /// whole ones.
  const Lines& collisions() const { return collisions_; }

 private:
  enum class Phase : std::uint8_t { kFault, kCancel, kSubmit };
  struct Action {
    Phase phase;
    std::function<void()> perform;
  };
  struct Run {
    Behaviour behaviour;
    std::optional<AttemptId> worker;  ///< Of an operation.
    ThreadSet threads;
    Instant ends = kNever;
    Instant times_out = kNever;      ///< As its agent will have it.
    std::optional<Outcome> ordered;  ///< It was told to end: Terminate::why.
    Outcome outcome = Outcome::kSucceeded;
    std::int32_t exit_code = 0;
    std::optional<HealthCheck> health{};
    Instant began{};
    std::vector<msg::Keep> kept{};  ///< One at most.
  };
  struct Host {
    AgentConfig config;
    std::unique_ptr<Agent> agent;  ///< Null while crashed.
    std::uint64_t lives = 0;
    std::uint64_t letters = 0;
    bool cut = false;
    std::map<AttemptId, Run> runs;
    std::map<AttemptId, Run> exits;  ///< What ended, until its agent may forget it.
  };

  void add(Instant t, Phase phase, std::function<void()> perform);
  void play(Instant now);
  bool play_actions(Phase phase);
  void ask_if_pulling(std::uint32_t node, AttemptId worker);
  bool play_completions();
  bool play_messages();
  void wake_controller();
  Instant next_instant() const;
  bool quiet() const;

  void step(const controller::Event& event);
  void step(std::uint32_t node, const agent::Event& event);
  void perform(std::uint32_t node, const agent::Launch& launch);
  void perform(std::uint32_t node, const agent::Terminate& order);
  void perform(std::uint32_t node, const agent::Probe& probe);
  void send(std::uint32_t node, std::variant<msg::FromAgent, msg::ToAgent> body);
  void note(const controller::Notice& notice);
  void boot(std::uint32_t node);
  void restore();

  ControllerConfig config_;
  Duration one_way_;
  std::unique_ptr<Controller> controller_;
  std::vector<Host> hosts_;
  RecordStore store_;
  Fate fate_;
  std::uint64_t steps_ = 0;
  std::uint64_t restore_after_ = 0;
  std::uint64_t requests_ = 0;
  bool arrived_ = false;  ///< Something reached the controller since its last Wake.

  Instant now_;
  std::multimap<Instant, Action> script_;
  std::multimap<Instant, Letter> mail_;
  Lines lines_, replies_, collisions_;
  std::vector<Letter> letters_;
  std::map<AttemptId, std::uint32_t> starts_;
  std::set<AttemptId> sick_, hanging_;
  std::vector<JobId> accepted_;
  std::vector<std::pair<JobId, JobState>> ended_;
};

/// How each job ended, by its id; twice in one text if it ended twice.
std::map<std::uint64_t, std::string> verdicts(const Harness& harness);

/// The replies that were refusals.
Lines refusals(const Harness& harness);

}  // namespace duet::test
