#include "core/codec/replay.h"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/codec/render.h"

namespace duet::codec {

namespace {

template <class Command>
std::vector<std::string> rendered_each(const std::vector<Command>& commands) {
  std::vector<std::string> out;
  for (const auto& command : commands) out.push_back(rendered(command));
  return out;
}

/// The machines of one trace and what is needed to step them.
class Player {
 public:
  explicit Player(const TraceReader& reader)
      : header_(reader.header()),
        from_start_(reader.steps_before() == 0),
        agents_(header_.agents.size()),
        last_(1 + header_.agents.size()) {}

  /// Steps the machine of this frame. False if it diverged; a text if the trace makes no sense.
  std::variant<bool, std::string> play(const Frame& frame) {
    if (frame.now < last_[frame.machine]) return "it lies before an earlier step of its machine";
    last_[frame.machine] = frame.now;
    if (frame.of_controller()) {
      return play<Controller>(frame, controller_, controller_scratch_);
    }
    return play<Agent>(frame, agents_[frame.machine - 1], agent_scratch_);
  }

  ReplayReport report;

 private:
  template <class M>
  struct Scratch {
    Step<M> step;
    typename M::Commands commands;
    typename M::Commands recorded;
  };

  /// Begins a new life where the event says so, or where none has begun. False if it cannot begin so.
  bool live(std::unique_ptr<Controller>& machine, const Frame&, const controller::Event& event) {
    if ((machine == nullptr && from_start_) || std::holds_alternative<controller::Restore>(event))
      machine = std::make_unique<Controller>(header_.controller);
    return machine != nullptr;
  }
  bool live(std::unique_ptr<Agent>& machine, const Frame& frame, const agent::Event& event) {
    if (std::holds_alternative<agent::Boot>(event))
      machine = std::make_unique<Agent>(header_.agents[frame.machine - 1]);
    return machine != nullptr;
  }

  template <class M>
  std::variant<bool, std::string> play(const Frame& frame, std::unique_ptr<M>& machine, Scratch<M>& s) {
    if (!decode(frame, s.step)) return "its event cannot be decoded";
    if (!live(machine, frame, s.step.event)) {
      if (from_start_) return "this agent acts before its boot";
      ++report.skipped;
      return true;
    }
    ++(frame.of_controller() ? report.controller_steps : report.agent_steps);
    s.commands.clear();
    machine->step(frame.now, s.step.event, s.commands);
    bytes_.clear();
    encode_commands<M>(bytes_, s.step.context.for_encoding(), s.commands);
    if (!std::ranges::equal(bytes_.span(), s.step.commands))
      return diverged(frame, s, "the commands differ from the recorded ones");
    const bool woken = std::is_same_v<M, Controller> && std::holds_alternative<Wake>(s.step.event);
    if (const auto due = woken ? machine->next_deadline() : std::nullopt; due && *due <= frame.now)
      return diverged(
          frame, s,
          "after this wake the next deadline, " + std::to_string(to_ns(*due)) + " ns, does not lie ahead");
    return true;
  }

  template <class M>
  std::variant<bool, std::string> diverged(const Frame& frame, Scratch<M>& s, std::string what) {
    if (!decode_commands(s.step, s.recorded)) return "its commands cannot be decoded";
    report.divergence = Divergence{frame.number,
                                   frame.offset,
                                   frame.now,
                                   frame.machine,
                                   std::move(what),
                                   rendered(s.step.event),
                                   rendered_each(s.recorded),
                                   rendered_each(s.commands)};
    return false;
  }

  const TraceHeader& header_;
  const bool from_start_;  ///< Else what began in segments that are gone cannot be played.
  std::unique_ptr<Controller> controller_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<Instant> last_;  // by machine
  Scratch<Controller> controller_scratch_;
  Scratch<Agent> agent_scratch_;
  ByteBuffer bytes_;
};

}  // namespace

Result<ReplayReport> replay(TraceReader& reader, std::atomic<std::uint64_t>* step) {
  if (Problems problems = check_policies(reader.header().controller); !problems.empty()) return problems;
  Player player(reader);
  Frame frame;
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return more.problems();
    if (!*more) break;
    if (step != nullptr) step->store(frame.number, std::memory_order_relaxed);
    const auto played = player.play(frame);
    if (const auto* problem = std::get_if<std::string>(&played)) return reader.broken(frame, *problem);
    if (!std::get<bool>(played)) return std::move(player.report);
  }
  player.report.summary = reader.summary();
  player.report.unfinished = reader.unfinished();
  return std::move(player.report);
}

std::string to_text(const ReplayReport& report) {
  std::string out = std::to_string(report.controller_steps) + " steps of the controller and " +
                    std::to_string(report.agent_steps) + " of agents replayed";
  if (!report.divergence) {
    out += ": every command as recorded\n";
    if (report.skipped > 0)
      out += std::to_string(report.skipped) +
             " steps before them could not be: they go on from segments that are gone\n";
    return report.unfinished ? out + *report.unfinished + '\n' : out;
  }
  const Divergence& d = *report.divergence;
  out += "\nstep " + std::to_string(d.step) + " (byte " + std::to_string(d.offset) + ") at " +
         std::to_string(to_ns(d.now)) + " ns, machine " + std::to_string(d.machine) + ": " + d.what +
         "\n  event " + d.event + '\n';
  const std::size_t rows = std::max(d.recorded.size(), d.recomputed.size());
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string* was = i < d.recorded.size() ? &d.recorded[i] : nullptr;
    const std::string* is = i < d.recomputed.size() ? &d.recomputed[i] : nullptr;
    if (was != nullptr && is != nullptr && *was == *is) {
      out += "            " + *was + '\n';
      continue;
    }
    if (was != nullptr) out += "  recorded  " + *was + '\n';
    if (is != nullptr) out += "  recomputed " + *is + '\n';
  }
  return out;
}

}  // namespace duet::codec
