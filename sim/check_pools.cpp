// I20: an autoscaler keeps within the bounds and cooldowns of its pool.
#include "sim/checkers.h"

namespace duet::sim {

void Checkers::see(const Cause&, const controller::PoolScaled& notice) {
  const JobView* job = job_of(notice.job);
  if (job == nullptr || !job->spec->pool)
    return broken("I20", "job " + std::to_string(notice.job.value) + " has no pool to be scaled");
  const PoolSpec& pool = *job->spec->pool;
  const std::string what =
      "pool " + pool.name + " from " + std::to_string(notice.from) + " to " + std::to_string(notice.to);
  if (notice.to < pool.minimum || notice.to > pool.maximum) broken("I20", what + " is out of bounds");
  if (notice.to == notice.from) broken("I20", what + " is no change");
  if (notice.applied == pool.dry_run) broken("I20", what + " disregards whether this is a dry run");
  if (!notice.applied) return;
  const Duration cooldown = notice.to > notice.from ? pool.cooldown_up : pool.cooldown_down;
  const auto [last, first] = scaled_at_.try_emplace(notice.job, now_);
  if (!first && saturating_add(last->second, cooldown) > now_) broken("I20", what + " comes too early");
  last->second = now_;
}

}  // namespace duet::sim
