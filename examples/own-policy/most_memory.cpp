// The node with the most memory free, in bytes: for tasks that grow.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"

namespace duet {
namespace {

class MostMemory final : public Scheduler {
 public:
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.best(request, score);
  }
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting("bytes of memory free", request, targets,
                           [](NodeId, const Target& target) { return static_cast<double>(score(target)); });
  }

 private:
  /// The highest wins; the lowest node among equals.
  static std::int64_t score(const Target& target) { return target.room.free.memory_bytes; }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_most_memory(const Params& params) {
  return make_plain<Scheduler, MostMemory>(params);
}

}  // namespace duet
