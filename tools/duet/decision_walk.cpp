#include "tools/duet/decision_walk.h"

namespace duet::front {

Result<DecisionWalk> DecisionWalk::open(const std::string& trace, codec::DecisionFilter filter,
                                        std::atomic<std::uint64_t>* progress) {
  auto walk = codec::Walk::open(trace, progress);
  if (!walk) return walk.problems();
  return DecisionWalk(std::move(*walk), std::move(filter));
}

Result<bool> DecisionWalk::next() {
  for (;;) {
    const auto more = walk_.next();
    if (!more || !*more) return more;
    if (const auto problem = walk_.take()) return *problem;
    if (filter_.job) story_.hear(walk_);
    if (!codec::decides(walk_, {})) continue;
    ++number_;
    if (codec::decides(walk_, filter_)) return true;
  }
}

}  // namespace duet::front
