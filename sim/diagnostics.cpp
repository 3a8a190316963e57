#include "sim/diagnostics.h"

#include <algorithm>

#include "sim/json_doc.h"

namespace duet::sim {
namespace {

/// One character of UTF-8 text: its length in bytes (1 if invalid) and its code point (-1 if invalid).
struct Character {
  std::size_t length = 1;
  std::int32_t code = -1;
};

Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  std::int32_t code = lead & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3f);
  }
  const std::int32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {length, code};
}

bool hidden(std::int32_t code) {
  return (code >= 0x7f && code <= 0x9f) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
         code == 0xad || code == 0x61c;
}

template <class F>
void for_each_character(std::string_view text, F&& f) {
  while (!text.empty()) {
    const Character c = decode(text);
    f(text.substr(0, c.length), c.code);
    text.remove_prefix(c.length);
  }
}

constexpr std::size_t kWindow = 100;  // characters of a line that are shown

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The line of `spot` cut to what fits around the caret, and the caret line below it.
void append_excerpt(std::string& out, const JsonDoc::Spot& spot) {
  const std::string_view line = spot.line_text;
  const auto caret = static_cast<std::size_t>(spot.marked.data() - line.data());
  // Characters before the caret: all if the line is short, else a third of the window; a line can have
  // gigabytes.
  const bool whole = line.size() <= kWindow;
  std::size_t from = caret;
  for (std::size_t n = 0; from > 0 && (whole || n < kWindow / 3); ++n) {
    --from;
    while (from > 0 && continues(line[from])) --from;
  }
  std::size_t to = from;
  for (std::size_t n = 0; to < line.size() && (whole || n < kWindow); ++n) {
    ++to;
    while (to < line.size() && continues(line[to])) ++to;
  }
  const std::string number = spot.line == 0 ? "" : std::to_string(spot.line);
  const std::string front = from > 0 ? "..." : "";
  const std::size_t before = front.size() + width(line.substr(from, caret - from));
  const std::size_t length =
      std::max<std::size_t>(1, width(spot.marked.substr(0, std::max(to, caret) - caret)));
  out += "  " + number + " | " + front + printable(line.substr(from, to - from)) +
         (to < line.size() ? "..." : "");
  out += "\n  " + std::string(number.size(), ' ') + " | " + std::string(before, ' ') + '^';
  out += std::string(length - 1, '~') + '\n';
}

std::string where(const JsonDoc& doc, const Mistake& mistake, const JsonDoc::Spot& spot) {
  std::string text = spot.source;
  if (spot.line > 0) text += ':' + std::to_string(spot.line) + ':' + std::to_string(spot.column);
  std::string pointer = doc.pointer(mistake.place);
  constexpr std::size_t kLongest = 200;  // a name can have gigabytes, too
  if (pointer.size() > kLongest) pointer = pointer.substr(0, kLongest) + "...";
  return pointer.empty() ? text : text + ": " + pointer;
}

/// Damerau and Levenshtein's distance (insert, delete, replace, swap neighbours), at most `limit` + 1.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

void Mistakes::keep_first(std::vector<Mistake>& mistakes) {
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.place.begin < b.place.begin; });
  if (mistakes.size() > kShown) mistakes.resize(kShown);
}

void Mistakes::add(JsonPlace place, std::string what, std::string hint) {
  ++count_;
  kept_.push_back({place, std::move(what), std::move(hint)});
  if (kept_.size() >= 20 * kShown) keep_first(kept_);
}

std::vector<Mistake> Mistakes::sorted() const {
  std::vector<Mistake> result = kept_;
  keep_first(result);
  return result;
}

std::string render(const JsonDoc& doc, const Mistakes& mistakes, Severity severity) {
  const bool warns = severity == Severity::kWarning;
  std::string out;
  for (const Mistake& mistake : mistakes.sorted()) {
    const JsonDoc::Spot spot = doc.locate(mistake.place);
    out += printable(where(doc, mistake, spot)) + (warns ? ": warning: " : ": ") + mistake.what + '\n';
    append_excerpt(out, spot);
    const std::size_t indent = spot.line == 0 ? 0 : std::to_string(spot.line).size();
    if (!mistake.hint.empty()) out += "  " + std::string(indent, ' ') + " = " + mistake.hint + '\n';
  }
  if (mistakes.count() > Mistakes::kShown)
    out += "... and " + std::to_string(mistakes.count() - Mistakes::kShown) +
           (warns ? " more warnings\n" : " more mistakes\n");
  return out;
}

Problems to_problems(const JsonDoc& doc, const Mistakes& mistakes) {
  Problems problems;
  for (const Mistake& mistake : mistakes.sorted())
    problems.push_back(
        {printable(where(doc, mistake, doc.locate(mistake.place))), mistake.what, mistake.hint});
  return problems;
}

std::string printable(std::string_view text) {
  std::string out;
  for_each_character(text, [&](std::string_view bytes, std::int32_t code) {
    if (code == '\t')
      out += ' ';
    else if (code >= 0 && code < 0x20)  // U+2400 ...: the picture of the control character
      out += std::string("\xe2\x90") + static_cast<char>(0x80 + code);
    else if (code < 0 || hidden(code))
      out += "\xef\xbf\xbd";
    else
      out += bytes;
  });
  return out;
}

std::size_t width(std::string_view text) {
  std::size_t count = 0;
  for_each_character(text, [&](std::string_view, std::int32_t) { ++count; });
  return count;
}

std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates) {
  // One slip in three letters is still a slip; more is another word.
  std::size_t limit = std::min<std::size_t>(3, (word.size() + 2) / 3);
  if (word.size() > 64) return {};
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    const std::size_t d = distance(word, candidate, limit);
    if (d > limit || d >= candidate.size()) continue;
    best = candidate;
    if (d == 0) break;
    limit = d - 1;  // only a nearer one beats it
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string fallback) {
  if (const std::string_view near = closest(word, candidates); !near.empty())
    return "did you mean " + backquoted(near) + "?";
  constexpr std::size_t kShortest = 3;  // what is shorter is in too many names
  constexpr std::size_t kMost = 6;
  std::vector<std::string_view> around;
  for (const std::string_view candidate : candidates)
    if (word.size() >= kShortest && candidate.find(word) != std::string_view::npos)
      around.push_back(candidate);
  if (around.empty()) return fallback;
  std::string names;
  for (std::size_t i = 0; i < std::min(around.size(), kMost); ++i)
    names += (i == 0                                             ? ""
              : i + 1 == around.size() && around.size() <= kMost ? " or "
                                                                 : ", ") +
             backquoted(around[i]);
  return "did you mean " + names + (around.size() > kMost ? " ...?" : "?");
}

std::string backquoted(std::string_view word) {
  constexpr std::size_t kLongest = 60;
  std::string shown = printable(word.substr(0, kLongest));
  if (word.size() > kLongest) shown += "...";
  return '`' + shown + '`';
}

}  // namespace duet::sim
