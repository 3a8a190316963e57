// EASY backfilling by counting: the first job that does not fit gets a reservation, later ones may jump ahead
// if they do not delay it.
//
// Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001. The
// shadow time is when, by the estimates, enough cores will be free for the blocked head; the extra cores are
// what is then left over. A later job may start if it fits now and either ends by the shadow time or needs no
// more than the extra.
#include <algorithm>

#include "core/params.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {
namespace {

class Easy final : public Queue {
 public:
  std::int64_t rank(const Waiting&) const override { return 0; }
  bool reserves() const override { return true; }

  std::string_view refuses(const Waiting& waiting, bool identical_nodes) const override {
    Resources only_cpu;
    only_cpu.cpu_m = waiting.request.need.cpu_m;
    if (waiting.request.exclusive || waiting.request.need != only_cpu)
      return "easy counts cores only, so a task may need nothing else; use easy_machines";
    if (!identical_nodes)
      return "easy counts free cores over identical nodes, and these differ; use easy_machines";
    return {};
  }

  void pass(Plan& plan) override {
    auto head = plan.begin();
    while (head != plan.end())
      if (!plan.start(head)) break;
    if (head == plan.end() || plan.free_cpu_m() == 0) return;

    const std::int64_t needed = Plan::cpu_m(head->second);
    std::int64_t available = plan.free_cpu_m();
    Instant shadow = kNever;
    plan.for_each_release([&](Instant at, NodeId node, const Resources& charge) {
      // Jobs of one estimated end free their cores together.
      if (at == kNever || at > shadow) return false;
      if (plan.cluster().usable(node)) available += charge.cpu_m;
      if (available >= needed) shadow = at;
      return true;
    });
    // A job that is overdue may end at any time from now on.
    shadow = std::max(shadow, plan.now());
    plan.reserve(head->second, shadow);
    // Without a shadow time (estimates unknown, nodes away) nothing can be said to delay the head.
    std::int64_t extra = shadow == kNever ? plan.free_cpu_m() : available - needed;

    for (auto at = std::next(head); at != plan.end() && plan.free_cpu_m() > 0;) {
      const Waiting& job = at->second;
      const std::int64_t cpu_m = Plan::cpu_m(job);
      const bool in_time = job.estimate && saturating_add(plan.now(), *job.estimate) <= shadow;
      const std::int64_t free = plan.free_cpu_m();
      const bool may = cpu_m <= free && (in_time || cpu_m <= extra);
      if (!may || !plan.start(at)) ++at;
      if (!in_time) extra -= free - plan.free_cpu_m();  // A bag may have started in part.
    }
  }
};

}  // namespace

Result<std::unique_ptr<Queue>> make_easy(const Params& params) { return make_plain<Queue, Easy>(params); }

}  // namespace duet
