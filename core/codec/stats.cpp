#include "core/codec/stats.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/codec/json_text.h"
#include "core/codec/reflect.h"

namespace duet::codec {

namespace {

/// The most telling variant inside a record: what a message or notice is about.
struct InnerKind {
  std::string& kind;
  template <class T>
  void operator()(const char*, const T& member) const {
    if constexpr (is_variant<T>) {
      kind += '.';
      kind += alternative_names<T>[member.index()];
    } else if constexpr (std::is_same_v<T, msg::FromAgent> || std::is_same_v<T, msg::ToAgent>) {
      T::fields(member, InnerKind{kind});
    }
  }
};

/// "received.heartbeat" for a variant that holds Received{FromAgent{Heartbeat}}.
template <class Variant>
void kind_of(std::string& out, const Variant& value) {
  out += alternative_names<Variant>[value.index()];
  std::visit(
      [&](const auto& alternative) {
        std::remove_cvref_t<decltype(alternative)>::fields(alternative, InnerKind{out});
      },
      value);
}

class Counter {
 public:
  template <class M>
  bool count(const Frame& frame, Step<M>& step, typename M::Commands& commands) {
    if (!decode(frame, step) || !decode_commands(step, commands, &sizes_)) return false;
    std::size_t in_commands = 0;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      add<M>(commands_, commands[i], sizes_[i]);
      in_commands += sizes_[i];
    }
    const std::size_t in_event = frame.content.size() - step.commands.size();
    add<M>(events_, step.event, in_event);
    out.frame_bytes += frame.size - in_commands - in_event;
    if (out.steps.size() <= frame.machine) out.steps.resize(frame.machine + 1);
    ++out.steps[frame.machine];
    if (frame.number == 1) out.first = frame.now;
    out.last = frame.now;
    return true;
  }

  TraceStats finish(const TraceSummary& summary) {
    out.summary = summary;
    out.events = list(events_);
    out.commands = list(commands_);
    return std::move(out);
  }

 private:
  struct Tally {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };
  using Tallies = std::map<std::string, Tally>;

  template <class M, class Variant>
  void add(Tallies& tallies, const Variant& value, std::size_t bytes) {
    key_ = std::is_same_v<M, Agent> ? "agent." : "";
    kind_of(key_, value);
    Tally& tally = tallies[key_];
    ++tally.count;
    tally.bytes += bytes;
  }
  static std::vector<KindCount> list(const Tallies& tallies) {
    std::vector<KindCount> out;
    for (const auto& [kind, tally] : tallies) out.push_back({kind, tally.count, tally.bytes});
    return out;
  }

  TraceStats out;
  Tallies events_;
  Tallies commands_;
  std::vector<std::size_t> sizes_;
  std::string key_;
};

void append_kinds(std::string& out, const std::vector<KindCount>& kinds) {
  out += '{';
  bool first = true;
  for (const auto& kind : kinds) {
    append_key(out, first, kind.kind);
    out += "{\"count\":";
    append_number(out, kind.count);
    out += ",\"bytes\":";
    append_number(out, kind.bytes);
    out += '}';
  }
  out += '}';
}

void append_row(std::string& out, std::string_view name, std::uint64_t count, std::uint64_t bytes) {
  const auto right = [&](std::uint64_t number) {
    const std::string digits = std::to_string(number);
    out.append(digits.size() < 14 ? 14 - digits.size() : 1, ' ');
    out += digits;
  };
  out += "  ";
  out += name;
  out.append(name.size() < 36 ? 36 - name.size() : 1, ' ');
  right(count);
  right(bytes);
  out += '\n';
}

}  // namespace

Result<TraceStats> stats(TraceReader& reader) {
  Counter counter;
  Step<Controller> controller_step;
  controller::Commands controller_commands;
  Step<Agent> agent_step;
  agent::Commands agent_commands;
  Frame frame;
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return more.problems();
    if (!*more) return counter.finish(reader.summary());
    const bool ok = frame.of_controller() ? counter.count(frame, controller_step, controller_commands)
                                          : counter.count(frame, agent_step, agent_commands);
    if (!ok) return reader.broken(frame, "is not a step");
  }
}

std::string to_json(const TraceStats& stats) {
  std::string out = "{\"digest\":\"" + stats.summary.digest + "\",\"steps\":";
  append_number(out, stats.summary.steps);
  out += ",\"bytes\":";
  append_number(out, stats.summary.bytes);
  out += ",\"frame_bytes\":";
  append_number(out, stats.frame_bytes);
  out += ",\"first_ns\":";
  append_number(out, to_ns(stats.first));
  out += ",\"last_ns\":";
  append_number(out, to_ns(stats.last));
  out += ",\"machines\":[";
  for (std::size_t i = 0; i < stats.steps.size(); ++i) {
    if (i != 0) out += ',';
    append_number(out, stats.steps[i]);
  }
  out += "],\"events\":";
  append_kinds(out, stats.events);
  out += ",\"commands\":";
  append_kinds(out, stats.commands);
  return out += "}\n";
}

std::string to_text(const TraceStats& stats) {
  const auto per_step = stats.summary.steps == 0 ? 0 : stats.summary.bytes / stats.summary.steps;
  std::string out = std::to_string(stats.summary.steps) + " steps, " + std::to_string(stats.summary.bytes) +
                    " bytes (" + std::to_string(per_step) + " each), from " +
                    std::to_string(to_ns(stats.first)) + " ns to " + std::to_string(to_ns(stats.last)) +
                    " ns\ndigest " + stats.summary.digest + '\n';
  std::uint64_t of_agents = 0;
  std::uint64_t acting = 0;
  for (std::size_t i = 1; i < stats.steps.size(); ++i) {
    of_agents += stats.steps[i];
    acting += stats.steps[i] != 0 ? 1 : 0;
  }
  out += std::to_string(stats.summary.steps - of_agents) + " of the controller, " +
         std::to_string(of_agents) + " of " + std::to_string(acting) + " agents\n";
  out += "events                                         count         bytes\n";
  for (const auto& kind : stats.events) append_row(out, kind.kind, kind.count, kind.bytes);
  out += "commands                                       count         bytes\n";
  for (const auto& kind : stats.commands) append_row(out, kind.kind, kind.count, kind.bytes);
  return out;
}

}  // namespace duet::codec
