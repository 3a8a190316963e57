// What an agent and its runner say to each other: records in the binary encoding, each behind its length.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/machine.h"
#include "live/runtime/runtime.h"

namespace duet::live::runner {

/// Both are of one release: another number, and they part.
inline constexpr std::uint32_t kProtocol = 4;

/// Of the socket in an open folder, whose own path may be longer than those of sockets can be. The folder has
/// to stay open meanwhile.
inline std::string socket_path(int folder) {
  return "/proc/self/fd/" + std::to_string(folder) + "/runner.sock";
}

// ---- From the agent

/// First of each connection; answered by Listed.
struct List {
  std::uint32_t protocol = kProtocol;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("protocol", s.protocol);
  }
};
struct Launch {
  agent::Launch order;
  std::vector<std::uint32_t> cpus;  ///< Real processors of its threads.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("order", s.order);
    v("cpus", s.cpus);
  }
};
/// Answered by Samples.
struct Sample {
  std::uint64_t number = 0;  ///< Echoed.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("number", s.number);
  }
};
/// The connection ends when nothing is left.
struct ShutDown {
  Duration grace{0};
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("grace", s.grace);
  }
};
using Request =
    std::variant<List, Launch, agent::Terminate, agent::Forget, Sample, ShutDown, agent::Probe, msg::Keep>;

// ---- From the runner

struct Listed {
  std::string refusal;                  ///< Empty, or why it will not work for this agent.
  std::vector<agent::Adopted> adopted;  ///< Ascending by attempt.
  std::vector<AttemptFacts> facts;      ///< Of the same.
  std::string words;                    ///< What limits attempts here, for people.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("refusal", s.refusal);
    v("adopted", s.adopted);
    v("facts", s.facts);
    v("words", s.words);
  }
};
struct Samples {
  std::uint64_t number = 0;
  std::vector<AttemptFacts> facts;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("number", s.number);
    v("facts", s.facts);
  }
};
/// Another agent has connected; this connection ends.
struct Replaced {
  template <class Self, class V>
  static void fields(Self&, V&&) {}
};
using Answer = std::variant<Listed, agent::Started, agent::Exited, AttemptFacts, Samples, Replaced,
                            agent::Asked, agent::Probed>;

}  // namespace duet::live::runner
