// Whole lives of tasks, driven through a controller and its trace: no agents, no world, as few instructions
// of the driver's own as can be.
//
// A life: submitted (a rigid job of one task), placed by the Wake, launched, started, ended, acknowledged,
// job ended. The controller hears it as three events (Submit, the agent's AttemptStarted and AttemptEnded)
// and the Wakes that close the rounds; each step goes through Traced into a TraceWriter, which encodes it,
// chains it by XXH3 and takes the SHA-256 of it all, as in every run with a trace. Nothing is written to a
// disk.
//
// Two shapes. kSingle: each request and each end is an instant of its own, as when times are continuous: an
// end and its Wake; then a submission and its Wake, the start and its Wake. kRounds: sixteen ends, sixteen
// submissions and one Wake, sixteen starts and their Wake, as when a driver gathers what came in a few
// milliseconds.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/codec/trace_file.h"
#include "core/controller.h"
#include "core/rng.h"
#include "core/trace.h"

namespace duet::bench {

struct LifecycleOptions {
  enum class Shape : std::uint8_t { kSingle, kRounds };

  std::uint32_t nodes = 10'000;  ///< Of 8 cores and 32 GiB.
  std::string queue = "fcfs";
  std::string scheduler = "first_fit";
  Shape shape = Shape::kSingle;
  /// 0: random tasks end so that 80 % of CPU is taken. Else so many jobs wait at all times, and nothing ends
  /// but to make room for them: the cluster is full.
  std::uint32_t backlog = 0;
  bool memory =
      true;  ///< Tasks need memory too, as in node_selection.cpp; the queue `easy` takes none that do.
  bool trace = true;
};

class Lifecycle {
 public:
  /// Registers the nodes and fills the cluster.
  explicit Lifecycle(const LifecycleOptions& options);

  /// Goes on until so many more tasks have ended.
  void run(std::uint64_t lives);

  const Controller& controller() const { return controller_.machine(); }
  double utilisation() const;
  std::uint64_t ended() const { return ended_; }
  std::uint64_t steps() const { return steps_; }
  /// Submissions that found no room and were cancelled, beside the lives.
  std::uint64_t turned_away() const { return turned_away_; }
  /// Of the trace so far; to be called once. Nothing without one.
  std::optional<codec::TraceSummary> finish();

 private:
  struct Running {
    AttemptId attempt;
    std::uint32_t node = 0;
    std::int64_t cpu_m = 0;
  };

  void register_nodes();
  void fill();
  void make_mix();
  void one_life();
  void round();
  void turn_away();
  void end_one();
  void submit();
  void end_random();
  void wake();
  void hear_starts();
  void pass_time() { now_ += gap_; }
  void step(const controller::Event& event);
  void hear(const controller::Command& command);
  std::size_t waiting() const { return waiting_.size(); }
  std::int64_t cpu_m_of(std::uint64_t submission) const {
    return mix_[submission % mix_.size()]->groups[0].spec.need.cpu_m;
  }

  LifecycleOptions options_;
  std::unique_ptr<codec::TraceWriter> trace_;
  Traced<Controller> controller_;
  controller::Commands commands_;
  Rng rng_;
  std::vector<JobSpecPtr> mix_;
  std::uint64_t next_ = 0;         ///< Submissions so far.
  std::vector<Epoch> epochs_;      ///< By node.
  std::vector<Running> launched_;  ///< Since the last starts were told.
  std::vector<Running> running_;
  Duration gap_{0};  ///< Between two instants.
  Instant now_;
  std::int64_t used_cpu_m_ = 0;  ///< Of what runs.
  std::int64_t limit_cpu_m_ = 0;
  std::deque<JobId> waiting_;  ///< Submitted, not launched, in that order.
  JobId last_job_;
  std::uint64_t ended_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t turned_away_ = 0;
};

}  // namespace duet::bench
