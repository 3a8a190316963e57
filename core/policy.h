// The five kinds of policy. A policy is one file under core/policy/ and one line in core/policies.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/index.h"
#include "core/model.h"
#include "core/result.h"
#include "core/rng.h"
#include "core/time.h"

namespace duet {

class Plan;

/// How a scheduler compares targets, for explanations.
struct Comparison {
  std::string_view measure;                  ///< What a score is, in words.
  std::vector<std::optional<double>> score;  ///< By target; nothing: it does not fit, or is not looked at.
};

/// Chooses the target of one task.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// The target for `request`, or nothing if none fits. Must return a target that fits; ties go to the lowest
  /// id. Draws from `rng` only if some target fits: a pick that finds nothing leaves no trace.
  virtual std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng& rng) = 0;
  /// What the next pick() goes by: its answer is the target with the highest score, the lowest id among
  /// equals.
  virtual Comparison compare(const Request& request, const TargetIndex& targets, Rng rng) const = 0;
  /// A scheduler with a memory hands it out and takes it back, so that a gang that was rolled back leaves no
  /// trace. The caller does the same with `rng`.
  virtual std::uint64_t mark() const { return 0; }
  virtual void rewind(std::uint64_t) {}
};

/// What waits in a queue: a gang (`together`) of `width` tasks, or `width` independent ones.
struct Waiting {
  JobId job;
  std::uint32_t group = 0;  ///< Which of the job's groups its tasks are from.
  Request request;          ///< Of each of the `width` next tasks; they are equal.
  std::uint32_t width = 1;
  bool together = false;
  std::int32_t priority = 0;
  Instant submitted;
  std::optional<Duration> estimate;  ///< Predicted run time; nothing if unknown.
  Scheduler* scheduler = nullptr;    ///< The job's own; null: the cluster's.
  std::optional<NodeId> avoid;       ///< Where one of them just failed: taken only if nothing else fits.
};

/// Drives a scheduling pass: which job is tried when.
class Queue {
 public:
  virtual ~Queue() = default;
  /// Entries are kept in ascending order of (rank, job id, group). Must not change while an entry waits.
  virtual std::int64_t rank(const Waiting& waiting) const = 0;
  /// Why this job cannot be queued here, or empty if it can. Queues that count units of one resource over
  /// identical nodes refuse what they cannot count.
  virtual std::string_view refuses(const Waiting&, bool /*identical_nodes*/) const { return {}; }
  /// True if pass() asks Plan::for_each_release(); for other queues the releases are not kept.
  virtual bool reserves() const { return false; }
  /// True if it starts jobs on nodes of its own choice, and asks no scheduler.
  virtual bool chooses_nodes() const { return false; }
  /// One pass over what waits. Starts jobs through `plan` only.
  virtual void pass(Plan& plan) = 0;
  /// When a pass is due even if nothing else happens (a reservation falls due).
  virtual std::optional<Instant> next_due() const { return std::nullopt; }
};

/// How many members a group should have, and why.
struct Desired {
  std::int64_t count = 0;
  std::string_view why;
  Duration look_again{0};  ///< To be asked again after so long, even if nothing happens; 0 = no need.
};
struct GroupView {
  std::int64_t count = 0;  ///< Members now, `pending` ones included.
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::int64_t configured = 0;           ///< What the user asked for.
  std::int64_t ready = 0;                ///< Members that take work.
  std::int64_t pending = 0;              ///< Members asked for that do not take work yet.
  std::int64_t least_load_permille = 0;  ///< CPU allocated on the ready member that has least; 0 if none is.
  std::int64_t queued = 0;               ///< Operations that wait for a member.
  std::int64_t running = 0;              ///< Operations that members run.
  Duration empty_for{0};                 ///< How long no operation has waited.
};
/// Looks at `group` alone and remembers nothing: equal views, equal answers. Cooldowns and dry runs belong to
/// the controller, and it keeps what it does within the bounds of the group.
class Autoscaler {
 public:
  virtual ~Autoscaler() = default;
  virtual Desired decide(Instant now, const GroupView& group) = 0;
};

