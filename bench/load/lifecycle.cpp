#include "bench/load/lifecycle.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "bench/raw/node_selection.h"
#include "core/check.h"

namespace duet::bench {
namespace {

constexpr std::uint64_t kMix = 4096;  ///< As many different jobs as node_selection.cpp has requests.
constexpr std::uint64_t kRound = 16;  ///< Lives that one round advances.
constexpr double kTarget = 0.80;
/// A task of this mix takes about so long, and there are about five on a node: from that, the time between
/// two instants. It matters only to what looks at the clock: resends, estimates, detectors.
constexpr std::int64_t kMeanTaskNs = 60'000'000'000;
constexpr std::int64_t kTasksPerNode = 5;

ControllerConfig config_of(const LifecycleOptions& options) {
  ControllerConfig config;
  config.queue.name = options.queue;
  config.scheduler.name = options.scheduler;
  config.detector.params.items = {{"dead_after_s", std::int64_t{0}}, {"suspect_after_s", std::int64_t{0}}};
  for (std::uint32_t n = 0; n < options.nodes; ++n) config.inventory.push_back("n" + std::to_string(n));
  return config;
}

std::unique_ptr<codec::TraceWriter> writer_of(const LifecycleOptions& options) {
  if (!options.trace) return nullptr;
  auto made = codec::TraceWriter::create({}, codec::TraceOutput::digest_only());
  DUET_CHECK(made);
  return std::move(*made);
}

BootNonce boot_of(std::uint32_t node) { return {(std::uint64_t{1} << 32) + node}; }

}  // namespace

Lifecycle::Lifecycle(const LifecycleOptions& options)
    : options_(options),
      trace_(writer_of(options)),
      controller_(Controller(config_of(options)), 0, trace_.get()),
      rng_(42),
      epochs_(options.nodes),
      gap_(kMeanTaskNs / (std::int64_t{options.nodes} * kTasksPerNode)),
      limit_cpu_m_(static_cast<std::int64_t>(kTarget * CPU * options.nodes)) {
  make_mix();
  register_nodes();
  fill();
  turned_away_ = 0;
}

void Lifecycle::make_mix() {
  std::uint64_t seed = 42;
  for (std::uint64_t i = 0; i < kMix; ++i) {
    const Req request = mkreq(seed);
    JobSpec spec;
    spec.key = "job-" + std::to_string(i);
    spec.user = "user-" + std::to_string(i % 16);
    TaskGroup& group = spec.groups.emplace_back();
    group.spec.need.cpu_m = request.c;
    if (options_.memory) group.spec.need.memory_bytes = request.m * kMiB;
    group.spec.work.duration = Duration(rng_.between(kMeanTaskNs / 2, kMeanTaskNs * 3 / 2));
    group.spec.estimate = group.spec.work.duration * 2;  // Users are careful.
    mix_.push_back(std::make_shared<const JobSpec>(std::move(spec)));
  }
}

void Lifecycle::register_nodes() {
  NodeOffer offer;
  offer.cores = CPU / kThread;
  offer.capacity = {CPU, MEM * kMiB, {}};
  for (std::uint32_t n = 0; n < options_.nodes; ++n) {
    const msg::Register body{"n" + std::to_string(n), 1, offer, {}};
    step(controller::Received{{n}, {{}, boot_of(n), {}, body}});
  }
  wake();
}

/// Around and around, whatever the scheduler, as node_selection.cpp does.
void Lifecycle::fill() {
  const std::vector<JobSpecPtr> mix = mix_;
  if (options_.backlog == 0) {
    for (JobSpecPtr& job : mix_) {
      JobSpec other = *job;
      other.scheduler = "round_robin";
      job = std::make_shared<const JobSpec>(std::move(other));
    }
  }
  while (options_.backlog > 0 ? waiting() < options_.backlog
                              : used_cpu_m_ + cpu_m_of(next_) <= limit_cpu_m_) {
    submit();
    wake();
    hear_starts();
    turn_away();
  }
  mix_ = mix;
}

double Lifecycle::utilisation() const {
  return static_cast<double>(used_cpu_m_) / (static_cast<double>(options_.nodes) * CPU);
}

std::optional<codec::TraceSummary> Lifecycle::finish() {
  if (trace_ == nullptr) return std::nullopt;
  const auto summary = trace_->finish();
  DUET_CHECK(summary);
  return *summary;
}

void Lifecycle::run(std::uint64_t lives) {
  const std::uint64_t until = ended_ + lives;
  while (ended_ < until) {
    if (options_.shape == LifecycleOptions::Shape::kSingle)
      one_life();
    else
      round();
  }
}

void Lifecycle::end_one() {
  pass_time();
  end_random();
  wake();
  hear_starts();
}

void Lifecycle::one_life() {
  if (options_.backlog > 0)
    end_one();
  else
    while (used_cpu_m_ + cpu_m_of(next_) > limit_cpu_m_) end_one();
  do {
    pass_time();
    submit();
    wake();
    hear_starts();
  } while (waiting() < options_.backlog);
  turn_away();
}

void Lifecycle::round() {
  pass_time();
  if (options_.backlog > 0) {
    for (std::uint64_t i = 0; i < kRound; ++i) end_random();
    while (waiting() < options_.backlog) submit();
  } else {
    std::int64_t needed = 0;
    for (std::uint64_t i = 0; i < kRound; ++i) needed += cpu_m_of(next_ + i);
    while (used_cpu_m_ + needed > limit_cpu_m_ && !running_.empty()) end_random();
    for (std::uint64_t i = 0; i < kRound; ++i) submit();
  }
  wake();
  hear_starts();
  turn_away();
}

/// What fits nowhere, though there is room in sum, would block all that comes behind it until the cluster is
/// far below 80 %: it is cancelled, and the next one tried. node_selection.cpp drops it, too.
void Lifecycle::turn_away() {
  if (options_.backlog > 0) return;
  while (!waiting_.empty()) {
    step(controller::Cancel{{++requests_}, waiting_.front()});
    waiting_.pop_front();
    ++turned_away_;
    wake();
    hear_starts();
  }
}

void Lifecycle::submit() { step(controller::Submit{{++requests_}, mix_[next_++ % kMix]}); }

void Lifecycle::end_random() {
  const std::size_t which = rng_.below(running_.size());
  const Running ends = running_[which];
  running_[which] = running_.back();
  running_.pop_back();
  used_cpu_m_ -= ends.cpu_m;
  ++ended_;
  step(controller::Received{
      {ends.node}, {{ends.node}, boot_of(ends.node), epochs_[ends.node], msg::AttemptEnded{ends.attempt}}});
}

/// What a driver does at the end of a round, its look at the next deadline included.
void Lifecycle::wake() {
  step(Wake{});
  if (const auto due = controller_.next_deadline(); due && *due <= now_) step(Wake{});
}

/// The agents' answers come at once, and are a round of their own.
void Lifecycle::hear_starts() {
  if (launched_.empty()) return;
  for (const Running& one : launched_) {
    running_.push_back(one);
    step(controller::Received{
        {one.node}, {{one.node}, boot_of(one.node), epochs_[one.node], msg::AttemptStarted{one.attempt}}});
  }
  launched_.clear();
  wake();
}

void Lifecycle::step(const controller::Event& event) {
  commands_.clear();
  controller_.step(now_, event, commands_);
  ++steps_;
  for (const controller::Command& command : commands_) hear(command);
}

void Lifecycle::hear(const controller::Command& command) {
  if (const auto* send = std::get_if<controller::Send>(&command)) {
    const auto node = static_cast<std::uint32_t>(send->link.value);
    if (const auto* launch = std::get_if<msg::Launch>(&send->message.body)) {
      launched_.push_back({launch->attempt, node, launch->cpu_m});
      used_cpu_m_ += launch->cpu_m;
      // The first, but for queues that let others pass it.
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), launch->attempt.task.job));
    } else if (std::holds_alternative<msg::Registered>(send->message.body)) {
      epochs_[node] = send->message.epoch;
    }
  } else if (const auto* reply = std::get_if<controller::Reply>(&command)) {
    DUET_CHECK(reply->refusal.empty());
    if (reply->job.value > last_job_.value) waiting_.push_back(last_job_ = reply->job);
  }
}

}  // namespace duet::bench
