#include "core/index.h"

#include <algorithm>
#include <bit>

#include "core/check.h"

namespace duet {
namespace {

/// Fits nothing, not even an empty request: what is free elsewhere is never negative.
Room impossible() {
  Room room;
  room.slots = -1;
  room.free.cpu_m = -1;
  return room;
}

/// Bit i is set if there[i] < needed; both at least -1, so that their difference does not overflow. Where the
/// machine can look at the signs of two numbers at once, a block costs a third.
template <std::size_t N>
std::uint32_t short_of(const std::array<std::int64_t, N>& there, std::int64_t needed) {
  std::uint32_t mask = 0;
#ifdef __SSE2__
  using Pair = double __attribute__((vector_size(16)));
  using Integers = std::int64_t __attribute__((vector_size(16)));
  for (std::size_t i = 0; i < N; i += 2) {
    const Integers gap = Integers{there[i], there[i + 1]} - Integers{needed, needed};
    mask |= static_cast<std::uint32_t>(__builtin_ia32_movmskpd(std::bit_cast<Pair>(gap))) << i;
  }
#else
  for (std::size_t i = 0; i < N; ++i)
    mask |= static_cast<std::uint32_t>(static_cast<std::uint64_t>(there[i] - needed) >> 63) << i;
#endif
  return mask;
}

}  // namespace

TargetIndex::Block::Block() {
  cpu_m_.fill(impossible().free.cpu_m);
  slots_.fill(impossible().slots);
}

std::uint32_t TargetIndex::Block::fitting(const Request& request) const {
  const Resources& need = request.need;
  std::uint32_t mask = ((1U << kFan) - 1) & ~short_of(cpu_m_, need.cpu_m);
  // Free room is never negative: what is not asked for need not be compared.
  if (mask != 0 && request.exclusive) mask &= ~short_of(slots_, 1);
  if (mask != 0 && need.memory_bytes > 0) mask &= ~short_of(memory_bytes_, need.memory_bytes);
  for (std::size_t kind = 0; mask != 0 && kind < kCountableKinds; ++kind)
    if (need.count[kind] > 0)
      for (std::size_t i = 0; i < kFan; ++i)
        mask &= ~(static_cast<std::uint32_t>(count_[i][kind] < need.count[kind]) << i);
  return mask;
}

/// Sets of(i), of kFan values with the maximum `high`. The others are read only where the old one was the
/// maximum and sank. True if that changed `high`.
template <class Of, class T>
bool TargetIndex::Block::replace(Of&& of, std::size_t i, T value, T& high) {
  const T before = of(i);
  of(i) = value;
  if (value > high) {
    high = value;
    return true;
  }
  if (before < high) return false;
  T most = of(0);
  for (std::size_t k = 1; k < kFan; ++k) most = std::max(most, of(k));
  const bool changed = most != high;
  high = most;
  return changed;
}

bool TargetIndex::Block::set(std::size_t i, const Room& room, Room& high) {
  bool changed = false;
  const auto put = [&](auto& all, auto value, auto& most) {
    if (all[i] == value) return;
    changed |= replace(
        [&](std::size_t k) -> auto& { return all[k]; }, i, value, most);
  };
  put(cpu_m_, room.free.cpu_m, high.free.cpu_m);
  put(memory_bytes_, room.free.memory_bytes, high.free.memory_bytes);
  put(slots_, room.slots, high.slots);
  if (count_[i] == room.free.count) return changed;
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind) {
    if (count_[i][kind] == room.free.count[kind]) continue;
    changed |= replace(
        [&](std::size_t k) -> auto& { return count_[k][kind]; }, i, room.free.count[kind],
        high.free.count[kind]);
  }
  return changed;
}

NodeId TargetIndex::add(const Resources& capacity, std::int64_t slot_cpu_m) {
  const NodeId id{targets_.size()};
  targets_.push_back({capacity, {}, slot_cpu_m, 0});
  usable_.push_back(false);
  if (levels_kept_) add_leaf();
  return id;
}

/// Makes the tree as large as the targets are many.
void TargetIndex::add_leaf() const {
  std::size_t children = targets_.size();
  for (std::size_t level = 0; level == 0 || children > 1; ++level) {
    if (level == levels_.size()) {
      levels_.emplace_back();
      // What was there before this level now stands below it.
      if (level > 0) {
        levels_[level].blocks.emplace_back();
        levels_[level].high.push_back(impossible());
        for (std::size_t i = 0; i < levels_[level - 1].blocks.size(); ++i)
          levels_[level].blocks[0].set(i, levels_[level - 1].high[i], levels_[level].high[0]);
      }
    }
    children = (children + kFan - 1) / kFan;
    levels_[level].blocks.resize(children);
    levels_[level].high.resize(children, impossible());
  }
}

