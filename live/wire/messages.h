// What a controller's and an agent's programs say to each other: the machines' messages, and what people want
// to know beside them. Records of the codec; each travels as one frame.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/message.h"
#include "live/driver/cluster_view.h"
#include "live/runtime/runtime.h"

namespace duet::live::wire {

/// Raised when a message changes so that the other side would misread it.
inline constexpr std::uint32_t kProtocol = 6;

// ---- Agent to controller

/// First on every connection.
struct Hello {
  std::uint32_t protocol = kProtocol;
  std::string token;           ///< What the cluster's agents know.
  std::uint64_t instance = 0;  ///< Drawn at the start of the program: tells it from others of its name.
  AgentFacts agent;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("protocol", s.protocol);
    v("token", s.token);
    v("instance", s.instance);
    v("agent", s.agent);
  }
};

struct Learned {
  std::vector<AttemptFacts> attempts;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("attempts", s.attempts);
  }
};

/// Answers ReadLog.
struct LogPart {
  std::uint64_t request = 0;
  std::string problem;     ///< Empty if there is none.
  std::uint64_t from = 0;  ///< Of `bytes`, counted from the first byte that the attempt wrote.
  std::string bytes;
  bool ended = false;  ///< Nothing more will be written.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("problem", s.problem);
    v("from", s.from);
    v("bytes", s.bytes);
    v("ended", s.ended);
  }
};

using FromAgent = std::variant<Hello, msg::FromAgent, Learned, LogPart>;

// ---- Controller to agent

struct Welcome {
  std::string version;  ///< Of the controller's program.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("version", s.version);
  }
};

/// The connection ends with this.
struct Refused {
  std::string why;
  bool for_good = false;  ///< Asking again would not help.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("why", s.why);
    v("for_good", s.for_good);
  }
};

struct ReadLog {
  std::uint64_t request = 0;
  AttemptId attempt;
  bool errors = false;    ///< Standard error; else standard output.
  bool from_end = false;  ///< `from` counts back from the end.
  std::uint64_t from = 0;
  std::uint32_t at_most = 0;  ///< Bytes.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("request", s.request);
    v("attempt", s.attempt);
    v("errors", s.errors);
    v("from_end", s.from_end);
    v("from", s.from);
    v("at_most", s.at_most);
  }
};

using ToAgent = std::variant<Welcome, Refused, msg::ToAgent, ReadLog>;

}  // namespace duet::live::wire
