// A user's mistakes in a JSON file, shown as a good compiler shows them: where, what, the line, and what
// would be right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::sim {

class JsonDoc;

/// A stretch of a document's text, and the value it belongs to.
struct JsonPlace {
  static constexpr std::uint32_t kNone = 0xffffffffU;
  std::uint32_t begin = 0;  ///< First byte.
  std::uint32_t end = 0;    ///< Behind the last byte.
  std::uint32_t node = kNone;
  std::uint32_t element = kNone;  ///< Index in `node` if that is a packed array.
};

struct Mistake {
  JsonPlace place;
  std::string what;
  std::string hint;  ///< What would be right, "did you mean ...?"; may be empty.
};

/// Collects the mistakes of one document. Keeps the first few by position and counts the rest: a log of a
/// million rows can be wrong a million times.
class Mistakes {
 public:
  static constexpr std::size_t kShown = 50;

  void add(JsonPlace place, std::string what, std::string hint = {});
  std::size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// The first kShown in the order of the text.
  std::vector<Mistake> sorted() const;

 private:
  static void keep_first(std::vector<Mistake>& mistakes);
  std::vector<Mistake> kept_;
  std::size_t count_ = 0;
};

/// How bad what was collected is: a mistake keeps the document from being used.
enum class Severity : std::uint8_t { kMistake, kWarning };

/// One paragraph per mistake; of a warning `what` begins with "warning: ":
///   file:line:col: /pointer: what
///     12 | the line
///        |     ^~~~
///        = hint
/// Lines and columns count from 1, columns in characters.
std::string render(const JsonDoc& doc, const Mistakes& mistakes, Severity severity = Severity::kMistake);

/// The same as values; `where` is file:line:col: /pointer.
Problems to_problems(const JsonDoc& doc, const Mistakes& mistakes);

/// `text` with everything that could act on a terminal (control and direction characters, invalid UTF-8)
/// replaced by one visible character each.
std::string printable(std::string_view text);

/// Characters of `text` as printable() shows them.
std::size_t width(std::string_view text);

/// The candidate that `word` may have been meant to be, by the number of typing slips between them; empty if
/// none is near. Ties go to the first.
std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates);

/// "did you mean `x`?", or the fallback if nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string fallback = {});

/// `word` in backquotes, printable, cut if it is very long.
std::string backquoted(std::string_view word);

}  // namespace duet::sim
