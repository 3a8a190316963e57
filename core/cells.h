// Targets sorted into cells by what they have free, so that the best by a score is found without looking at
// all of them.
//
// Targets of one shape (what they are, and whether a slot and countable things are free at all) lie in a grid
// of CPU by memory free. A cell knows bounds of what its members have free. Scores that like targets full, or
// like them empty, are bounded by what they say of a cell's best corner: the search goes from the cells that
// may hold the best, and leaves out all that cannot. Branch and bound, after Land and Doig, "An automatic
// method of solving discrete programming problems", Econometrica 28(3), 1960; a grid rather than a tree,
// because what is free changes with each task and must be cheap to note.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/ids.h"
#include "core/target.h"

namespace duet {

/// What never lowers a score, all else being equal.
enum class Likes : std::uint8_t {
  kAnything,    ///< Nothing is known of it: every target that fits is scored.
  kLittleFree,  ///< Less free CPU or memory, and more tasks.
  kMuchFree,    ///< More free CPU, memory or countable things, and fewer tasks.
};

class Cells {
 public:
  using Targets = std::vector<Target>;  ///< All there are, by id.

  /// `id` is there from now on, as `targets` say.
  void add(std::uint32_t id, const Targets& targets);
  /// `id` is no longer there; it must be.
  void remove(std::uint32_t id);
  /// `id` is there, and its room or its number of tasks are others than before.
  void move(std::uint32_t id, const Targets& targets);

  /// The one of `targets` that fits with the highest score(target); the lowest id among equals. bound(target)
  /// is never below that target's score, nor below those of targets that `likes` likes less; it may be
  /// `score` itself, or something that costs less. Adds how many cells and targets were looked at to
  /// `examined`.
  template <class Score, class Bound>
  std::optional<NodeId> best(const Targets& targets, const Request& request, Likes likes, const Score& score,
                             const Bound& bound, std::uint64_t& examined) const;

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  static constexpr unsigned kMostColumnBits = 6;  ///< A word says which cells of a row have members.
  static constexpr unsigned kMostRowBits = 8;

  /// The members are a list; the bounds hold for all, but may be wider than they: who leaves does not narrow
  /// them.
  struct Cell {
    std::uint32_t first = kNone;
    std::uint32_t members = 0;
    std::int64_t cpu_low = 0, cpu_high = 0;  ///< Millicores free.
    std::int64_t memory_low = 0, memory_high = 0;
    std::uint32_t tasks_low = 0;
    std::uint32_t id_low = 0;

    void clear();
    void widen(std::uint32_t id, const Target& target);
  };
  struct Shape {
    Resources capacity;
    std::int64_t slot_cpu_m = 0;
    std::uint64_t kinds = 0;  ///< kinds_of() its members.

    bool operator==(const Shape&) const = default;
  };
  struct Grid {
    Shape shape;
    unsigned row_bits = 0, column_bits = 0;
    unsigned cpu_shift = 0, memory_shift = 0;  ///< What is free, to the row and the column.
    std::uint32_t members = 0;
    std::uint32_t finer_at = 0;  ///< With so many members the cells are too full.
    std::vector<Cell> cells;
    std::array<std::uint64_t, (1U << kMostRowBits) / 64> rows{};  ///< Those with members.
    std::vector<std::uint64_t> columns;                           ///< By row: those with members.

    std::uint32_t row_of(std::int64_t cpu_m) const {
      const auto row = static_cast<std::uint64_t>(cpu_m) >> cpu_shift;
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(row, (1U << row_bits) - 1));
    }
    std::uint32_t column_of(std::int64_t memory_bytes) const {
      const auto column = static_cast<std::uint64_t>(memory_bytes) >> memory_shift;
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(column, (1U << column_bits) - 1));
    }
    std::uint32_t cell_of(const Resources& free) const {
      return (row_of(free.cpu_m) << column_bits) + column_of(free.memory_bytes);
    }
    bool may_fit(const Request& request) const;
    /// The next row with members from `row` on, upwards or downwards; none: past the end.
    std::uint32_t row_from(std::uint32_t row, bool upwards) const;
  };
  /// Where a target is.
  struct Place {
    std::uint32_t grid = kNone;
    std::uint32_t cell = 0;
    std::uint32_t next = kNone, previous = kNone;  ///< In its cell.
  };
  /// The search for the best of one request.
  template <class Score, class Bound>
  struct Search;

  static std::uint64_t kinds_of(const Room& room);
  std::uint32_t grid_for(const Target& target);
  void size(Grid& grid, std::uint32_t members) const;
  void refine(Grid& grid, const Targets& targets);
  void link(std::uint32_t id, std::uint32_t cell, const Target& target);
  void unlink(std::uint32_t id);

  mutable std::vector<Grid> grids_;  ///< Searching narrows bounds.
  std::vector<Place> places_;        ///< By id.
};

inline bool Cells::Grid::may_fit(const Request& request) const {
  if (members == 0 || !shape.capacity.covers(request.need)) return false;
  if (request.exclusive && (shape.kinds & 1U) == 0) return false;
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    if (const auto need = static_cast<std::uint32_t>(request.need.count[kind]);
        std::uint64_t{static_cast<unsigned>(std::bit_width(need))} > ((shape.kinds >> (1 + 6 * kind)) & 63U))
      return false;
  return true;
}

