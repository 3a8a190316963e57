// The target whose price a task raises least: see opportunity_cost.h.
//
// As the paper's listing means it: it doubles its guess of the most jobs on a machine when a machine gets
// more, so the guess is the smallest power of two that is not below the largest load seen.
#include <algorithm>
#include <bit>

#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"
#include "core/policy/scheduler/opportunity_cost.h"
#include "core/policy/scheduler/price_bounds.h"

namespace duet {
namespace {

class EPvm final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    const double log_base = math::log(static_cast<double>(targets.size()));
    const std::uint64_t most = most_tasks(targets);
    return compare_fitting("minus the rise of its price", request, targets,
                           [&](NodeId, const Target& target) {
                             return score_of_price(marginal_cost(target, request, log_base, most));
                           });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    const double log_base = math::log(static_cast<double>(targets.size()));
    const std::uint64_t most = most_tasks(targets);
    bounds_.ask(log_base, request, most);
    const std::int64_t slack = slack_of_prices(targets);
    const auto cheapest = targets.emptiest(
        request,
        [&](const Target& target) {
          return -math::quantised(marginal_cost(target, request, log_base, most));
        },
        [&](const Target& target) { return slack - math::quantised(bounds_.least_price(target)); });
    if (cheapest)
      max_tasks_ = std::max(most, std::bit_ceil(std::uint64_t{targets.target(*cheapest).tasks} + 1));
    return cheapest;
  }
  std::uint64_t mark() const override { return max_tasks_; }
  void rewind(std::uint64_t mark) override { max_tasks_ = mark; }

 private:
  /// Loads may have come about without this scheduler.
  std::uint64_t most_tasks(const TargetIndex& targets) const {
    return std::max(max_tasks_, std::bit_ceil(std::uint64_t{targets.most_tasks()}));
  }

  std::uint64_t max_tasks_ = 1;
  PriceBounds bounds_;
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_e_pvm(const Params& params) {
  return make_plain<Scheduler, EPvm>(params);
}

}  // namespace duet
