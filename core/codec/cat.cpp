#include "core/codec/cat.h"

#include <charconv>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/codec/json_text.h"
#include "core/codec/reflect.h"
#include "core/codec/render.h"

namespace duet::codec {

namespace {

/// Looks for a job or task in a value, through its fields.
class Search {
 public:
  explicit Search(const TraceFilter& filter) : filter_(filter) {}

  template <class T>
  bool names(const T& value) {
    found_ = false;
    look(value);
    return found_;
  }

 private:
  struct Fields {
    Search& in;
    template <class T>
    void operator()(const char*, const T& member) const {
      in.look(member);
    }
  };

  template <class T>
  void look(const T& value) {
    if constexpr (std::is_same_v<T, TaskId>) {
      found_ |= value.job == *filter_.job && (!filter_.task || value.index == *filter_.task);
    } else if constexpr (std::is_same_v<T, JobId>) {
      found_ |= value == *filter_.job;
    } else if constexpr (is_vector<T>) {
      for (const auto& element : value) look(element);
    } else if constexpr (is_optional<T>) {
      if (value) look(*value);
    } else if constexpr (is_variant<T>) {
      std::visit([&](const auto& alternative) { look(alternative); }, value);
    } else if constexpr (RecordType<const T> && !is_id<T> && !std::is_same_v<T, ThreadSet>) {
      T::fields(value, Fields{*this});
    }
  }

  const TraceFilter& filter_;
  bool found_ = false;
};

/// Renders a step if the filter wants it, with the commands that it wants. False if the bytes are no step.
template <class M>
bool render_wanted(std::string& out, const Frame& frame, const TraceFilter& filter) {
  Step<M> step;
  typename M::Commands commands;
  if (!decode(frame, step) || !decode_commands(step, commands)) return false;
  if (filter.job) {
    Search search(filter);
    std::erase_if(commands, [&](const auto& command) { return !search.names(command); });
    if (commands.empty() && !search.names(step.event)) return true;
  }
  render_step<M>(out, frame.number, frame.machine, frame.now, step.event,
                 std::span<const typename M::Command>(commands));
  return true;
}

bool render_wanted(std::string& out, const Frame& frame, const TraceFilter& filter) {
  const bool here = !filter.machine || *filter.machine == frame.machine;
  if (!here || frame.now < filter.from || frame.now > filter.to) return true;
  return frame.of_controller() ? render_wanted<Controller>(out, frame, filter)
                               : render_wanted<Agent>(out, frame, filter);
}

template <class T>
bool take(std::string_view& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{};
}

}  // namespace

Result<TraceFilter> filter_by_task(const std::string& text) {
  TraceFilter filter;
  std::string_view rest = text;
  std::uint32_t attempt = 0;
  bool ok = take(rest, filter.job.emplace().value);
  if (ok && rest.starts_with('.')) {
    rest.remove_prefix(1);
    ok = take(rest, filter.task.emplace());
    if (ok && rest.starts_with('#')) {
      rest.remove_prefix(1);
      ok = take(rest, attempt);
    }
  }
  if (!ok || !rest.empty())
    return Problem{text, "is no task", "17 (a job), 17.0 (a task) or 17.0#1 (an attempt)"};
  return filter;
}

Result<AttemptId> attempt_by_text(const std::string& text) {
  AttemptId id;
  std::string_view rest = text;
  bool ok = take(rest, id.task.job.value);
  if (ok && rest.starts_with('.')) {
    rest.remove_prefix(1);
    ok = take(rest, id.task.index);
  }
  if (ok && rest.starts_with('#')) {
    rest.remove_prefix(1);
    ok = take(rest, id.number);
  }
  if (!ok || !rest.empty())
    return Problem{text, "is no task", "17.0 (a task; 17 means its first) or 17.0#1 (an attempt)"};
  return id;
}

bool render_frame(std::string& out, const Frame& frame) { return render_wanted(out, frame, TraceFilter{}); }

Result<std::uint64_t> cat(TraceReader& reader, const CatOptions& options, TextSink& to) {
  if (options.framed) to.write("{\"header\":" + to_json(reader.header()) + "}\n");
  std::uint64_t lines = 0;
  std::string line;
  Frame frame;
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return more.problems();
    if (!*more) break;
    line.clear();
    if (!render_wanted(line, frame, options.filter)) return reader.broken(frame, "is not a step");
    if (line.empty()) continue;
    line += '\n';
    to.write(line);
    ++lines;
  }
  // A run that has not ended has no end line.
  if (options.framed && !reader.unfinished()) to.write(end_line(reader.summary()));
  return lines;
}

}  // namespace duet::codec
