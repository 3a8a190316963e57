// One more member when something finds no room, or when all are loaded beyond a threshold: the next operation
// then finds one that is warm. Asks for one at a time, and waits for it. Never gives one up.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class Threshold final : public Autoscaler {
 public:
  explicit Threshold(std::int64_t above_permille) : above_permille_(above_permille) {}

  Desired decide(Instant, const GroupView& group) override {
    const bool no_room = group.queued > 0;
    const bool all_beyond = group.ready > 0 && group.least_load_permille > above_permille_;
    if (!no_room && !all_beyond) return {group.count, "a member is below the threshold, and nothing waits"};
    if (group.pending > 0) return {group.count, "one more is on its way"};
    if (group.count >= group.maximum) return {group.count, "there are as many as there may be"};
    return {group.count + 1, no_room ? "no member has room" : "all members are beyond the threshold"};
  }

 private:
  std::int64_t above_permille_;
};

}  // namespace

Result<std::unique_ptr<Autoscaler>> make_threshold(const Params& params) {
  ParamReader reader(params);
  const std::int64_t percent = reader.integer("above_percent", 70, 0, 100);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Autoscaler>(std::make_unique<Threshold>(10 * percent));
}

}  // namespace duet
