#include "core/codec/diff.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "core/codec/cat.h"

namespace duet::codec {

namespace {

bool same(const Frame& a, const Frame& b) {
  return a.machine == b.machine && a.now == b.now && std::ranges::equal(a.content, b.content);
}

/// A frame that outlives its reader's next step.
struct KeptFrame {
  Frame frame;
  std::vector<std::uint8_t> content;

  explicit KeptFrame(const Frame& f) : frame(f), content(f.content.begin(), f.content.end()) {}
  std::string line() {
    frame.content = content;
    std::string out;
    if (!render_frame(out, frame)) out = "(not a step)";
    return out;
  }
};

std::string line_of(bool there, const Frame& frame) {
  return there ? KeptFrame(frame).line() : std::string();
}

}  // namespace

Result<TraceDifference> diff(TraceReader& left, TraceReader& right, std::size_t context) {
  TraceDifference out;
  out.header = header_differences(left.header(), right.header());
  std::deque<KeptFrame> before;
  Frame l;
  Frame r;
  for (;;) {
    const auto more_left = left.next(l);
    if (!more_left) return more_left.problems();
    const auto more_right = right.next(r);
    if (!more_right) return more_right.problems();
    if (!*more_left && !*more_right) return out;
    if (*more_left && *more_right && same(l, r)) {
      before.emplace_back(l);
      if (before.size() > context) before.pop_front();
      continue;
    }
    auto& body = out.body.emplace();
    body.step = *more_left ? l.number : r.number;
    for (auto& kept : before) body.context.push_back(kept.line());
    body.left = line_of(*more_left, l);
    body.right = line_of(*more_right, r);
    return out;
  }
}

std::string to_text(const TraceDifference& difference) {
  std::string out;
  const auto or_absent = [](const std::string& text, const char* absent) {
    return text.empty() ? absent : text;
  };
  for (const auto& field : difference.header)
    out += "header " + field.where + ": " + or_absent(field.left, "absent") + " | " +
           or_absent(field.right, "absent") + '\n';
  if (!difference.body) return out;
  const StepDifference& body = *difference.body;
  out += "the first difference is step " + std::to_string(body.step) + '\n';
  for (const auto& line : body.context) out += "    " + line + '\n';
  out += "  < " + or_absent(body.left, "(the trace has ended)") + '\n';
  out += "  > " + or_absent(body.right, "(the trace has ended)") + '\n';
  return out;
}

}  // namespace duet::codec
