#include "tools/duet/step_keys.h"

#include <charconv>

#include <unistd.h>

namespace duet::front {
namespace {

constexpr char kInterrupt = 3;
constexpr char kEndOfInput = 4;
constexpr char kErase = 127;

}  // namespace

RawTerminal::RawTerminal() {
  if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios raw = before_;
  // Without signals from keys: an interrupted program would leave the terminal as it is now.
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

RawTerminal::~RawTerminal() {
  if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

StepKey read_step_key(const std::function<std::optional<char>()>& read,
                      const std::function<void(const std::string&)>& echo) {
  using What = StepKey::What;
  std::string digits;
  for (;;) {
    const auto key = read();
    if (!key || *key == 'q' || *key == kInterrupt || *key == kEndOfInput) return {What::kQuit, 0};
    if (*key >= '0' && *key <= '9' && digits.size() < 18) {
      digits += *key;
      echo({*key});
    } else if ((*key == kErase || *key == '\b') && !digits.empty()) {
      digits.pop_back();
      echo("\b \b");
    } else if ((*key == '\n' || *key == '\r') && !digits.empty()) {
      std::uint64_t number = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
      return {What::kJump, number};
    } else if (*key == 'n' || *key == ' ' || *key == '\n' || *key == '\r') {
      return {What::kNext, 0};
    } else if (*key == 'p') {
      return {What::kPrevious, 0};
    }
  }
}

}  // namespace duet::front
