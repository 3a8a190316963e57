// DUET_CHECK: an invariant of our own code, tested in every build. A failure is a bug in Duet, never bad
// input.
#pragma once

namespace duet {

/// Prints the failed expression and stops the process. Never returns. Cold: what leads there lies apart from
/// what is executed, of which a cache holds too little as it is.
[[noreturn, gnu::cold]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace duet

#define DUET_CHECK(expression) \
  (static_cast<bool>(expression) ? void(0) : ::duet::check_failed(#expression, __FILE__, __LINE__))
