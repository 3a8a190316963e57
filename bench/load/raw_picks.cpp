// Compiled like node_selection.cpp (-O3 -march=x86-64-v3), and apart from everything of ours.
#include "bench/load/raw_picks.h"

#include "bench/raw/node_selection_indexes.h"
#include "bench/raw/node_selection_load.h"
#include "bench/raw/node_selection_scans.h"

namespace duet::bench {
namespace {

/// At 80 % there are about five placements on a node of this mix.
constexpr u32 kPerNode = 8;

template <class S>
class Picks final : public RawPicks {
 public:
  explicit Picks(u32 nodes) : nodes_(nodes), held_(nodes, kPerNode) {}
  void decide(std::uint64_t decisions) override {
    for (; decisions > 0; --decisions) {
      held_.decide();
      asm volatile("" ::: "memory");  // Nothing is kept in registers from one decision to the next.
    }
  }
  double utilisation() const override { return held_.utilisation(nodes_); }

 private:
  u32 nodes_;
  HeldCluster<S> held_;
};

}  // namespace

std::unique_ptr<RawPicks> make_raw_picks(RawIndex index, std::uint32_t nodes) {
  if (index == RawIndex::kBestFit) return std::make_unique<Picks<Bucket<true>>>(nodes);
  if (index == RawIndex::kWorstFit) return std::make_unique<Picks<Bucket<false>>>(nodes);
  return std::make_unique<Picks<NaiveEpvm>>(nodes);
}

}  // namespace duet::bench
