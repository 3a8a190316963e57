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
#include <limits>
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
  /// What columns tell apart, beside the rows of CPU: what a score that is asked for goes by.
  enum class Columns : std::uint8_t { kMemory, kTasks };

  explicit Cells(Columns of = Columns::kMemory) : columns_of_(of) {}

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

  /// What a target has free: a copy, so that most targets need not be fetched to be left out.
  struct Member {
    std::int64_t cpu_m = 0;  ///< Millicores.
    std::int64_t memory_bytes = 0;
    std::uint32_t tasks = 0;
    std::uint32_t id = 0;
  };
  /// They hold for all members, but may be wider than those.
  struct Bounds {
    std::int64_t cpu_low, cpu_high;  ///< Millicores free.
    std::int64_t memory_low, memory_high;
    std::uint32_t tasks_low, id_low;

    Bounds();  ///< Of none.
    void widen(const Member& member);
  };
  struct Cell {
    std::vector<Member> members;  ///< In no order.
    Bounds bounds;
  };
  struct Shape {
    Resources capacity;
    std::int64_t slot_cpu_m = 0;
    std::uint64_t kinds = 0;  ///< kinds_of() its members.

    bool operator==(const Shape&) const = default;
  };
  struct Grid {
    Shape shape;
    bool by_tasks = false;  ///< Columns are.
    unsigned row_bits = 0, column_bits = 0;
    unsigned cpu_shift = 0, memory_shift = 0;  ///< What is free, to the row and the column.
    std::uint32_t members = 0;
    std::uint32_t finer_at = 0;      ///< With so many members the cells are too full.
    std::uint64_t with_members = 0;  ///< Columns.
    std::vector<Cell> cells;
    std::array<std::uint64_t, (1U << kMostRowBits) / 64> rows{};   ///< Those with members.
    std::vector<std::uint64_t> columns;                            ///< By row: those with members.
    std::array<std::uint32_t, 1U << kMostColumnBits> in_column{};  ///< Members, by column.

    std::uint32_t row_of(std::int64_t cpu_m) const {
      const auto row = static_cast<std::uint64_t>(cpu_m) >> cpu_shift;
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(row, (1U << row_bits) - 1));
    }
    /// The more is free, the higher: fewer tasks mean more room for others.
    std::uint32_t column_of_tasks(std::uint32_t tasks) const {
      const std::uint32_t last = (1U << column_bits) - 1;
      return last - std::min(tasks, last);
    }
    std::uint32_t column_of(std::int64_t memory_bytes) const {
      const auto column = static_cast<std::uint64_t>(memory_bytes) >> memory_shift;
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(column, (1U << column_bits) - 1));
    }
    std::uint32_t cell_of(const Member& member) const {
      return (row_of(member.cpu_m) << column_bits) +
             (by_tasks ? column_of_tasks(member.tasks) : column_of(member.memory_bytes));
    }
    /// The most that is free in a row or column.
    std::int64_t most_cpu_m(std::uint32_t row) const {
      return row + 1 == 1U << row_bits ? shape.capacity.cpu_m : ((row + std::int64_t{1}) << cpu_shift) - 1;
    }
    std::int64_t most_memory(std::uint32_t column) const {
      return by_tasks || column + 1 == 1U << column_bits ? shape.capacity.memory_bytes
                                                         : ((column + std::int64_t{1}) << memory_shift) - 1;
    }
    std::uint32_t least_tasks(std::uint32_t column) const {
      return by_tasks ? (1U << column_bits) - 1 - column : 0;
    }
    /// The first column that may have members with so much memory free.
    std::uint32_t least_column(std::int64_t memory_bytes) const {
      return by_tasks ? 0 : column_of(memory_bytes);
    }
    bool may_fit(const Request& request) const;
    /// The next row with members from `row` on, upwards or downwards; none: past the end.
    std::uint32_t row_from(std::uint32_t row, bool upwards) const;
  };
  /// Where a target is.
  struct Place {
    std::uint32_t grid = kNone;
    std::uint32_t cell = 0;
    std::uint32_t slot = 0;  ///< Among the cell's members.
  };
  /// The search for the best of one request.
  template <class Score, class Bound>
  struct Search;

  static std::uint64_t kinds_of(const Room& room);
  static Member member_of(std::uint32_t id, const Target& target) {
    return {target.room.free.cpu_m, target.room.free.memory_bytes, target.tasks, id};
  }
  std::uint32_t grid_for(const Target& target);
  void size(Grid& grid, std::uint32_t members) const;
  void refine(Grid& grid);
  void link(const Member& member, std::uint32_t cell);
  void unlink(std::uint32_t id);

  Columns columns_of_;
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

inline Cells::Bounds::Bounds()
    : cpu_low(std::numeric_limits<std::int64_t>::max()),
      cpu_high(0),
      memory_low(cpu_low),
      memory_high(0),
      tasks_low(kNone),
      id_low(kNone) {}

inline void Cells::Bounds::widen(const Member& member) {
  cpu_low = std::min(cpu_low, member.cpu_m);
  cpu_high = std::max(cpu_high, member.cpu_m);
  memory_low = std::min(memory_low, member.memory_bytes);
  memory_high = std::max(memory_high, member.memory_bytes);
  tasks_low = std::min(tasks_low, member.tasks);
  id_low = std::min(id_low, member.id);
}

