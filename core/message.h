// What controller and agents say to each other. Every message is fenced: boot nonce and epoch, and where it
// speaks of an attempt, the attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ids.h"
#include "core/model.h"

namespace duet::msg {

// ---- Agent to controller

/// "I am here." Sent until answered.
struct Register {
  std::string name;  ///< The agent's lasting name; the controller knows its node by it.
  std::uint32_t serial =
      0;  ///< Counts the registrations of one boot, so that a late duplicate is told from a new one.
  NodeOffer offer;
  std::vector<AttemptId> held;  ///< Attempts that run here or whose end is not yet acknowledged; ascending.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("name", s.name);
    v("serial", s.serial);
    v("offer", s.offer);
    v("held", s.held);
  }
};

struct Heartbeat {
  template <class Self, class V>
  static void fields(Self&, V&&) {}
};

struct AttemptStarted {
  AttemptId attempt;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
  }
};

/// Sent until acknowledged.
struct AttemptEnded {
  AttemptId attempt;
  Outcome outcome = Outcome::kSucceeded;
  std::int32_t exit_code = 0;  ///< As the operating system gave it: 0..255, or minus the signal.
  Duration cpu{0};             ///< Processor time that it used; 0 = not measured.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("outcome", s.outcome);
    v("exit_code", s.exit_code);
    v("cpu", s.cpu);
  }
};

/// A worker of a pool that pulls wants an operation. Sent until one comes.
struct Ask {
  AttemptId worker;
  std::uint32_t number = 0;  ///< Counts the asks of this attempt in the boot, repetitions included.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("worker", s.worker);
    v("number", s.number);
  }
};

/// Whether a running attempt with a health check is to be relied on. Sent until noted.
struct AttemptReady {
  AttemptId attempt;
  bool ready = false;
  std::uint32_t number = 0;  ///< Counts what this boot said of the attempt: a lower one is late.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("ready", s.ready);
    v("number", s.number);
  }
};

/// What a controller without a store leaves with an agent, of an attempt that it launches there: whoever
/// comes after it can take the attempt over.
struct Keep {
  JobRecord job;
  TaskRecord task;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("job", s.job);
    v("task", s.task);
  }
};

/// Register, of an agent that keeps something.
struct Rejoin {
  Register as;
  std::vector<Keep> kept;  ///< Of attempts that it holds and that it was not told to end.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("as", s.as);
    v("kept", s.kept);
  }
};

struct FromAgent {
  NodeId node;     ///< As the controller named it; meaningless in Register and Rejoin.
  BootNonce boot;  ///< Of the sending life.
  Epoch epoch;     ///< Of the registration the sender believes in; 0 in those.
  std::variant<Register, Heartbeat, AttemptStarted, AttemptEnded, Ask, AttemptReady, Rejoin> body;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("node", s.node);
    v("boot", s.boot);
    v("epoch", s.epoch);
    v("body", s.body);
  }
};

// ---- Controller to agent

/// Answers Register; the enclosing boot echoes the nonce, the enclosing epoch is the new one.
struct Registered {
  NodeId node;
  std::uint32_t serial = 0;  ///< Echoes Register's: what was held at any other registration may be old.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("node", s.node);
    v("serial", s.serial);
  }
};

/// "I do not know this registration": the agent registers again.
struct Fenced {
  template <class Self, class V>
  static void fields(Self&, V&&) {}
};

/// Run this attempt. `serial` counts the launches of one epoch: one that is not above all seen before is
/// stale.
struct Launch {
  AttemptId attempt;
  std::optional<AttemptId> worker{};  ///< Of an operation: the worker here that is to execute it.
  std::uint64_t serial = 0;
  Work work;
  std::int64_t cpu_m = 0;  ///< Millicores that it may use; below 1000: a share of one thread; 0: as it comes.
  ThreadSet threads;       ///< Which ones; empty on pools whose threads are not told apart.
  Duration timeout{0};     ///< 0 = never.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("worker", s.worker);
    v("serial", s.serial);
    v("work", s.work);
    v("cpu_m", s.cpu_m);
    v("threads", s.threads);
    v("timeout", s.timeout);
  }
};

/// End this attempt. Launches of it up to `serial` are void, even if they arrive later.
struct Kill {
  AttemptId attempt;
  std::uint64_t serial = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("serial", s.serial);
  }
};

/// The end of this attempt is on record: forget it. Launches of it up to `serial` are void.
struct Ack {
  AttemptId attempt;
  std::uint64_t serial = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("serial", s.serial);
  }
};

/// What AttemptReady said under this number is known.
struct Noted {
  AttemptId attempt;
  std::uint32_t number = 0;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempt", s.attempt);
    v("number", s.number);
  }
};

/// How this agent registers; null: the message is another one.
inline const Register* registration(const FromAgent& message) {
  if (const auto* again = std::get_if<Rejoin>(&message.body)) return &again->as;
  return std::get_if<Register>(&message.body);
}

struct ToAgent {
  BootNonce boot;  ///< The life it is meant for.
  Epoch epoch;     ///< The registration it belongs to; in Fenced, the one that is refused.
  std::variant<Registered, Fenced, Launch, Kill, Ack, Noted, Keep> body;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("boot", s.boot);
    v("epoch", s.epoch);
    v("body", s.body);
  }
};

}  // namespace duet::msg
