// Planted bugs, compiled into one test build only: each must be caught by a checker, or the checker is worth
// nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace duet {

enum class Mutant : std::uint8_t {
  kNone,
  kAcceptStaleAttempt,   ///< The end of a superseded attempt is taken for the current one.
  kNoEndResend,          ///< An agent reports an end only once.
  kNoKillOnRegister,     ///< Attempts that a returning agent should not hold go on running.
  kForgetFailures,       ///< A retry does not count the failure.
  kDuplicateLaunchRuns,  ///< A repeated launch runs again.
  kHeartbeatRevives,     ///< A heartbeat of an old epoch is taken for good.
  kIgnoreNonce,          ///< An agent believes a registration meant for an earlier life.
  kPlaceOnSuspect,       ///< Suspect nodes get new tasks.
  kPlaceOnDraining,      ///< Draining nodes get new tasks.
  kOvercommit,           ///< A placement does not take its CPU.
  kLoseTaskOfDeadNode,   ///< Tasks of a dead node are forgotten.
  kIllegalTransition,    ///< A task that ends is not marked.
  kEndBeforeStart,       ///< An agent reports success as soon as it is told to launch.
  kNoLaunchResend,       ///< A lost launch is never repeated.
  kNeverDetect,          ///< Nobody is ever declared dead.
  kNoRejoin,             ///< A dead node that registers again stays down.
  kNonDeterministic,     ///< A pass is skipped by a counter that outlives the run.
  kNoPassAfterRelease,   ///< Room that becomes free is not offered to those who wait.
  kCancelBlocksQueue,    ///< Nor is the queue looked at again when the job at its head is cancelled.
  kAnyRegisterAnswer,    ///< An agent takes the answer to an earlier registration for that to its last one.
  kForgetLosses,         ///< A task may be lost with its node as often as it likes.
  kKillVoidsNothing,     ///< A launch that arrives after its kill runs.
  kGangInPieces,         ///< Those members of a gang that fit start.
  kIdleSlotsAreFree,     ///< An idle slot is given away although its CPU is in use on overloaded threads.
  kOldLifeStaysOut,   ///< A life that an older one's late registration pushed out is never told to ask anew.
  kIdsGivenAgain,     ///< A controller that takes over gives ids of jobs that have ended.
  kEpochsGivenAgain,  ///< It counts registrations from the start.
  kRestoreForgetsFailures,  ///< Nor does it know what failures cost before.
  kRestoreForgetsTasks,     ///< What was placed is placed again.
  kRestoreForgetsCancel,    ///< What was cancelled goes on.
  kRestoreForgetsEviction,  ///< A gang that is evicted pays for what its members do meanwhile.
  kRestoreWatchesNobody,    ///< A node that never comes back is waited for.
  kRestoreForgetsVersion,   ///< Replicas of an old version are taken for new ones.
  kRestoreForgetsDag,       ///< What had succeeded before the controller died does not let others begin.
  kPlacedNotPersisted,      ///< What was placed is not durable.
  kAnswersTwice,            ///< A request to cancel is answered a second time.
  kSharesThreads,           ///< Whole threads are given away although they are in use.
  kThreadBeyondOffer,       ///< Tasks get a thread that their node keeps for its system.
  kAvoidsNothing,           ///< What failed goes back to where it failed.
  kNoBackoff,               ///< What failed runs again at once.
  kDagAllAtOnce,            ///< All groups of a DAG begin at once.
  kKeepsSurplus,            ///< Replicas that are desired no more go on.
  kReplacesUpToDate,        ///< An update replaces what it has replaced.
  kUpdateStalls,            ///< It replaces one replica and no more.
  kScaleStallsUpdate,       ///< Nor does it go on when the replica that it waited for is desired no more.
  kChainUnchecked,          ///< A trace is read without looking at its hashes.
  kNoTimeout,               ///< An agent lets attempts run as long as they like.
  kOverloadsWorkers,        ///< A worker is never full.
  kAsksOnce,                ///< An ask that got lost is not made again.
  kOrphansRunOn,            ///< Operations outlive their worker.
  kScalesAnyTime,           ///< An autoscaler does not wait for its cooldowns.
  kAdoptsNothing,           ///< An agent does not take over what an earlier life launched.
  kNoBrake,                 ///< In a mass loss all nodes are given up at once.
  kNeverStuck,              ///< A node that answers no launches gets more.
  kBrakeByNumber,           ///< Under the brake, nodes are given up by their number.
  kKeyIgnored,              ///< A repeated submission makes another job.
  kKeyOfAnotherJob,         ///< What was submitted differently under the same key is taken for the same.
  kRestoreForgetsKeys,      ///< A controller that takes over does not know the keys.
  kSickRunsOn,              ///< What fails its health check is left alone.
  kReadyAtOnce,             ///< What has a health check is relied on before it passed it.
  kRestartsForEver,         ///< Replicas run again whatever their service's restart policy says.
};

inline constexpr Mutant kLastMutant = Mutant::kRestartsForEver;

#ifdef DUET_MUTATIONS
Mutant active_mutant();
void set_active_mutant(Mutant mutant);
inline constexpr bool kMutationsCompiled = true;
inline bool mutated(Mutant mutant) { return active_mutant() == mutant; }
#else
inline constexpr bool kMutationsCompiled = false;
constexpr bool mutated(Mutant) { return false; }
#endif

}  // namespace duet
