#include "sim/simgrid/simgrid_engine.h"

#include <algorithm>
#include <string>
#include <vector>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/Action.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u/Engine.hpp>

#include "core/check.h"
#include "sim/engine_limits.h"
#include "sim/quota.h"
#include "sim/simgrid/executor.h"
#include "sim/simgrid/platform.h"
#include "sim/simgrid/process.h"

namespace duet::sim {

namespace sg = simgrid::s4u;
using simgrid::kernel::timer::Timer;

namespace {

constexpr std::uint32_t none = ~std::uint32_t{0};

/// Keeps one kernel timer armed, for what the world has due next, and hands it each instant once: with what
/// is due and with all executions that ended in this nanosecond, of which SimGrid may tell in several steps.
class SimgridEngine final : public Engine, private PartListener {
 public:
  SimgridEngine(const Scenario& scenario, bool needs_cpu_model, Executor executor)
      : platform_(scenario, needs_cpu_model) {
    if (needs_cpu_model) {
      model_ = &cpu_model();
      executor_ = executor == Executor::kShell ? make_shell_executor(*this)
                                               : make_actor_executor(*this, platform_.control_host());
    }
    sg::Engine::on_time_advance_cb([this](double) { on_time_advance(); });
  }

  std::string_view name() const override { return "simgrid"; }
  void start(const ExecSpec& spec) override;
  void cancel(ExecId id) override;
  void slow(std::uint32_t node, double factor) override {
    if (executor_) platform_.slow(node, factor);
  }
  double clock_s() const override { return clock_s_; }
  void run(World& world) override;

  std::uint64_t late_ends() const { return late_ends_; }

 private:
  /// The parts of an execution that have not ended form a list: usually there is one.
  struct Run {
    std::uint32_t first_part = none;
    bool active = false;
  };
  struct Part {
    ExecId run = 0;
    std::uint32_t node = 0;
    std::uint32_t place = none;  // thread or seat; none on a plain node: its host counts threads by itself
    std::uint32_t previous = none;
    std::uint32_t next = none;
  };

  void start_on_plain(const ExecSpec& spec, PartSpec part);
  void link(PartId part, ExecId id, std::uint32_t node, std::uint32_t place);
  void unlink(PartId part);
  void on_part_ended(PartId part) override;
  void on_parts_settled() override;
  void on_time_advance();
  void recover_overtaken_ends();
  void advance();
  Instant ready(Instant due) const;
  bool ends_by(Instant instant) const;
  void play(Instant now);
  void arm(Instant due);
  void disarm();
  void finish();

  Platform platform_;
  simgrid::kernel::resource::Model* model_ = nullptr;
  std::unique_ptr<PartExecutor> executor_;
  World* world_ = nullptr;

  std::vector<Run> runs_;    // by ExecId
  std::vector<Part> parts_;  // by PartId
  std::size_t running_parts_ = 0;

