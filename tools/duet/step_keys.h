// The keys of `duet trace step` on a terminal: forth, back, to a number, and out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <termios.h>

namespace duet::front {

/// Gives keys one by one, unechoed, until it is gone. To be made where it outlives what may crash.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

/// What a key asks for.
struct StepKey {
  enum class What : std::uint8_t { kNext, kPrevious, kJump, kQuit };
  What what = What::kQuit;
  std::uint64_t number = 0;  ///< To jump to.
};
/// Understands the characters that `read` gives (nothing: the end of the input), and shows a number as it is
/// typed by `echo`.
StepKey read_step_key(const std::function<std::optional<char>()>& read,
                      const std::function<void(const std::string&)>& echo);

}  // namespace duet::front
