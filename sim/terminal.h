// Talking to whoever started the program: what the terminal can take, what went wrong, and that it was really
// said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::sim {

/// True if `descriptor` is a terminal that wants more than plain text: NO_COLOR is unset or empty, TERM is
/// not dumb.
bool fancy_terminal(int descriptor);

/// Columns of the terminal on `descriptor`, 80 if it does not say.
unsigned terminal_columns(int descriptor);

/// "where: what" per line, with what would be right in a line below; control characters made visible.
std::string to_text(const Problems& problems);

/// Writes data to standard output. False, with a message on standard error, if it could not be written whole.
[[nodiscard]] bool print(std::string_view text);

/// Says something on standard error.
void say(std::string_view text);

/// A command as a shell takes it, quoted where it must be.
std::string shell_words(const std::vector<std::string>& words);

/// The exit codes of every command.
inline constexpr int kExitOk = 0;        ///< Done, and the answer is yes.
inline constexpr int kExitNegative = 1;  ///< Done, and the answer is no: an assertion failed, things differ.
inline constexpr int kExitUsage =
    2;  ///< Not done: wrong usage, invalid input, a file that cannot be written.

}  // namespace duet::sim