  std::vector<ExecId> ended_;   // not reported yet
  Instant ended_at_;            // when they ended
  std::vector<ExecId> report_;  // being reported
  Instant last_ = instant_ns(-1);
  double clock_s_ = 0;  // SimGrid's
  Timer* timer_ = nullptr;
  double timer_date_ = 0;
  bool waiting_ = false;  // for an end in the nanosecond that would be played now
  std::uint64_t late_ends_ = 0;
};

void SimgridEngine::start(const ExecSpec& spec) {
  DUET_CHECK(executor_ != nullptr && spec.width > 0 && spec.quota_m > 0 && spec.priority > 0);
  if (spec.id >= runs_.size()) runs_.resize(spec.id + 1);
  DUET_CHECK(!runs_[spec.id].active);
  runs_[spec.id].active = true;
  const double top_speed = platform_.top_speed(spec.node);
  PartSpec part;
  part.operations = std::max(static_cast<double>(spec.operations), shortest_execution_s * top_speed);
  part.priority = spec.priority;
  if (spec.quota_m < kThread) part.top_speed = quota_speed(spec.quota_m, top_speed);
  if (!platform_.by_core(spec.node)) return start_on_plain(spec, part);
  const auto add = [&](std::uint32_t thread) {
    part.host = platform_.occupy(spec.node, thread);
    link(executor_->start(part), spec.id, spec.node, thread);
  };
  if (spec.threads.empty()) {
    for (std::uint32_t i = 0; i < spec.width; ++i) add(platform_.idlest_thread(spec.node));
  } else {
    DUET_CHECK(spec.threads.size() == spec.width);
    spec.threads.for_each(add);
  }
}

/// All threads are one part, unless a quota holds: SimGrid's bound is for all threads of a part together.
void SimgridEngine::start_on_plain(const ExecSpec& spec, PartSpec part) {
  const bool seated = platform_.has_seats(spec.node);
  part.host = platform_.host(spec.node);
  part.threads = part.top_speed > 0 ? 1 : spec.width;
  for (std::uint32_t i = 0; i < spec.width; i += part.threads) {
    const std::uint32_t seat = seated ? platform_.take_seat(spec.node) : none;
    if (seated) part.host = platform_.seat(spec.node, seat);
    link(executor_->start(part), spec.id, spec.node, seat);
  }
}

void SimgridEngine::link(PartId part, ExecId id, std::uint32_t node, std::uint32_t place) {
  if (part >= parts_.size()) parts_.resize(part + 1);
  Run& run = runs_[id];
  parts_[part] = {id, node, place, none, run.first_part};
  if (run.first_part != none) parts_[run.first_part].previous = part;
  run.first_part = part;
  ++running_parts_;
}

void SimgridEngine::unlink(PartId id) {
  const Part& part = parts_[id];
  if (part.place != none) platform_.vacate(part.node, part.place);
  if (part.next != none) parts_[part.next].previous = part.previous;
  if (part.previous != none) parts_[part.previous].next = part.next;
  if (part.previous == none) runs_[part.run].first_part = part.next;
  --running_parts_;
}

void SimgridEngine::cancel(ExecId id) {
  DUET_CHECK(id < runs_.size() && runs_[id].active);
  while (runs_[id].first_part != none) {
    const PartId part = runs_[id].first_part;
    executor_->cancel(part);
    unlink(part);
  }
  runs_[id].active = false;
}

void SimgridEngine::on_part_ended(PartId part) {
  unlink(part);
  const ExecId id = parts_[part].run;
  if (runs_[id].first_part != none) return;
  if (ended_.empty()) ended_at_ = instant_of_seconds(clock_s_);
  ended_.push_back(id);
}

void SimgridEngine::on_parts_settled() { advance(); }

void SimgridEngine::on_time_advance() {
  clock_s_ = sg::Engine::get_clock();
  if (!executor_) return;
  recover_overtaken_ends();
  executor_->on_time_advance();
  if (waiting_ && !executor_->is_settling()) advance();
}

// SimGrid moves its clock by a difference, now += date - now, and may come out one double behind `date`. It
// then takes what is within 1 ns as reached, but forgets an end further behind: possible after a leap to
// beyond 2^23 s.
void SimgridEngine::recover_overtaken_ends() {
  auto& ends = model_->get_action_heap();
  while (!ends.empty() && ends.top_date() < clock_s_)
    ends.pop()->finish(simgrid::kernel::resource::Action::State::FINISHED);
}

/// Plays what is ready, then arms the timer for what comes next.
void SimgridEngine::advance() {
  waiting_ = false;
  while (!world_->over()) {
    const Instant due = world_->next_due();
    const Instant now = ready(due);
    if (now == kNever) return arm(due);
    if (ends_by(now)) {
      waiting_ = true;
      return disarm();
    }
    play(now);
  }
  finish();
}

/// The next instant to play if it has come, kNever otherwise.
Instant SimgridEngine::ready(Instant due) const {
  // A date that SimGrid has reached is that very instant, even where its doubles are too coarse to say so.
  if (due != kNever && seconds_of(due) <= clock_s_) return due;
  return ended_.empty() ? kNever : std::max(ended_at_, last_ + Duration{1});
}

/// True if SimGrid is going to end an execution no later than in the nanosecond that would be played now.
bool SimgridEngine::ends_by(Instant instant) const {
  if (!model_) return false;
  const auto& ends = model_->get_action_heap();
  constexpr double surely_later_s = 2e-9;  // spares most calls the rounding
  return !ends.empty() && ends.top_date() <= clock_s_ + surely_later_s &&
         instant_of_seconds(ends.top_date()) <= instant;
}

void SimgridEngine::play(Instant now) {
  report_.clear();
  report_.swap(ended_);
  std::sort(report_.begin(), report_.end());  // SimGrid's order depends on the executor
  for (const ExecId id : report_) runs_[id].active = false;
  if (!report_.empty() && now > ended_at_) late_ends_ += report_.size();
  last_ = now;
  world_->play(now, report_);
}

void SimgridEngine::arm(Instant due) {
  if (due == kNever) {
    disarm();
    if (running_parts_ == 0) finish();
    return;
  }
  const double date = std::max(seconds_of(due), clock_s_);
  if (timer_ && timer_date_ == date) return;
  disarm();
  timer_date_ = date;
  timer_ = Timer::set(date, [this] {
    timer_ = nullptr;
    if (!executor_ || !executor_->is_settling()) advance();  // else on_parts_settled() follows
  });
}

void SimgridEngine::disarm() {
  if (timer_) timer_->remove();
  timer_ = nullptr;
}

/// Leaves nothing to SimGrid that would keep its main loop going.
void SimgridEngine::finish() {
  disarm();
  for (ExecId id = 0; id < runs_.size(); ++id)
    if (runs_[id].first_part != none) cancel(id);
  if (executor_) executor_->shut_down();
}

void SimgridEngine::run(World& world) {
  DUET_CHECK(world_ == nullptr);
  world_ = &world;
  arm(world.next_due());  // nothing is played before SimGrid runs: it releases what it stops only then
  sg::Engine::get_instance()->run();
}

}  // namespace

simgrid::kernel::resource::Model& cpu_model() {
  for (auto* const model : sg::Engine::get_instance()->get_all_models())
    if (model->get_name() == "Cpu_Cas01") return *model;
  check_failed("SimGrid has its usual processor model", __FILE__, __LINE__);
}

Result<std::unique_ptr<Engine>> make_simgrid_engine(const Scenario& scenario, bool needs_cpu_model,
                                                    Executor executor) {
  if (!start_simgrid())
    return Problem{"engine", "this process has had a SimGrid engine, and SimGrid can run once only",
                   "a process of its own for each SimGrid run"};
  return std::unique_ptr<Engine>(std::make_unique<SimgridEngine>(scenario, needs_cpu_model, executor));
}

std::uint64_t late_ends(const Engine& simgrid_engine) {
  const auto* const engine = dynamic_cast<const SimgridEngine*>(&simgrid_engine);
  DUET_CHECK(engine != nullptr);
  return engine->late_ends();
}

}  // namespace duet::sim
