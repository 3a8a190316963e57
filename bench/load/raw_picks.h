// Picks in the structures of bench/raw/node_selection.cpp, callable from a program that is compiled as
// always.
#pragma once

#include <cstdint>
#include <memory>

namespace duet::bench {

enum class RawIndex : std::uint8_t {
  kBestFit,   ///< Buckets of bitmaps, the fullest node that fits.
  kWorstFit,  ///< The same, the emptiest.
  kNaiveEpvm  ///< Every node, four pow() each.
};

/// A cluster of `nodes` nodes held at 80 % of CPU. `decide` makes so many decisions, each with its allocation
/// and, as they come, one release.
class RawPicks {
 public:
  virtual ~RawPicks() = default;
  virtual void decide(std::uint64_t decisions) = 0;
  virtual double utilisation() const = 0;
};

std::unique_ptr<RawPicks> make_raw_picks(RawIndex index, std::uint32_t nodes);

}  // namespace duet::bench
