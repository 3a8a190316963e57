// TargetIndex: which targets have room. Policies reach targets only through it; every answer is exact and
// ties go to the lowest id.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/resources.h"

namespace duet {

/// What one task asks of a target.
struct Request {
  Resources need;          ///< need.cpu_m is 0 if exclusive: the slot brings its own.
  bool exclusive = false;  ///< Needs one whole free slot.
  auto operator<=>(const Request&) const = default;
};

/// What a target has free.
struct Room {
  Resources free;
  std::int64_t slots = 0;  ///< Wholly free slots.

  auto operator<=>(const Room&) const = default;
  bool fits(const Request& request) const {
    return slots >= static_cast<std::int64_t>(request.exclusive) && free.covers(request.need);
  }
};

/// A target as a scheduler sees it.
struct Target {
  Resources capacity;
  Room room;
  std::int64_t slot_cpu_m = 0;  ///< CPU that an exclusive task takes here.
  std::uint32_t tasks = 0;      ///< That hold room here.
};

/// Counts of what was looked at, for the bench that shows that work per task does not grow.
struct IndexWork {
  std::uint64_t examined = 0;  ///< Blocks of first_fit(), classes of best().
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

  /// The fitting target with the highest score(target), a number; the lowest id among equals. Targets of
  /// equal capacity, room and number of tasks are scored once: cost grows with the number of different ones,
  /// not with the number of targets.
  template <class Score>
  std::optional<NodeId> best(const Request& request, Score&& score) const;

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
  /// Equal for targets between which no score can tell a difference.
  struct ClassKey {
    Resources capacity;
    std::int64_t slot_cpu_m = 0;
    Room room;
    std::uint32_t tasks = 0;
    auto operator<=>(const ClassKey&) const = default;
  };

  void replace(std::size_t leaf, const Room& room);
  std::optional<std::size_t> descend(const Request& request, std::size_t level, std::size_t block,
                                     std::size_t from) const;
  void build_classes() const;
  void class_remove(std::size_t id) const;
  void class_add(std::size_t id) const;

  std::vector<Target> targets_;
  std::vector<bool> usable_;
  std::vector<Level> levels_;  ///< levels_[0] has the targets themselves; the last has one block.
  /// Kept only once best() has been asked for: first fit does not pay for it.
  mutable std::map<ClassKey, std::set<std::uint64_t>> classes_;
  mutable bool classes_kept_ = false;
  mutable IndexWork work_;
};

template <class Score>
std::optional<NodeId> TargetIndex::best(const Request& request, Score&& score) const {
  if (!classes_kept_) build_classes();
  std::optional<NodeId> winner;
  decltype(score(targets_.front())) high{};
  for (const auto& [key, members] : classes_) {
    if (!key.room.fits(request)) continue;
    ++work_.examined;
    const NodeId lowest{*members.begin()};
    const auto s = score(targets_[lowest.value]);
    if (!winner || s > high || (s == high && lowest < *winner)) {
      winner = lowest;
      high = s;
    }
  }
  return winner;
}

}  // namespace duet
