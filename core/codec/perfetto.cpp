#include "core/codec/perfetto.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/codec/cluster_view.h"
#include "core/codec/json_text.h"
#include "core/codec/render.h"

namespace duet::codec {

namespace {

/// One event of the format, as its members are added.
class Event {
 public:
  Event(std::string_view phase, std::string_view name, std::uint64_t process, std::uint64_t track) {
    text_ = "{\"ph\":\"";
    text_ += phase;
    text_ += "\",\"name\":";
    append_string(text_, name);
    text_ += ",\"pid\":";
    append_number(text_, process);
    text_ += ",\"tid\":";
    append_number(text_, track);
  }
  Event& at(Instant t) { return time("ts", to_ns(t)); }
  Event& lasting(Duration d) { return time("dur", to_ns(d)); }
  Event& text(std::string_view name, std::string_view value) {
    text_ += ",\"";
    text_ += name;
    text_ += "\":";
    append_string(text_, value);
    return *this;
  }
  /// `members` is the inside of a JSON object.
  Event& args(std::string_view members) {
    text_ += ",\"args\":{";
    text_ += members;
    text_ += '}';
    return *this;
  }
  std::string take() { return std::move(text_) + '}'; }

 private:
  Event& time(std::string_view name, std::int64_t ns) {
    text_ += ",\"";
    text_ += name;
    text_ += "\":";
    append_us(text_, ns);
    return *this;
  }
  std::string text_;
};

std::string member(std::string_view name, std::string_view value) {
  std::string out = "\"";
  out += name;
  out += "\":";
  append_string(out, value);
  return out;
}

class Drawing : public ClusterListener {
 public:
  explicit Drawing(TextSink& to) : to_(to) {
    to_.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    put(Event("M", "process_name", kCluster, 0).args(member("name", "cluster")));
  }

  void node_changed(NodeId id, const NodeView& node) override {
    Node& known = nodes_[id];
    known.cores = std::max(node.offer.cores, std::uint32_t{1});
    if (known.name == node.name && known.named) return;
    known.name = node.name;
    known.named = true;
    const std::string shown = node.name.empty() ? "node " + std::to_string(id.value) : node.name;
    put(Event("M", "process_name", process(id), 0).args(member("name", shown)));
  }

  void placed(const AttemptView& attempt) override {
    Node& node = nodes_[attempt.node];
    const bool alone = !attempt.threads.empty() && !attempt.threads.intersects(node.held);
    const auto retry = retries_.find(attempt.id.task);
    if (alone) {
      attempt.threads.for_each([&](std::uint32_t t) { node.held.insert(t); });
      drawn_.insert(attempt.id);
      if (retry != retries_.end()) {
        put(Event("f", "retry", process(attempt.node), track(attempt))
                .at(attempt.placed)
                .text("cat", "retry")
                .text("id", retry->second)
                .text("bp", "e"));
      }
    } else {
      put(async("b", attempt).at(attempt.placed));
    }
    if (retry != retries_.end()) retries_.erase(retry);
  }

  void ended(const AttemptView& attempt, Instant now, Outcome outcome, bool again) override {
    finish(attempt, now, enum_name(outcome));
    if (!again || !was_drawn_) return;
    // An arrow starts inside its slice.
    const Instant from = std::max(attempt.placed, now - Duration(1));
    const std::string id = to_text(attempt.id);
    put(Event("s", "retry", process(attempt.node), track(attempt))
            .at(from)
            .text("cat", "retry")
            .text("id", id));
    retries_[attempt.id.task] = id;
  }

  void stepped(Instant now, const ClusterView& view) override {
    if (now != now_) count();
    now_ = now;
    waiting_ = view.waiting();
    running_ = view.attempts().size();
  }

  std::uint64_t finish(const ClusterView& view) {
    count();
    for (const auto& [task, attempt] : view.attempts()) finish(attempt, now_, "unfinished");
    to_.write("\n]}\n");
    return events_;
  }

 private:
  static constexpr std::uint64_t kCluster = 0;

  struct Node {
    std::uint32_t cores = 1;
    std::string name;
    bool named = false;
    ThreadSet held;    ///< Threads whose tracks have an open slice.
    ThreadSet tracks;  ///< Threads whose tracks have a name.
  };

  static std::uint64_t process(NodeId id) { return id.value + 1; }

  /// True if this thread of the attempt is told by the track of its core's first thread.
  static bool hidden(const Node& node, const AttemptView& attempt, std::uint32_t thread) {
    return thread >= node.cores && attempt.threads.contains(thread % node.cores);
  }
  static std::uint64_t track(const AttemptView& attempt) { return attempt.threads.lowest() + 1U; }

  static Event async(std::string_view phase, const AttemptView& attempt) {
    const std::string id = to_text(attempt.id);
    return std::move(Event(phase, id, process(attempt.node), 0).text("cat", "attempt").text("id", id));
  }

  void finish(const AttemptView& attempt, Instant now, std::string_view outcome) {
    Node& node = nodes_[attempt.node];
    std::string args = member("outcome", outcome) + ',' + member("threads", to_text(attempt.threads));
    if (attempt.started) {
      args += ",\"start_latency_us\":";
      append_us(args, to_ns(*attempt.started - attempt.placed));
    }
    was_drawn_ = drawn_.erase(attempt.id) != 0;
    if (!was_drawn_) {
      put(async("e", attempt).at(now).args(args));
      return;
    }
    attempt.threads.for_each([&](std::uint32_t t) {
      node.held.erase(t);
      if (hidden(node, attempt, t)) return;
      name_track(attempt.node, node, t);
      put(Event("X", to_text(attempt.id), process(attempt.node), t + 1U)
              .at(attempt.placed)
              .lasting(now - attempt.placed)
              .args(args));
    });
  }

  void name_track(NodeId id, Node& node, std::uint32_t thread) {
    if (node.tracks.contains(thread)) return;
    node.tracks.insert(thread);
    const std::string name =
        "thread " + std::to_string(thread) + " (core " + std::to_string(thread % node.cores) + ")";
    put(Event("M", "thread_name", process(id), thread + 1U).args(member("name", name)));
  }

  /// The counters at the end of the instant that is over, if they changed.
  void count() {
    const std::pair state{waiting_, running_};
    if (state == counted_) return;
    counted_ = state;
    std::string args = "\"waiting\":";
    append_number(args, waiting_);
    put(Event("C", "waiting tasks", kCluster, 0).at(now_).args(args));
    args = "\"running\":";
    append_number(args, running_);
    put(Event("C", "attempts", kCluster, 0).at(now_).args(args));
  }

  void put(Event& event) {
    to_.write(events_ == 0 ? "\n" : ",\n");
    to_.write(event.take());
    ++events_;
  }
  void put(Event&& event) { put(event); }

  TextSink& to_;
  std::uint64_t events_ = 0;
  std::map<NodeId, Node> nodes_;
  std::set<AttemptId> drawn_;              ///< Attempts with open slices.
  std::map<TaskId, std::string> retries_;  ///< Tasks that wait after an attempt with a slice, and its arrow.
  bool was_drawn_ = false;                 ///< Of the attempt finished last.
  Instant now_{};
  std::uint64_t waiting_ = 0;
  std::uint64_t running_ = 0;
  std::pair<std::uint64_t, std::uint64_t> counted_{0, 0};
};

}  // namespace

Result<std::uint64_t> perfetto(TraceReader& reader, TextSink& to) {
  ClusterView view;
  Drawing drawing(to);
  const auto last = follow(reader, Instant::max(), view, drawing);
  if (!last) return last.problems();
  return drawing.finish(view);
}

}  // namespace duet::codec
