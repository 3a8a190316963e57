#include "core/cells.h"

#include <limits>

#include "core/check.h"

namespace duet {

void Cells::Cell::clear() {
  *this = {};
  cpu_low = memory_low = std::numeric_limits<std::int64_t>::max();
  tasks_low = id_low = kNone;
}

void Cells::Cell::widen(std::uint32_t id, const Target& target) {
  const Resources& free = target.room.free;
  cpu_low = std::min(cpu_low, free.cpu_m);
  cpu_high = std::max(cpu_high, free.cpu_m);
  memory_low = std::min(memory_low, free.memory_bytes);
  memory_high = std::max(memory_high, free.memory_bytes);
  tasks_low = std::min(tasks_low, target.tasks);
  id_low = std::min(id_low, id);
}

/// Whether a slot is free, and of each countable kind about how many: what a search leaves out at one glance.
std::uint64_t Cells::kinds_of(const Room& room) {
  std::uint64_t kinds = room.slots > 0 ? 1 : 0;
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind) {
    const auto width = std::bit_width(static_cast<std::uint32_t>(room.free.count[kind]));
    kinds |= static_cast<std::uint64_t>(width) << (1 + 6 * kind);
  }
  return kinds;
}

/// Clusters have few kinds of machine, so the grids are few.
std::uint32_t Cells::grid_for(const Target& target) {
  const std::uint64_t kinds = kinds_of(target.room);
  for (std::uint32_t i = 0; i < grids_.size(); ++i) {
    const Shape& shape = grids_[i].shape;
    if (shape.kinds == kinds && shape.slot_cpu_m == target.slot_cpu_m && shape.capacity == target.capacity)
      return i;
  }
  Grid& grid = grids_.emplace_back();
  grid.shape = {target.capacity, target.slot_cpu_m, kinds};
  size(grid, 0);
  return static_cast<std::uint32_t>(grids_.size() - 1);
}

/// An empty grid for so many members: a few for each cell, twice as many rows as columns.
void Cells::size(Grid& grid, std::uint32_t members) const {
  const unsigned bits = static_cast<unsigned>(std::bit_width(members / 4));
  grid.row_bits = std::min(kMostRowBits, bits / 2 + 1);
  grid.column_bits = std::min(kMostColumnBits, (bits + 1) / 2);
  const auto shift = [](std::int64_t capacity, unsigned to) {
    const auto width = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(capacity)));
    return width > to ? width - to : 0;
  };
  grid.cpu_shift = shift(grid.shape.capacity.cpu_m, grid.row_bits);
  grid.memory_shift = shift(grid.shape.capacity.memory_bytes, grid.column_bits);
  grid.finer_at = std::max(16U, members * 4);
  grid.rows.fill(0);
  grid.columns.assign(std::size_t{1} << grid.row_bits, 0);
  grid.cells.assign(std::size_t{1} << (grid.row_bits + grid.column_bits), {});
  for (Cell& cell : grid.cells) cell.clear();
}

/// The members in smaller cells.
void Cells::refine(Grid& grid, const Targets& targets) {
  std::vector<std::uint32_t> members;
  for (const Cell& cell : grid.cells)
    for (std::uint32_t id = cell.first; id != kNone; id = places_[id].next) members.push_back(id);
  size(grid, grid.members);
  grid.members = 0;
  for (const std::uint32_t id : members) link(id, grid.cell_of(targets[id].room.free), targets[id]);
}

void Cells::add(std::uint32_t id, const Targets& targets) {
  if (id >= places_.size()) places_.resize(id + std::size_t{1});
  DUET_CHECK(places_[id].grid == kNone);
  const Target& target = targets[id];
  const std::uint32_t at = grid_for(target);
  places_[id].grid = at;
  link(id, grids_[at].cell_of(target.room.free), target);
  if (grids_[at].members >= grids_[at].finer_at) refine(grids_[at], targets);
}

void Cells::remove(std::uint32_t id) {
  unlink(id);
  places_[id].grid = kNone;
}

void Cells::move(std::uint32_t id, const Targets& targets) {
  const Target& target = targets[id];
  const Place& place = places_[id];
  Grid& grid = grids_[place.grid];
  if (grid.shape.kinds != kinds_of(target.room)) {
    remove(id);
    add(id, targets);
    return;
  }
  const std::uint32_t cell = grid.cell_of(target.room.free);
  if (cell == place.cell) {
    grid.cells[cell].widen(id, target);
    return;
  }
  unlink(id);
  link(id, cell, target);
}

void Cells::link(std::uint32_t id, std::uint32_t at, const Target& target) {
  Place& place = places_[id];
  Grid& grid = grids_[place.grid];
  Cell& cell = grid.cells[at];
  place.cell = at;
  place.previous = kNone;
  place.next = cell.first;
  if (cell.first != kNone) places_[cell.first].previous = id;
  cell.first = id;
  if (cell.members++ == 0) {
    const std::uint32_t row = at >> grid.column_bits;
    grid.columns[row] |= std::uint64_t{1} << (at & ((1U << grid.column_bits) - 1));
    grid.rows[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  cell.widen(id, target);
  ++grid.members;
}

void Cells::unlink(std::uint32_t id) {
  const Place& place = places_[id];
  Grid& grid = grids_[place.grid];
  Cell& cell = grid.cells[place.cell];
  if (place.next != kNone) places_[place.next].previous = place.previous;
  (place.previous != kNone ? places_[place.previous].next : cell.first) = place.next;
  --grid.members;
  if (--cell.members > 0) return;
  cell.clear();
  const std::uint32_t row = place.cell >> grid.column_bits;
  grid.columns[row] &= ~(std::uint64_t{1} << (place.cell & ((1U << grid.column_bits) - 1)));
  if (grid.columns[row] == 0) grid.rows[row / 64] &= ~(std::uint64_t{1} << (row % 64));
}

}  // namespace duet
