#include "core/index.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/check.h"

namespace duet {
namespace {

/// Fits nothing, not even an empty request.
Room impossible() {
  Room room;
  room.slots = -1;
  room.free.cpu_m = std::numeric_limits<std::int64_t>::min();
  return room;
}

}  // namespace

TargetIndex::Block::Block() {
  cpu_m_.fill(impossible().free.cpu_m);
  slots_.fill(impossible().slots);
}

std::uint32_t TargetIndex::Block::fitting(const Request& request) const {
  std::uint32_t mask = 0;
  const Resources& need = request.need;
  const std::int64_t slots = request.exclusive ? 1 : 0;
  for (std::size_t i = 0; i < kFan; ++i) {
    const std::uint32_t cpu = cpu_m_[i] >= need.cpu_m;
    const std::uint32_t slot = slots_[i] >= slots;
    mask |= (cpu & slot) << i;
  }
  // Free room is never negative: what is not asked for need not be compared.
  if (mask != 0 && need.memory_bytes > 0)
    for (std::size_t i = 0; i < kFan; ++i)
      mask &= ~(static_cast<std::uint32_t>(memory_bytes_[i] < need.memory_bytes) << i);
  for (std::size_t kind = 0; mask != 0 && kind < kCountableKinds; ++kind)
    if (need.count[kind] > 0)
      for (std::size_t i = 0; i < kFan; ++i)
        mask &= ~(static_cast<std::uint32_t>(count_[kind][i] < need.count[kind]) << i);
  return mask;
}

/// The neighbours are read only where the old value was the maximum and sank.
template <class T>
bool TargetIndex::Block::replace(std::array<T, kFan>& of, std::size_t i, T value, T& high) {
  const T before = of[i];
  if (value == before) return false;
  of[i] = value;
  if (value > high) {
    high = value;
    return true;
  }
  if (before < high) return false;
  T most = of[0];
  for (std::size_t k = 1; k < kFan; ++k) most = std::max(most, of[k]);
  const bool changed = most != high;
  high = most;
  return changed;
}

bool TargetIndex::Block::set(std::size_t i, const Room& room, Room& high) {
  bool changed = replace(cpu_m_, i, room.free.cpu_m, high.free.cpu_m);
  changed |= replace(memory_bytes_, i, room.free.memory_bytes, high.free.memory_bytes);
  changed |= replace(slots_, i, room.slots, high.slots);
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    changed |= replace(count_[kind], i, room.free.count[kind], high.free.count[kind]);
  return changed;
}

NodeId TargetIndex::add(const Resources& capacity, std::int64_t slot_cpu_m) {
  const NodeId id{targets_.size()};
  targets_.push_back({capacity, {}, slot_cpu_m, 0});
  usable_.push_back(false);
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
  return id;
}

bool TargetIndex::fits(NodeId id, const Request& request) const {
  return id.value < targets_.size() && usable_[id.value] && targets_[id.value].room.fits(request);
}

void TargetIndex::describe(NodeId id, const Resources& capacity, std::int64_t slot_cpu_m) {
  if (classes_kept_ && usable_[id.value]) class_remove(id.value);
  usable_[id.value] = false;
  targets_[id.value].capacity = capacity;
  targets_[id.value].slot_cpu_m = slot_cpu_m;
}

void TargetIndex::set(NodeId id, const Room& room, bool usable, std::uint32_t tasks) {
  DUET_CHECK(id.value < targets_.size());
  if (classes_kept_ && usable_[id.value]) class_remove(id.value);
  targets_[id.value].room = room;
  targets_[id.value].tasks = tasks;
  usable_[id.value] = usable;
  if (classes_kept_ && usable) class_add(id.value);
  replace(id.value, usable ? room : impossible());
}

/// Sets a leaf and carries the change upwards as far as it matters.
void TargetIndex::replace(std::size_t leaf, const Room& room) {
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
  const auto found = descend(request, levels_.size() - 1, 0, from.value);
  if (!found) return std::nullopt;
  return NodeId{*found};
}

void TargetIndex::build_classes() const {
  classes_kept_ = true;
  for (std::size_t id = 0; id < targets_.size(); ++id)
    if (usable_[id]) class_add(id);
}

void TargetIndex::class_add(std::size_t id) const {
  const Target& t = targets_[id];
  classes_[ClassKey{t.capacity, t.slot_cpu_m, t.room, t.tasks}].insert(id);
}

void TargetIndex::class_remove(std::size_t id) const {
  const Target& t = targets_[id];
  const auto it = classes_.find(ClassKey{t.capacity, t.slot_cpu_m, t.room, t.tasks});
  DUET_CHECK(it != classes_.end());
  it->second.erase(id);
  if (it->second.empty()) classes_.erase(it);
}

}  // namespace duet
