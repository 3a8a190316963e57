#include "core/index.h"

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

void raise_to(Room& room, const Room& other) {
  room.free.raise_to(other.free);
  if (other.slots > room.slots) room.slots = other.slots;
}

bool was_maximum_and_sank(const Room& before, const Room& after, const Room& high) {
  const Resources& b = before.free;
  const Resources& a = after.free;
  const Resources& h = high.free;
  bool sank = (b.cpu_m == h.cpu_m && a.cpu_m < b.cpu_m) ||
              (b.memory_bytes == h.memory_bytes && a.memory_bytes < b.memory_bytes) ||
              (before.slots == high.slots && after.slots < before.slots);
  for (std::size_t i = 0; i < kCountableKinds; ++i)
    sank |= b.count[i] == h.count[i] && a.count[i] < b.count[i];
  return sank;
}

}  // namespace

NodeId TargetIndex::add(const Resources& capacity, std::int64_t slot_cpu_m) {
  const NodeId id{targets_.size()};
  targets_.push_back({capacity, {}, slot_cpu_m});
  usable_.push_back(false);
  levels_[0].push_back(impossible());
  for (std::size_t level = 1; levels_[level - 1].size() > 1; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    const std::size_t needed = (levels_[level - 1].size() + kFan - 1) / kFan;
    const std::size_t had = levels_[level].size();
    levels_[level].resize(needed, impossible());
    // A level that is new covers targets that were there before it.
    if (had == 0)
      for (const Room& child : levels_[level - 1]) raise_to(levels_[level][0], child);
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

void TargetIndex::set(NodeId id, const Room& room, bool usable) {
  DUET_CHECK(id.value < targets_.size());
  if (classes_kept_ && usable_[id.value]) class_remove(id.value);
  targets_[id.value].room = room;
  usable_[id.value] = usable;
  if (classes_kept_ && usable) class_add(id.value);
  replace(id.value, usable ? room : impossible());
}

/// Sets a leaf and carries the change upwards as far as it matters. The siblings are read only where the old
/// value was a maximum and sank.
void TargetIndex::replace(std::size_t leaf, const Room& room) {
  Room before = levels_[0][leaf];
  Room after = room;
  levels_[0][leaf] = after;
  std::size_t child = leaf;
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    const auto& below = levels_[level - 1];
    const std::size_t parent = child / kFan;
    Room high = levels_[level][parent];
    if (was_maximum_and_sank(before, after, high)) {
      high = below[parent * kFan];
      for (std::size_t i = parent * kFan + 1; i < below.size() && i < (parent + 1) * kFan; ++i)
        raise_to(high, below[i]);
    } else {
      raise_to(high, after);
    }
    if (high == levels_[level][parent]) return;
    before = levels_[level][parent];
    levels_[level][parent] = after = high;
    child = parent;
  }
}

std::optional<std::size_t> TargetIndex::descend(const Request& request, std::size_t level, std::size_t node,
                                                std::size_t from) const {
  ++work_.nodes_examined;
  if (!levels_[level][node].fits(request)) return std::nullopt;
  if (level == 0) return node;
  std::size_t span = 1;  // Targets below one child.
  for (std::size_t i = 1; i < level; ++i) span *= kFan;
  const std::size_t end = levels_[level - 1].size();
  for (std::size_t child = node * kFan; child < end && child < (node + 1) * kFan; ++child) {
    if ((child + 1) * span <= from) continue;
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
  classes_[ClassKey{t.capacity, t.slot_cpu_m, t.room}].insert(id);
}

void TargetIndex::class_remove(std::size_t id) const {
  const Target& t = targets_[id];
  const auto it = classes_.find(ClassKey{t.capacity, t.slot_cpu_m, t.room});
  DUET_CHECK(it != classes_.end());
  it->second.erase(id);
  if (it->second.empty()) classes_.erase(it);
}

}  // namespace duet