void TargetIndex::keep_levels() const {
  levels_kept_ = true;
  if (targets_.empty()) return;
  std::size_t children = targets_.size();
  do {
    children = (children + kFan - 1) / kFan;
    Level& level = levels_.emplace_back();
    level.blocks.resize(children);
    level.high.resize(children, impossible());
  } while (children > 1);
  for (std::size_t id = 0; id < targets_.size(); ++id)
    if (usable_[id]) replace(id, targets_[id].room);
}

void TargetIndex::keep(KeptCells& cells) const {
  cells.kept = true;
  for (std::size_t id = 0; id < targets_.size(); ++id)
    if (usable_[id]) cells.cells.add(static_cast<std::uint32_t>(id), targets_);
}

/// The target at `at` has changed.
void TargetIndex::note(KeptCells& cells, std::uint32_t at, bool was_usable) const {
  const bool usable = usable_[at];
  if (!cells.kept || (!was_usable && !usable)) return;
  if (was_usable && usable)
    cells.cells.move(at, targets_);
  else if (usable)
    cells.cells.add(at, targets_);
  else
    cells.cells.remove(at);
}

bool TargetIndex::fits(NodeId id, const Request& request) const {
  return id.value < targets_.size() && usable_[id.value] && targets_[id.value].room.fits(request);
}

void TargetIndex::describe(NodeId id, const Resources& capacity, std::int64_t slot_cpu_m) {
  set(id, {}, false);
  targets_[id.value].capacity = capacity;
  targets_[id.value].slot_cpu_m = slot_cpu_m;
}

void TargetIndex::set(NodeId id, const Room& room, bool usable, std::uint32_t tasks) {
  DUET_CHECK(id.value < targets_.size());
  const auto at = static_cast<std::uint32_t>(id.value);
  Target& target = targets_[at];
  const bool was_usable = usable_[at];
  if (usable) count_tasks(tasks, true);  // First: else the most of all would be looked for twice.
  if (was_usable) count_tasks(target.tasks, false);
  target.room = room;
  target.tasks = tasks;
  usable_[at] = usable;
  if (levels_kept_) replace(at, usable ? room : impossible());
  note(cells_, at, was_usable);
  note(cells_by_tasks_, at, was_usable);
}

void TargetIndex::count_tasks(std::uint32_t tasks, bool more) {
  if (tasks >= with_tasks_.size()) with_tasks_.resize(tasks + std::size_t{1});
  with_tasks_[tasks] += more ? 1 : -1U;
  if (more) most_tasks_ = std::max(most_tasks_, tasks);
  while (most_tasks_ > 0 && with_tasks_[most_tasks_] == 0) --most_tasks_;
}

/// Sets a leaf and carries the change upwards as far as it matters.
void TargetIndex::replace(std::size_t leaf, const Room& room) const {
  const Room* value = &room;
  std::size_t child = leaf;
  for (Level& level : levels_) {
    const std::size_t block = child / kFan;
    if (!level.blocks[block].set(child % kFan, *value, level.high[block])) return;
    value = &level.high[block];
    child = block;
  }
}

std::optional<std::size_t> TargetIndex::descend(const Request& request, std::size_t level, std::size_t block,
                                                std::size_t from) const {
  ++work_.examined;
  const std::size_t first = block * kFan;
  const std::size_t lowest = from >> (kFanBits * level);  // The child that holds `from`, or one before it.
  std::uint32_t mask = levels_[level].blocks[block].fitting(request);
  if (lowest > first) mask &= ~std::uint32_t{0} << (lowest - first);
  for (; mask != 0; mask &= mask - 1) {
    const std::size_t child = first + static_cast<std::size_t>(std::countr_zero(mask));
    if (level == 0) return child;
    // The maxima of a block may be those of different targets: then none below fits.
    if (const auto found = descend(request, level - 1, child, from)) return found;
  }
  return std::nullopt;
}

std::optional<NodeId> TargetIndex::first_fit(const Request& request, NodeId from) const {
  if (from.value >= targets_.size()) return std::nullopt;
  if (!levels_kept_) keep_levels();
  const auto found = descend(request, levels_.size() - 1, 0, from.value);
  if (!found) return std::nullopt;
  return NodeId{*found};
}

}  // namespace duet
