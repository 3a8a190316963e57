// EASY backfilling by nodes: the reservation of the blocked head names concrete nodes, the lowest that will
// be free.
//
// As easy (see there), but what is promised to the head is not a number of cores: a later job may use a node
// of the reservation only if it ends before the reservation starts, or fits beside it. Works on nodes of any
// shape. A pass that blocks costs time proportional to nodes and running tasks: docs/policies.md calls it a
// scan.
#include <algorithm>
#include <vector>

#include "core/params.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {
namespace {

/// What is free on each node, now or at a later instant.
using Profile = std::vector<Room>;

/// How many tasks of `request` fit into what is free, at most `limit`.
std::uint32_t copies(const Request& request, Room room, std::int64_t slot_cpu_m, std::uint32_t limit) {
  Resources charge = request.need;
  if (request.exclusive) charge.cpu_m = slot_cpu_m;
  std::uint32_t n = 0;
  while (n < limit && room.fits(request)) {
    room.free -= charge;
    // What is not exclusive may nibble at any slot: assume the worst for later exclusive tasks.
    room.slots = std::min(room.slots - static_cast<std::int64_t>(request.exclusive),
                          slot_cpu_m == 0 ? 0 : room.free.cpu_m / slot_cpu_m);
    ++n;
  }
  return n;
}

void take(Room& room, const Request& request, std::int64_t slot_cpu_m, std::uint32_t n) {
  for (; n > 0; --n) {
    room.free -= request.need;
    if (request.exclusive) room.free.cpu_m -= slot_cpu_m;
    room.slots = std::min(room.slots - static_cast<std::int64_t>(request.exclusive),
                          slot_cpu_m == 0 ? 0 : room.free.cpu_m / slot_cpu_m);
  }
}

class EasyMachines final : public Queue {
 public:
  std::int64_t rank(const Waiting&) const override { return 0; }
  bool reserves() const override { return true; }
  bool chooses_nodes() const override { return true; }

  std::string_view refuses(const Waiting& waiting, bool) const override {
    if (!waiting.together) return "easy_machines reserves for rigid jobs only";
    if (waiting.scheduler != nullptr)
      return "easy_machines chooses the nodes itself, so a job cannot name its scheduler";
    return {};
  }

  void pass(Plan& plan) override {
    auto at = plan.begin();
    while (at != plan.end() && start_now(plan, at, nullptr)) continue;
    if (at == plan.end()) return;
    Reservation reservation = reserve(plan, at->second);
    plan.reserve(at->second, reservation.start, reservation.nodes);
    for (++at; at != plan.end();)
      if (!start_now(plan, at, &reservation)) ++at;
  }

 private:
  struct Reservation {
    Instant start = kNever;
    std::vector<NodeId> nodes;  ///< Kept for the head, in part.
    Profile left;               ///< What is free from `start` on, beside the head.
  };

  /// Starts the entry on the lowest nodes on which it fits now and does not disturb the reservation.
  static bool start_now(Plan& plan, Plan::Cursor& at, Reservation* reservation) {
    const Waiting& job = at->second;
    const TargetIndex& index = plan.cluster().index();
    const bool undisturbed =
        reservation == nullptr || reservation->start == kNever ||
        (job.estimate && saturating_add(plan.now(), *job.estimate) <= reservation->start);
    std::vector<NodeId> nodes;
    for (auto id = index.first_fit(job.request); id && nodes.size() < job.width;
         id = index.first_fit(job.request, NodeId{id->value + 1})) {
      const Target& target = index.target(*id);
      const auto missing = static_cast<std::uint32_t>(job.width - nodes.size());
      std::uint32_t n = copies(job.request, target.room, target.slot_cpu_m, missing);
      if (!undisturbed)
        n = std::min(n, copies(job.request, reservation->left[id->value], target.slot_cpu_m, n));
      nodes.insert(nodes.end(), n, *id);
    }
    if (nodes.size() < job.width) return false;
    if (!undisturbed) {
      for (const NodeId id : nodes)
        take(reservation->left[id.value], job.request, index.target(id).slot_cpu_m, 1);
    }
    plan.start_on(at, nodes);
    return true;
  }

  /// The earliest instant at which, by the estimates, the job fits; on the lowest nodes that have room then.
  static Reservation reserve(const Plan& plan, const Waiting& job) {
    const Cluster& cluster = plan.cluster();
    const TargetIndex& index = cluster.index();
    Profile profile(index.size());
    std::vector<std::uint32_t> fits(index.size(), 0);
    std::uint64_t total = 0;
    const auto recount = [&](std::size_t n) {
      total -= fits[n];
      const NodeId id{n};
      fits[n] =
          cluster.usable(id) ? copies(job.request, profile[n], index.target(id).slot_cpu_m, job.width) : 0;
      total += fits[n];
    };
    for (std::size_t n = 0; n < profile.size(); ++n) {
      profile[n] = index.target(NodeId{n}).room;
      recount(n);
    }
    Instant from = Instant::min();
    plan.for_each_release([&](Instant at, NodeId node, const Resources& charge) {
      if (at == kNever || (total >= job.width && at > from)) return false;
      from = at;
      Room& room = profile[node.value];
      room.free += charge;
      const std::int64_t slot = index.target(node).slot_cpu_m;
      room.slots = slot == 0 ? 0 : room.free.cpu_m / slot;
      recount(node.value);
      return true;
    });
    if (total < job.width) return {};
    Reservation reservation{std::max(from, plan.now() + Duration{1}), {}, std::move(profile)};
    std::uint32_t missing = job.width;
    for (std::size_t n = 0; n < fits.size() && missing > 0; ++n) {
      const std::uint32_t here = std::min(missing, fits[n]);
      take(reservation.left[n], job.request, index.target(NodeId{n}).slot_cpu_m, here);
      missing -= here;
      if (here > 0) reservation.nodes.push_back(NodeId{n});
    }
    return reservation;
  }
};

}  // namespace

Result<std::unique_ptr<Queue>> make_easy_machines(const Params& params) {
  return make_plain<Queue, EasyMachines>(params);
}

}  // namespace duet
