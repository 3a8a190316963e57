// What schedulers share to explain themselves.
#pragma once

#include <string_view>

#include "core/policy.h"

namespace duet {

/// Scores every target that fits by score(id, target).
template <class Score>
Comparison compare_fitting(std::string_view measure, const Request& request, const TargetIndex& targets,
                           Score&& score) {
  Comparison out{measure, {}};
  out.score.resize(targets.size());
  for (std::uint64_t n = 0; n < targets.size(); ++n)
    if (const NodeId id{n}; targets.fits(id, request)) out.score[n] = score(id, targets.target(id));
  return out;
}

}  // namespace duet
