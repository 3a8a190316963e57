// The agent: launches attempts on its node, watches them, and tells the controller until the controller
// knows.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/config.h"
#include "core/machine.h"

namespace duet {

class Agent {
 public:
  using Event = agent::Event;
  using Command = agent::Command;
  using Commands = agent::Commands;

  explicit Agent(AgentConfig config);

  /// The first event must be Boot. Appends to `out`.
  void step(Instant now, const Event& event, Commands& out);
  /// When the next Wake is due; nothing if only an event can bring news.
  std::optional<Instant> next_deadline() const;

  bool registered() const { return epoch_.value != 0; }
  BootNonce boot() const { return boot_; }
  Epoch epoch() const { return epoch_; }
  std::size_t held() const { return held_.size(); }
  /// True if the attempt runs here and is to be relied on.
  bool ready(AttemptId attempt) const;

 private:
  enum class Phase : std::uint8_t { kLaunching, kRunning, kEnded };
  /// An attempt that runs here, or ended without acknowledgement.
  struct Held {
    AttemptId attempt;
    Phase phase = Phase::kLaunching;
    bool terminated = false;  ///< A polite Terminate went out.
    bool timed_out = false;
    bool unhealthy = false;  ///< It failed its health check.
    Outcome outcome = Outcome::kSucceeded;
    std::int32_t exit_code = 0;
    Duration cpu{0};
    bool orphaned = false;              ///< An operation whose worker has ended.
    bool asking = false;                ///< A worker that pulls waits for an operation.
    std::uint32_t asked = 0;            ///< How often the controller was told so.
    std::optional<AttemptId> worker{};  ///< Of an operation.
    Instant kill_at = kNever;           ///< Timeout, then the end of the grace.
    Duration timeout{0};
    std::optional<HealthCheck> health{};
    std::shared_ptr<const msg::Keep> kept;  ///< For a controller that knows nothing of it; null: nothing.
    /// As AttemptId compares, in few instructions: this is asked at every step.
    bool operator<(AttemptId other) const {
      const TaskId &a = attempt.task, &b = other.task;
      if (a.job.value != b.job.value) [[likely]]
        return a.job.value < b.job.value;
      return a.index != b.index ? a.index < b.index : attempt.number < other.number;
    }
  };

  /// A running attempt with a health check.
  struct Watched {
    AttemptId attempt;
    HealthCheck check;
    Instant counts_from;         ///< Earlier failures do not count, unless it was ready before.
    Instant due;                 ///< Of the next probe; while one is under way, of giving it up.
    std::uint32_t asking = 0;    ///< The number of the probe under way; 0 = none is.
    std::uint32_t failures = 0;  ///< In a row, that count.
    bool ready = false;
    bool adopted = false;    ///< What an earlier life told of it is not known.
    bool noted = true;       ///< The controller knows what it was told last.
    std::uint32_t told = 0;  ///< Under this number; 0 = nothing yet.
  };

  void on(const agent::Boot&);
  void on(const agent::Delivered&);
  void on(const agent::Started&);
  void on(const agent::Exited&);
  void on(const agent::Asked&);
  void on(const Wake&);
  void on(const agent::Probed&);

  void received(const msg::Registered&, const msg::ToAgent&);
  void received(const msg::Launch&);
  void received(const msg::Kill&);
  void received(const msg::Ack&);
  void received(const msg::Noted&);
  void received(const msg::Keep&);

  void register_anew();
  void ask_to_register();
  template <class Body>
  void report(Body body) {
    out_->emplace_back(std::in_place_type<agent::Report>,
                       agent::Report{{node_, boot_, epoch_, std::move(body)}});
  }
  void report_end(const Held& held);
  Held* find(AttemptId attempt);
  Held& hold(AttemptId attempt);
  void terminate(Held& held);
  static Outcome name_of_end(const Held& held);
  void ended(Held& held);
  void end_operations(AttemptId worker);
  void repeat();
  void ask(Held& worker);
  void stop_asking(Held& worker);
  void set_kill_at(Held& held, Instant at);

  // agent_health.cpp
  void watch(const Held& held, bool adopted = false);
  void stop_watching(const Held& held);
  void probe_due();
  void answered(Watched& watched, bool healthy);
  void set_ready(Watched& watched, bool ready);
  void tell(const Watched& watched);
  void tell_again();
  Watched* find_watched(AttemptId attempt);

  // What every step touches comes first, so that it shares cache lines.
  Instant now_;              ///< Of the step in progress.
  Commands* out_ = nullptr;  ///< Of the step in progress.
  BootNonce boot_;
  NodeId node_;
  Epoch epoch_;  ///< 0 while not registered.
  Instant heartbeat_at_ = kNever;
  Instant resend_at_ = kNever;      ///< Of the registration, or of unacknowledged ends.
  std::int32_t timed_ = 0;          ///< Held attempts with a kill_at.
  std::uint64_t launch_floor_ = 0;  ///< Launches up to this serial are stale.
  std::vector<Held> held_;          ///< Ascending by attempt; a node holds few.
  std::vector<Watched> watched_;    ///< Ascending by attempt.
  std::uint32_t probes_ = 0;        ///< So far, in this boot.
  /// Held attempts that have ended, asks that nothing answered, and readiness that is not noted.
  std::size_t unacknowledged_ = 0;
  std::uint32_t register_serial_ = 0;
  AgentConfig config_;
};

static_assert(Machine<Agent>);

}  // namespace duet
