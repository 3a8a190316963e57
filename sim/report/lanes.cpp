// From threads to the lanes of a chart, and from attempts to how full the cluster was.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "sim/report/run_view.h"

namespace duet::sim::report {
namespace {

/// Beyond so many, a node has one lane: more could not be told apart.
constexpr std::size_t kMostLanes = 4096;
/// Of a node whose threads are counted.
constexpr std::size_t kMostShares = 64;

bool read_number(std::string_view& text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number > 1'000'000) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// Of the offered cores and threads of a node, as the machine numbers them.
struct Place {
  std::uint32_t core = 0;
  std::uint32_t sibling = 0;
};

Place place_of(const ViewedNode& node, std::uint32_t thread) {
  const std::uint32_t cores = node.reserved_cores + node.cores;
  const std::uint32_t core = thread % cores;
  const std::uint32_t offered = core >= node.reserved_cores ? core - node.reserved_cores : 0;
  return {std::min(offered, node.cores - 1), std::min(thread / cores, node.threads_per_core - 1)};
}

/// True if some attempt of the run holds only a part of a core.
bool splits_cores(const RunView& view, const std::vector<std::vector<std::uint32_t>>& slots) {
  for (std::size_t i = 0; i < view.bars.size(); ++i) {
    const ViewedNode& node = view.nodes[view.bars[i].node];
    if (node.threads_per_core == 1) continue;
    std::map<std::uint32_t, std::uint32_t> held;
    for (const std::uint32_t thread : slots[i]) ++held[place_of(node, thread).core];
    for (const auto& [core, threads] : held)
      if (threads != node.threads_per_core) return true;
  }
  return false;
}

std::string lane_label(const ViewedNode& node, std::uint32_t core, std::uint32_t sibling, bool by_thread) {
  const std::uint32_t cores = node.reserved_cores + node.cores;
  const std::uint32_t thread = node.reserved_cores + core + sibling * cores;
  if (node.zones.empty()) return std::to_string(by_thread ? thread : node.reserved_cores + core);
  return by_thread ? node.zones[core] + ':' + std::to_string(thread) : node.zones[core];
}

std::vector<LaneRange> ranges_of(std::vector<std::uint32_t> lanes) {
  std::sort(lanes.begin(), lanes.end());
  lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
  std::vector<LaneRange> ranges;
  for (const std::uint32_t lane : lanes) {
    if (!ranges.empty() && ranges.back().first + ranges.back().count == lane)
      ++ranges.back().count;
    else
      ranges.push_back({lane, 1});
  }
  return ranges;
}

/// Bars of one node side by side: each takes the lowest share that is free when it starts.
class Shares {
 public:
  std::uint32_t take(const Bar& bar) {
    while (!running_.empty() && running_.begin()->first <= bar.start_ns) {
      free_.insert(running_.begin()->second);
      running_.erase(running_.begin());
    }
    if (free_.empty() && count_ == kMostShares) {  // They lie on top of one another then.
      next_ = (next_ + 1) % kMostShares;
      return static_cast<std::uint32_t>(next_);
    }
    if (free_.empty()) free_.insert(static_cast<std::uint32_t>(count_++));
    const std::uint32_t share = *free_.begin();
    free_.erase(free_.begin());
    running_.emplace(bar.end_ns, share);
    return share;
  }
  std::size_t count() const { return count_; }

 private:
  std::multimap<std::int64_t, std::uint32_t> running_;
  std::set<std::uint32_t> free_;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

/// The sum of changes as steps that begin at 0 ns.
class Counter {
 public:
  void add(std::int64_t at_ns, double by) { changes_.emplace_back(at_ns, by); }
  Steps steps() {
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Steps steps{{0, 0}};
    double value = 0;
    for (const auto& [at, by] : changes_) {
      value += by;
      if (steps.back().first == at)
        steps.back().second = value;
      else
        steps.emplace_back(at, value);
      if (steps.size() > 1 && steps[steps.size() - 2].second == value) steps.pop_back();
    }
    return steps;
  }

