// A node is suspect, then dead, when nothing has been heard of it for so long.
#include <algorithm>
#include <array>

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

/// Times that go together, each for one period of heartbeats.
struct DetectorProfile {
  Duration suspect_after;
  Duration dead_after;
};
constexpr std::array<std::string_view, 3> kProfileNames = {"s0", "s3", "fast"};
constexpr std::array<DetectorProfile, 3> kProfiles = {{
    {std::chrono::seconds(20), std::chrono::seconds(30)},  // Every 10 s: two, then three are missing.
    {std::chrono::seconds(45), std::chrono::seconds(60)},  // Every 30 s: one is late, then two missing.
    {std::chrono::milliseconds(1500),
     std::chrono::milliseconds(2500)},  // Every 0.5 s: three, then five are missing.
}};

}  // namespace

Result<std::unique_ptr<FailureDetector>> make_timeout(const Params& params) {
  ParamReader reader(params);
  const std::string_view name = reader.text("profile", kProfileNames);
  const auto at = std::find(kProfileNames.begin(), kProfileNames.end(), name) - kProfileNames.begin();
  const DetectorProfile& profile = kProfiles[static_cast<std::size_t>(at)];
  const Duration suspect = reader.seconds("suspect_after_s", profile.suspect_after);
  const Duration dead = reader.seconds("dead_after_s", profile.dead_after);
  if (dead != Duration{0} && suspect > dead)
    reader.refuse("suspect_after_s", "is longer than dead_after_s", "a node is suspect before it is dead");
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<FailureDetector>(std::make_unique<Timeout>(suspect, dead));
}

}  // namespace duet
