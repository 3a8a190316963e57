#include "core/cells.h"

#include <limits>

#include "core/check.h"

namespace duet {

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

/// An empty grid for so many members: one or two for each cell, twice as many rows as columns. Most cells
/// stay empty, as targets are alike.
void Cells::size(Grid& grid, std::uint32_t members) const {
  const unsigned bits = static_cast<unsigned>(std::bit_width(members / 2));
  grid.by_tasks = columns_of_ == Columns::kTasks;
  grid.row_bits = std::min(kMostRowBits, bits / 2 + 1);
  grid.column_bits = std::min(kMostColumnBits, (bits + 1) / 2);
  // Tasks are few and told apart one by one: the more rows there may be.
  if (grid.by_tasks) {
    grid.row_bits = std::min(kMostRowBits, bits + 1);
    grid.column_bits = 4;
  }
  const auto shift = [](std::int64_t capacity, unsigned to) {
    const auto width = static_cast<unsigned>(
        std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(capacity, 1) - 1)));
    return width > to ? width - to : 0;
  };
  grid.cpu_shift = shift(grid.shape.capacity.cpu_m, grid.row_bits);
  grid.memory_shift = shift(grid.shape.capacity.memory_bytes, grid.column_bits);
  grid.finer_at = std::max(16U, members * 4);
  grid.rows.fill(0);
  grid.in_column.fill(0);
  grid.with_members = 0;
  grid.columns.assign(std::size_t{1} << grid.row_bits, 0);
  grid.cells.assign(std::size_t{1} << (grid.row_bits + grid.column_bits), {});
}

/// The members in smaller cells.
void Cells::refine(Grid& grid) {
  std::vector<Member> members;
  for (const Cell& cell : grid.cells) members.insert(members.end(), cell.members.begin(), cell.members.end());
  size(grid, grid.members);
  grid.members = 0;
  for (const Member& member : members) link(member, grid.cell_of(member));
}

void Cells::add(std::uint32_t id, const Targets& targets) {
  if (id >= places_.size()) places_.resize(id + std::size_t{1});
  DUET_CHECK(places_[id].grid == kNone);
  const std::uint32_t at = grid_for(targets[id]);
  const Member member = member_of(id, targets[id]);
  places_[id].grid = at;
  link(member, grids_[at].cell_of(member));
  if (grids_[at].members >= grids_[at].finer_at) refine(grids_[at]);
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
  const Member member = member_of(id, target);
  const std::uint32_t at = grid.cell_of(member);
  if (at == place.cell) {
    Cell& cell = grid.cells[at];
    cell.members[place.slot] = member;
    cell.bounds.widen(member);
    return;
  }
  unlink(id);
  link(member, at);
}

void Cells::link(const Member& member, std::uint32_t at) {
  Place& place = places_[member.id];
  Grid& grid = grids_[place.grid];
  Cell& cell = grid.cells[at];
  place.cell = at;
  place.slot = static_cast<std::uint32_t>(cell.members.size());
  cell.members.push_back(member);
  cell.bounds.widen(member);
  ++grid.members;
  const std::uint32_t row = at >> grid.column_bits;
  const std::uint32_t column = at & ((1U << grid.column_bits) - 1);
  if (grid.in_column[column]++ == 0) grid.with_members |= std::uint64_t{1} << column;
  if (place.slot > 0) return;
  grid.columns[row] |= std::uint64_t{1} << column;
  grid.rows[row / 64] |= std::uint64_t{1} << (row % 64);
}

void Cells::unlink(std::uint32_t id) {
  const Place& place = places_[id];
  Grid& grid = grids_[place.grid];
  Cell& cell = grid.cells[place.cell];
  places_[cell.members.back().id].slot = place.slot;
  cell.members[place.slot] = cell.members.back();
  cell.members.pop_back();
  --grid.members;
  const std::uint32_t row = place.cell >> grid.column_bits;
  const std::uint32_t column = place.cell & ((1U << grid.column_bits) - 1);
  if (--grid.in_column[column] == 0) grid.with_members &= ~(std::uint64_t{1} << column);
  if (!cell.members.empty()) return;
  cell.bounds = {};
  grid.columns[row] &= ~(std::uint64_t{1} << column);
  if (grid.columns[row] == 0) grid.rows[row / 64] &= ~(std::uint64_t{1} << (row % 64));
}

}  // namespace duet
