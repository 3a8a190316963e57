// As many members as the operations need that wait or run, so many for each. More at once; fewer only when
// nothing has waited for a while, so that a short lull does not cost members that are needed again.
#include <algorithm>

#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class QueueDepth final : public Autoscaler {
 public:
  QueueDepth(std::int64_t per_member, Duration idle) : per_member_(per_member), idle_(idle) {}

  Desired decide(Instant, const GroupView& group) override {
    const std::int64_t operations = group.queued + group.running;
    const std::int64_t needed = operations / per_member_ + (operations % per_member_ > 0 ? 1 : 0);
    const std::int64_t wanted = std::max(group.minimum, std::min(group.maximum, needed));
    if (wanted > group.count) return {wanted, "operations need more members"};
    if (wanted == group.count) return {wanted, "as many as the operations need"};
    if (group.queued > 0) return {group.count, "operations wait"};
    if (group.empty_for < idle_)
      return {group.count, "more than needed, but not for long enough", idle_ - group.empty_for};
    return {wanted, "nothing has waited for a while"};
  }

 private:
  std::int64_t per_member_;
  Duration idle_;
};

}  // namespace

Result<std::unique_ptr<Autoscaler>> make_queue_depth(const Params& params) {
  ParamReader reader(params);
  const std::int64_t per_member = reader.integer("per_member", 4, 1, 1'000'000);
  const Duration idle = reader.seconds("idle_s", std::chrono::seconds(60));
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Autoscaler>(std::make_unique<QueueDepth>(per_member, idle));
}

}  // namespace duet