 private:
  Steps changes_;
};

/// How many threads the bars hold for which `counts` holds.
template <class Counts>
Steps threads_held(const RunView& view, const std::vector<std::vector<std::uint32_t>>& slots,
                   const Counts& counts) {
  struct Change {
    std::uint32_t node, thread;
    std::int64_t at;
    int by;
    bool operator<(const Change& o) const {  // At one instant first those that come.
      return std::tuple(node, thread, at, -by) < std::tuple(o.node, o.thread, o.at, -o.by);
    }
  };
  Counter total;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < view.bars.size(); ++i) {
    const Bar& bar = view.bars[i];
    if (!counts(bar)) continue;
    for (const std::uint32_t thread : slots[i]) {
      changes.push_back({bar.node, thread, bar.start_ns, 1});
      changes.push_back({bar.node, thread, bar.end_ns, -1});
    }
    if (!slots[i].empty()) continue;
    total.add(bar.start_ns, bar.threads);
    total.add(bar.end_ns, -static_cast<double>(bar.threads));
  }
  std::sort(changes.begin(), changes.end());
  int held = 0;
  for (const Change& change : changes) {
    if (held + change.by == 0 || held == 0) total.add(change.at, change.by);
    held += change.by;
  }
  return total.steps();
}

}  // namespace

std::optional<std::vector<std::uint32_t>> threads_of_slot(std::string_view slot) {
  std::vector<std::uint32_t> threads;
  while (!slot.empty()) {
    const std::size_t blank = slot.find(' ');
    std::string_view part = slot.substr(0, blank);
    slot.remove_prefix(blank == std::string_view::npos ? slot.size() : blank + 1);
    const std::size_t colon = part.rfind(':');
    if (colon != std::string_view::npos) part.remove_prefix(colon + 1);
    for (;;) {
      std::uint32_t first = 0;
      if (!read_number(part, first)) return std::nullopt;
      std::uint32_t last = first;
      if (part.starts_with('-')) {
        part.remove_prefix(1);
        if (!read_number(part, last) || last < first) return std::nullopt;
      }
      // More are counted and not told apart: no slot names them.
      if (threads.size() + (last - first) >= ThreadSet::kMaxThreads) return std::nullopt;
      for (std::uint32_t thread = first; thread <= last; ++thread) threads.push_back(thread);
      if (part.empty()) break;
      if (part.front() != ',') return std::nullopt;
      part.remove_prefix(1);
    }
  }
  return threads;
}

void assign_lanes(RunView& view, const std::vector<std::vector<std::uint32_t>>& slots) {
  const bool by_thread = splits_cores(view, slots);
  std::vector<Shares> shares(view.nodes.size());
  std::vector<std::uint32_t> share_of(view.bars.size());
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < view.bars.size(); ++i)
    if (slots[i].empty()) share_of[i] = shares[view.bars[i].node].take(view.bars[i]);
  const auto counted = [](const ViewedNode& node) { return node.threads() > ThreadSet::kMaxThreads; };
  for (std::size_t n = 0; n < view.nodes.size(); ++n)
    wanted += counted(view.nodes[n]) ? std::max<std::size_t>(1, shares[n].count())
                                     : view.nodes[n].cores * (by_thread ? view.nodes[n].threads_per_core : 1);
  const bool one_each = wanted > kMostLanes;
  std::vector<std::uint32_t> first;
  for (std::uint32_t n = 0; n < view.nodes.size(); ++n) {
    const ViewedNode& node = view.nodes[n];
    first.push_back(static_cast<std::uint32_t>(view.lanes.size()));
    if (one_each || counted(node)) {
      const std::size_t count = one_each ? 1 : std::max<std::size_t>(1, shares[n].count());
      for (std::size_t i = 0; i < count; ++i) view.lanes.push_back({n, ""});
      continue;
    }
    for (std::uint32_t core = 0; core < node.cores; ++core)
      for (std::uint32_t sibling = 0; sibling < (by_thread ? node.threads_per_core : 1); ++sibling)
        view.lanes.push_back({n, lane_label(node, core, sibling, by_thread)});
  }
  for (std::size_t i = 0; i < view.bars.size(); ++i) {
    Bar& bar = view.bars[i];
    const ViewedNode& node = view.nodes[bar.node];
    std::vector<std::uint32_t> lanes;
    if (one_each) {
      lanes.push_back(first[bar.node]);
    } else if (slots[i].empty()) {
      lanes.push_back(first[bar.node] + (counted(node) ? share_of[i] : 0));
    }
    if (!one_each) {
      for (const std::uint32_t thread : slots[i]) {
        const Place place = place_of(node, thread);
        const std::uint32_t lane =
            by_thread ? place.core * node.threads_per_core + place.sibling : place.core;
        lanes.push_back(first[bar.node] + (counted(node) ? 0 : lane));
      }
    }
    bar.lanes = ranges_of(std::move(lanes));
  }
}

void fill_series(RunView& view, const std::vector<std::vector<std::uint32_t>>& slots,
                 const Changes& changes) {
  const bool workers = std::any_of(view.bars.begin(), view.bars.end(),
                                   [](const Bar& bar) { return bar.kind == BarKind::kWorker; });
  view.allocated = threads_held(view, slots, [](const Bar& bar) { return bar.kind != BarKind::kOperation; });
  if (workers)
    view.used = threads_held(view, slots, [](const Bar& bar) { return bar.kind != BarKind::kWorker; });
  Counter waiting;
  Counter capacity;
  Counter nodes_up;
  for (const auto& [at, by] : changes.waiting) waiting.add(at, static_cast<double>(by));
  std::vector<bool> up(view.nodes.size());
  for (const Changes::Node& change : changes.nodes) {
    if (up[change.node] == change.up) continue;
    up[change.node] = change.up;
    const double sign = change.up ? 1 : -1;
    nodes_up.add(change.at_ns, sign);
    capacity.add(change.at_ns, sign * view.nodes[change.node].threads());
  }
  view.waiting = waiting.steps();
  view.capacity = capacity.steps();
  view.nodes_up = nodes_up.steps();
}

}  // namespace duet::sim::report
