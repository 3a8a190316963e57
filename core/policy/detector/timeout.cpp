// A node is suspect, then dead, when nothing has been heard of it for so long.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class Timeout final : public FailureDetector {
 public:
  Timeout(Duration suspect_after, Duration dead_after)
      : suspect_after_(suspect_after), dead_after_(dead_after) {}

  void heartbeat(Instant now) override { heard_ = now; }

  Liveness assess(Instant now) const override {
    if (now >= limit(dead_after_)) return Liveness::kDead;
    if (now >= limit(suspect_after_)) return Liveness::kSuspect;
    return Liveness::kAlive;
  }

  Instant next_change(Instant now) const override {
    if (now < limit(suspect_after_) && limit(suspect_after_) < limit(dead_after_))
      return limit(suspect_after_);
    return now < limit(dead_after_) ? limit(dead_after_) : kNever;
  }

 private:
  /// 0 = never.
  Instant limit(Duration after) const {
    return after == Duration{0} ? kNever : saturating_add(heard_, after);
  }

  Duration suspect_after_;
  Duration dead_after_;
  Instant heard_;
};

}  // namespace

Result<std::unique_ptr<FailureDetector>> make_timeout(const Params& params) {
  ParamReader reader(params);
  const Duration suspect = reader.seconds("suspect_after_s", std::chrono::seconds(20));
  const Duration dead = reader.seconds("dead_after_s", std::chrono::seconds(30));
  if (dead != Duration{0} && suspect > dead)
    reader.refuse("suspect_after_s", "is longer than dead_after_s", "a node is suspect before it is dead");
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<FailureDetector>(std::make_unique<Timeout>(suspect, dead));
}

}  // namespace duet