enum class Liveness : std::uint8_t { kAlive, kSuspect, kDead };

/// Judges one agent by when it was last heard of.
class FailureDetector {
 public:
  virtual ~FailureDetector() = default;
  virtual void heartbeat(Instant now) = 0;
  virtual Liveness assess(Instant now) const = 0;
  /// The earliest instant at which assess() will say something worse if nothing is heard; kNever if it will
  /// not.
  virtual Instant next_change(Instant now) const = 0;
};

/// How well an estimator has predicted so far, for metrics.
struct Accuracy {
  std::uint64_t samples = 0;              ///< Run times that it was told.
  std::optional<std::int64_t> error_ppm;  ///< Median of |predicted - ran| / ran over the last ones predicted.
};

/// Predicts how long a task will run.
class CpuEstimator {
 public:
  virtual ~CpuEstimator() = default;
  virtual std::optional<Duration> predict(const TaskSpec& spec) const = 0;
  /// A task of this specification ran for so long and succeeded. `cpu` is the processor time that it used, on
  /// all its threads together; 0 = nobody measured it.
  virtual void observe(const TaskSpec& spec, Duration ran, Duration cpu = Duration{0}) = 0;
  /// Nothing for estimators that do not keep count.
  virtual Accuracy accuracy() const { return {}; }
};

/// One line of the table. `make` refuses unknown and impossible parameters; `where` of a Problem names the
/// parameter.
template <class P>
struct PolicyEntry {
  std::string_view name;
  std::string_view summary;
  std::string_view parameters;  ///< "name: unit, default, meaning" separated by ';', empty if it has none.
  Result<std::unique_ptr<P>> (*make)(const Params&);
};

/// All of a kind: Duet's, and then a program's own.
std::span<const PolicyEntry<Queue>> queue_policies();
std::span<const PolicyEntry<Scheduler>> scheduler_policies();
std::span<const PolicyEntry<Autoscaler>> autoscaler_policies();
std::span<const PolicyEntry<FailureDetector>> detector_policies();
std::span<const PolicyEntry<CpuEstimator>> estimator_policies();

/// The policies of a program that is built around an installed Duet.
struct OwnPolicies {
  std::span<const PolicyEntry<Queue>> queues{};
  std::span<const PolicyEntry<Scheduler>> schedulers{};
  std::span<const PolicyEntry<Autoscaler>> autoscalers{};
  std::span<const PolicyEntry<FailureDetector>> detectors{};
  std::span<const PolicyEntry<CpuEstimator>> estimators{};
};
/// Puts them behind Duet's in the tables. For main(), before anything looks at a table or starts a thread:
/// what the tables hold is the same from then on. Adds nothing and says all that is wrong if a name is taken
/// (within its kind, or by `duet policies NAME`, in another), is not in snake_case, or has no make function.
Problems add_policies(const OwnPolicies& own);

/// Why a policy cannot have this name, whoever has which; empty if it can: 1 to 40 of a-z, 0-9 and _, a
/// letter first, no _ at the end or twice in a row.
std::string_view bad_policy_name(std::string_view name);

/// What is wrong with the policies of `config`, all at once; `where` is e.g. "queue" or
/// "detector/dead_after_s".
Problems check_policies(const ControllerConfig& config);

/// Makes the policy that `choice` names, or says which names there are.
template <class P>
Result<std::unique_ptr<P>> make_policy(std::span<const PolicyEntry<P>> table, const PolicyChoice& choice) {
  std::string names;
  for (const auto& entry : table) {
    if (entry.name == choice.name) return entry.make(choice.params);
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  return Problem{"", "there is no policy '" + choice.name + "'", "one of " + names};
}

}  // namespace duet