inline std::uint32_t Cells::Grid::row_from(std::uint32_t row, bool upwards) const {
  for (std::uint32_t word = row / 64; word < rows.size(); upwards ? ++word : --word) {
    std::uint64_t bits = rows[word];
    if (word == row / 64)
      bits &= upwards ? ~std::uint64_t{0} << (row % 64) : ~std::uint64_t{0} >> (63 - row % 64);
    if (bits == 0) continue;
    const int bit = upwards ? std::countr_zero(bits) : 63 - std::countl_zero(bits);
    return word * 64 + static_cast<std::uint32_t>(bit);
  }
  return kNone;
}

template <class Score, class Bound>
struct Cells::Search {
  using Value = std::invoke_result_t<const Score&, const Target&>;

  const Cells& cells;
  const Targets& targets;
  const Request& request;
  const Likes likes;
  const Score& score;
  const Bound& bound;
  std::uint64_t& examined;
  std::uint32_t winner = kNone;
  Value high{};

  bool full() const { return likes == Likes::kLittleFree; }

  /// What no target beyond these bounds exceeds; a corner of cell or row.
  Value corner_of(const Grid& grid, std::int64_t cpu_m, std::int64_t memory_bytes,
                  std::uint32_t tasks) const {
    Target corner{grid.shape.capacity, {}, grid.shape.slot_cpu_m, tasks};
    corner.room.free = grid.shape.capacity;
    corner.room.free.cpu_m = cpu_m;
    corner.room.free.memory_bytes = memory_bytes;
    corner.room.slots = 1;
    return bound(corner);
  }

  void look_into(Cell& cell) {
    const std::uint32_t first = cell.first;
    const std::uint32_t members = cell.members;
    cell.clear();
    cell.first = first;
    cell.members = members;
    examined += members;
    for (std::uint32_t id = first; id != kNone; id = cells.places_[id].next) {
      const Target& target = targets[id];
      cell.widen(id, target);
      if (!target.room.fits(request)) continue;
      if constexpr (!std::is_same_v<Score, Bound>)
        if (winner != kNone && bound(target) < high) continue;
      const Value s = score(target);
      if (winner != kNone && (s < high || (s == high && id > winner))) continue;
      winner = id;
      high = s;
    }
  }

  bool can_win(const Grid& grid, const Cell& cell) const {
    if (cell.cpu_high < request.need.cpu_m || cell.memory_high < request.need.memory_bytes) return false;
    if (winner == kNone || likes == Likes::kAnything) return true;
    const Value most = full() ? corner_of(grid, std::max(cell.cpu_low, request.need.cpu_m),
                                          std::max(cell.memory_low, request.need.memory_bytes), kNone)
                              : corner_of(grid, cell.cpu_high, cell.memory_high, cell.tasks_low);
    return most > high || (most == high && cell.id_low < winner);
  }

  /// False if neither this row nor one after it can hold the best.
  bool look_at(Grid& grid, std::uint32_t row, std::uint32_t least_column) {
    if (winner != kNone && likes != Likes::kAnything) {
      const std::int64_t low = static_cast<std::int64_t>(row) << grid.cpu_shift;
      const std::int64_t cpu =
          full() ? std::max(low, request.need.cpu_m)
                 : std::min(low + (std::int64_t{1} << grid.cpu_shift) - 1, grid.shape.capacity.cpu_m);
      const std::int64_t memory = full() ? request.need.memory_bytes : grid.shape.capacity.memory_bytes;
      if (corner_of(grid, cpu, memory, full() ? kNone : 0) < high) return false;
    }
    std::uint64_t columns = grid.columns[row] & (~std::uint64_t{0} << least_column);
    Cell* const cells_of_row = &grid.cells[std::size_t{row} << grid.column_bits];
    while (columns != 0) {
      const int column = full() ? std::countr_zero(columns) : 63 - std::countl_zero(columns);
      columns &= ~(std::uint64_t{1} << column);
      ++examined;
      if (Cell& cell = cells_of_row[column]; can_win(grid, cell)) look_into(cell);
    }
    return true;
  }

  void look_at(Grid& grid) {
    const std::uint32_t least_row = grid.row_of(request.need.cpu_m);
    const std::uint32_t least_column = grid.column_of(request.need.memory_bytes);
    const bool up = full();
    std::uint32_t row = grid.row_from(up ? least_row : (1U << grid.row_bits) - 1, up);
    while (row != kNone && row >= least_row && look_at(grid, row, least_column))
      row = up ? grid.row_from(row + 1, true) : row == 0 ? kNone : grid.row_from(row - 1, false);
  }
};

template <class Score, class Bound>
std::optional<NodeId> Cells::best(const Targets& targets, const Request& request, Likes likes,
                                  const Score& score, const Bound& bound, std::uint64_t& examined) const {
  Search<Score, Bound> search{*this, targets, request, likes, score, bound, examined};
  for (Grid& grid : grids_)
    if (grid.may_fit(request)) search.look_at(grid);
  if (search.winner == kNone) return std::nullopt;
  return NodeId{search.winner};
}

}  // namespace duet