template <class Score, class Bound>
struct Cells::Search {
  using Value = std::invoke_result_t<const Score&, const Target&>;

  const Targets& targets;
  const Request& request;
  const Likes likes;
  const Score& score;
  const Bound& bound;
  std::uint64_t& examined;
  std::uint32_t winner = kNone;
  Value high{};
  Target corner{};  ///< Of the grid that is searched; what it has free is set for each question.

  bool full() const { return likes == Likes::kLittleFree; }
  /// Bounds tell nothing yet, or never.
  bool blind() const { return winner == kNone || likes == Likes::kAnything; }

  /// What no target exceeds that has so much free and so many tasks, or is liked less.
  Value most(std::int64_t cpu_m, std::int64_t memory_bytes, std::uint32_t tasks) {
    corner.room.free.cpu_m = cpu_m;
    corner.room.free.memory_bytes = memory_bytes;
    corner.tasks = tasks;
    return bound(corner);
  }
  bool beats(Value value, std::uint32_t id) const { return value > high || (value == high && id < winner); }

  void look_at(const Member& member) {
    if (member.cpu_m < request.need.cpu_m || member.memory_bytes < request.need.memory_bytes) return;
    if (!blind() && !beats(most(member.cpu_m, member.memory_bytes, member.tasks), member.id)) return;
    const Target& target = targets[member.id];
    if (!target.room.fits(request)) return;
    const Value value = score(target);
    if (winner != kNone && !beats(value, member.id)) return;
    winner = member.id;
    high = value;
  }

  /// Who leaves a cell does not narrow its bounds; who searches it does.
  void look_into(Cell& cell) {
    examined += cell.members.size();
    Bounds bounds;
    for (const Member& member : cell.members) {
      bounds.widen(member);
      look_at(member);
    }
    cell.bounds = bounds;
  }

  bool can_win(const Bounds& cell) {
    if (cell.cpu_high < request.need.cpu_m || cell.memory_high < request.need.memory_bytes) return false;
    if (blind()) return true;
    const Value value = full() ? most(std::max(cell.cpu_low, request.need.cpu_m),
                                      std::max(cell.memory_low, request.need.memory_bytes), kNone)
                               : most(cell.cpu_high, cell.memory_high, cell.tasks_low);
    return beats(value, cell.id_low);
  }

  /// What no target exceeds in this row and column, nor in less liked ones.
  Value most_beyond(const Grid& grid, std::uint32_t row, std::uint32_t column) {
    if (!full()) return most(grid.most_cpu_m(row), grid.most_memory(column), grid.least_tasks(column));
    const std::int64_t memory = grid.by_tasks ? 0 : static_cast<std::int64_t>(column) << grid.memory_shift;
    return most(std::max(static_cast<std::int64_t>(row) << grid.cpu_shift, request.need.cpu_m),
                std::max(memory, request.need.memory_bytes), kNone);
  }

  static std::uint32_t first_of(std::uint64_t columns, bool upwards) {
    return static_cast<std::uint32_t>(upwards ? std::countr_zero(columns) : 63 - std::countl_zero(columns));
  }

  /// Takes from `columns` those found unable to hold the best in this row, and so in no row after it: the
  /// less liked a row, the more liked a column must be.
  void look_at(Grid& grid, std::uint32_t row, std::uint64_t& columns) {
    Cell* const cells = &grid.cells[std::size_t{row} << grid.column_bits];
    for (std::uint64_t left = grid.columns[row] & columns; left != 0;) {
      const std::uint32_t column = first_of(left, full());
      left &= ~(std::uint64_t{1} << column);
      ++examined;
      if (can_win(cells[column].bounds)) {
        look_into(cells[column]);
      } else if (!blind() && most_beyond(grid, row, column) < high) {
        columns &= full() ? (std::uint64_t{1} << column) - 1 : ~std::uint64_t{1} << column;
        return;
      }
    }
  }

  void look_at(Grid& grid) {
    corner = {grid.shape.capacity, {grid.shape.capacity, 1}, grid.shape.slot_cpu_m, 0};
    std::uint64_t columns =
        grid.with_members & (~std::uint64_t{0} << grid.least_column(request.need.memory_bytes));
    const std::uint32_t least_row = grid.row_of(request.need.cpu_m);
    const bool up = full();
    std::uint32_t row = grid.row_from(up ? least_row : (1U << grid.row_bits) - 1, up);
    while (columns != 0 && row != kNone && row >= least_row) {
      look_at(grid, row, columns);
      row = up ? grid.row_from(row + 1, true) : row == 0 ? kNone : grid.row_from(row - 1, false);
    }
  }
};

template <class Score, class Bound>
std::optional<NodeId> Cells::best(const Targets& targets, const Request& request, Likes likes,
                                  const Score& score, const Bound& bound, std::uint64_t& examined) const {
  Search<Score, Bound> search{targets, request, likes, score, bound, examined};
  for (Grid& grid : grids_)
    if (grid.may_fit(request)) search.look_at(grid);
  if (search.winner == kNone) return std::nullopt;
  return NodeId{search.winner};
}

}  // namespace duet
