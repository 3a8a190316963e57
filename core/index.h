// TargetIndex: which targets have room. Policies reach targets only through it; every answer is exact and
// ties go to the lowest id.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/cells.h"
#include "core/ids.h"
#include "core/target.h"

namespace duet {

/// Counts of what was looked at, for the bench that shows that work per task does not grow.
struct IndexWork {
  std::uint64_t examined = 0;  ///< Blocks of first_fit(), cells and targets of the others.
};

class TargetIndex {
 public:
  /// Adds a target without room; ids are given in order, from 0.
  NodeId add(const Resources& capacity, std::int64_t slot_cpu_m);
  /// Replaces what the target is. To be followed by set().
  void describe(NodeId id, const Resources& capacity, std::int64_t slot_cpu_m);
  /// What is free there now, beside so many tasks. `usable` false: nothing may be placed there.
  void set(NodeId id, const Room& room, bool usable, std::uint32_t tasks = 0);

  std::size_t size() const { return targets_.size(); }
  const Target& target(NodeId id) const { return targets_[id.value]; }
  bool fits(NodeId id, const Request& request) const;

  /// The lowest id >= from that fits. O(log n) as long as the free vectors are not adversarial.
  std::optional<NodeId> first_fit(const Request& request, NodeId from = {}) const;

  // The fitting target with the highest score(target), a number; the lowest id among equals.

  /// Of any score: looks at all that fit.
  template <class Score>
  std::optional<NodeId> best(const Request& request, const Score& score) const {
    return search(request, Likes::kAnything, score, score, cells_);
  }
  /// Of a score that never falls when less CPU or memory is free, or more tasks are there. Looks at few.
  template <class Score>
  std::optional<NodeId> fullest(const Request& request, const Score& score) const {
    return search(request, Likes::kLittleFree, score, score, cells_);
  }
  /// Of a score that never falls when more is free, or fewer tasks are there. Looks at few.
  template <class Score>
  std::optional<NodeId> emptiest(const Request& request, const Score& score) const {
    return search(request, Likes::kMuchFree, score, score, cells_);
  }
  /// Of such a score that goes by the number of tasks, too, and costs much, or rounds: bound(target) is never
  /// below the score of that target, nor of one that has less free and more tasks.
  template <class Score, class Bound>
  std::optional<NodeId> emptiest(const Request& request, const Score& score, const Bound& bound) const {
    return search(request, Likes::kMuchFree, score, bound, cells_by_tasks_);
  }
  /// The most tasks that hold room on any target that can be used.
  std::uint32_t most_tasks() const { return most_tasks_; }

  const IndexWork& work() const { return work_; }

 private:
  static constexpr unsigned kFanBits = 4;
  static constexpr std::size_t kFan = 1U << kFanBits;  ///< Children of a node of the tree.
  /// The room of kFan neighbours, dimension by dimension: what a query compares lies side by side.
  class Block {
   public:
    Block();  ///< Nothing fits.
    /// Bit i is set if neighbour i fits.
    std::uint32_t fitting(const Request& request) const;
    /// Sets neighbour i. True if that changed `high`, the maximum in each dimension of all neighbours.
    bool set(std::size_t i, const Room& room, Room& high);

   private:
    template <class Of, class T>
    static bool replace(Of&& of, std::size_t i, T value, T& high);

    std::array<std::int64_t, kFan> cpu_m_;
    std::array<std::int64_t, kFan> memory_bytes_{};
    std::array<std::int64_t, kFan> slots_;
    /// By neighbour: they hardly ever change, and are then seen not to have at one glance.
    std::array<std::array<std::int32_t, kCountableKinds>, kFan> count_{};
  };
  /// One level of the tree: child i of level l + 1 sums up block i of level l.
  struct Level {
    std::vector<Block> blocks;
    std::vector<Room> high;  ///< Of each block.
  };
  void add_leaf() const;
  void replace(std::size_t leaf, const Room& room) const;
  std::optional<std::size_t> descend(const Request& request, std::size_t level, std::size_t block,
                                     std::size_t from) const;
  void count_tasks(std::uint32_t tasks, bool more);
  void keep_levels() const;
  /// Targets in cells, from the first question on.
  struct KeptCells {
    Cells cells;
    bool kept = false;
  };
  void keep(KeptCells& cells) const;
  void note(KeptCells& cells, std::uint32_t at, bool was_usable) const;
  template <class Score, class Bound>
  std::optional<NodeId> search(const Request& request, Likes likes, const Score& score, const Bound& bound,
                               KeptCells& in) const {
    if (!in.kept) keep(in);
    return in.cells.best(targets_, request, likes, score, bound, work_.examined);
  }

  std::vector<Target> targets_;
  std::vector<bool> usable_;
  std::vector<std::uint32_t> with_tasks_;  ///< How many usable targets have so many tasks.
  std::uint32_t most_tasks_ = 0;
  // Each is kept only once it has been asked for: schedulers need one of them.
  mutable std::vector<Level> levels_;  ///< levels_[0] has the targets themselves; the last has one block.
  mutable bool levels_kept_ = false;
  mutable KeptCells cells_{Cells(Cells::Columns::kMemory)};
  mutable KeptCells cells_by_tasks_{Cells(Cells::Columns::kTasks)};
  mutable IndexWork work_;
};

}  // namespace duet
