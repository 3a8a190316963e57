// What starts, watches and ends attempts for an agent: processes; containers later. It only executes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/machine.h"
#include "core/result.h"

namespace duet::live {

/// What people want to know of an attempt that runs, or ran, here. None of it decides anything.
struct AttemptFacts {
  AttemptId attempt;
  std::int64_t pid = 0;                ///< In the host's numbering; 0 = none.
  std::vector<std::uint32_t> cpus{};   ///< Real processors that it may use; ascending.
  std::vector<std::uint32_t> ports{};  ///< TCP ports it was given, in the order it asked for them.
  std::int64_t cpu_ns = 0;             ///< Processor time so far, all its processes.
  std::int64_t memory = 0;             ///< Bytes resident, all its processes; as last looked at.
  std::string reason{};                ///< Why it ended so or could not start, in words; may be empty.
  std::string result{};                ///< What an operation has found, JSON; empty: it found nothing (yet).
  std::uint32_t strayed = 0;           ///< Its processes that may run on other processors than `cpus`.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("pid", s.pid);
    v("cpus", s.cpus);
    v("ports", s.ports);
    v("cpu_ns", s.cpu_ns);
    v("memory", s.memory);
    v("reason", s.reason);
    v("result", s.result);
    v("strayed", s.strayed);
  }
};

class Runtime {
 public:
  /// Called on the thread of the io_context.
  struct Hooks {
    std::function<void(agent::Event)> event;        ///< Started, Exited, Asked, Probed.
    std::function<void(const AttemptFacts&)> fact;  ///< When pid, ports or the reason of an end become known.
    /// Everything it ran is gone, or it cannot be reached: the agent is to begin a new life with open().
    std::function<void(std::string why)> lost;
  };

  virtual ~Runtime() = default;

  /// Finds what outlived an earlier agent: for the first Boot of this one, ascending by attempt.
  using Opened = std::function<void(Result<std::vector<agent::Adopted>>)>;
  virtual void open(Opened done) = 0;

  /// Answers with Started and then Exited, or with Exited{kLaunchFailed} alone. An operation goes to its
  /// worker, and is lost with it.
  virtual void launch(const agent::Launch& order) = 0;
  /// Politely, or by force: then nothing of the attempt is left, children in sessions of their own included.
  virtual void terminate(const agent::Terminate& order) = 0;
  /// Asks the attempt whether it works, as its payload says; answers with Probed, or not at all.
  virtual void probe(const agent::Probe& order) = 0;
  /// To be given back by a later open(), if the attempt is.
  virtual void keep(const msg::Keep& order) = 0;
  /// The end of this attempt need not be told to a later agent.
  virtual void forget(AttemptId attempt) = 0;

  /// Measures what runs: pids, processor time, memory. Of very many only some, and the others at the next
  /// call.
  virtual void sample(std::function<void(std::vector<AttemptFacts>)> done) = 0;
  /// Ends everything, politely and after `grace` by force, and then itself; `done` when nothing is left.
  virtual void shut_down(Duration grace, std::function<void()> done) = 0;
};

}  // namespace duet::live
