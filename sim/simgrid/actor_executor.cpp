// Executions by actors: one daemon for each execution in progress, which waits for an order, executes it and
// says so. Three times slower than shells and the reference for them.
#include <deque>
#include <vector>

#include <simgrid/Exception.hpp>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u/Actor.hpp>
#include <simgrid/s4u/Engine.hpp>
#include <simgrid/s4u/Exec.hpp>
#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/Semaphore.hpp>

#include "core/check.h"
#include "sim/simgrid/executor.h"

namespace duet::sim {

namespace sg = simgrid::s4u;

namespace {

class ActorExecutor final : public PartExecutor {
 public:
  ActorExecutor(PartListener& listener, sg::Host* control)
      : listener_(listener), cpu_(cpu_model()), control_(control), quit_(sg::Semaphore::create(0)) {
    // SimGrid ends a run in which only daemons are left, even if timers are pending.
    sg::Actor::create("driver", control, [quit = quit_] { quit->acquire(); });
  }

  PartId start(const PartSpec& spec) override {
    const bool hire = free_.empty();
    const auto part = hire ? static_cast<PartId>(workers_.size()) : free_.back();
    if (hire) {
      workers_.emplace_back().order = sg::Semaphore::create(0);
    } else {
      free_.pop_back();
    }
    Worker& worker = workers_[part];
    worker.spec = spec;
    worker.state = State::kOrdered;
    // Executions must start in the order of these calls: with three on a core, SimGrid's last bit depends on
    // it. New workers therefore find their first order in place, so that they run in the same round as those
    // woken up.
    if (hire) {
      sg::Actor::create("worker", control_, [this, part] { work(part); })->daemonize();
    } else {
      worker.order->release();
    }
    return part;
  }

  void cancel(PartId part) override {
    Worker& worker = workers_[part];
    DUET_CHECK(worker.state == State::kOrdered || worker.state == State::kRunning);
    const bool running = worker.state == State::kRunning;
    worker.state = State::kCancelled;
    if (running) {
      worker.exec->cancel();
    } else {
      // The worker sees it when it wakes up. An execution that starts and stops at once makes SimGrid compute
      // the rates on its host again, which shows in the last bit: a speed set to what it is does the same.
      worker.spec.host->set_pstate(worker.spec.host->get_pstate());
    }
  }

  // The workers of executions that end now run later in this step.
  void on_time_advance() override {
    if (!cpu_.get_finished_action_set()->empty()) settling_ = true;
  }

  bool is_settling() const override { return settling_; }

  void shut_down() override { quit_->release(); }

 private:
  enum class State : std::uint8_t { kIdle, kOrdered, kRunning, kCancelled };
  struct Worker {
    sg::SemaphorePtr order;
    sg::ExecPtr exec;
    PartSpec spec;
    State state = State::kIdle;
  };

  void work(PartId part) {
    Worker& worker = workers_[part];
    for (;;) {
      if (worker.state == State::kOrdered) execute(worker);
      const bool ended = worker.state == State::kRunning;
      worker.state = State::kIdle;
      free_.push_back(part);
      if (ended) report(part);
      worker.order->acquire();
    }
  }

  void report(PartId part) {
    listener_.on_part_ended(part);
    if (told_) return;
    told_ = true;
    simgrid::kernel::timer::Timer::set(sg::Engine::get_clock(), [this] {
      told_ = settling_ = false;
      listener_.on_parts_settled();
    });
  }

  static void execute(Worker& worker) {
    worker.state = State::kRunning;
    worker.exec = sg::Exec::init();
    worker.exec->set_flops_amount(worker.spec.operations)->set_host(worker.spec.host);
    worker.exec->set_thread_count(static_cast<int>(worker.spec.threads));
    worker.exec->set_bound(worker.spec.top_speed)->set_priority(worker.spec.priority);
    worker.exec->start();
    try {
      worker.exec->wait();
    } catch (const simgrid::CancelException&) {
      DUET_CHECK(worker.state == State::kCancelled);
    }
    worker.exec = nullptr;
  }

  PartListener& listener_;
  simgrid::kernel::resource::Model& cpu_;
  sg::Host* control_;
  sg::SemaphorePtr quit_;
  std::deque<Worker> workers_;  // never moved: actors refer to them
  std::vector<PartId> free_;
  bool settling_ = false;  // executions have ended in this step
  bool told_ = false;      // and a worker has asked for on_parts_settled()
};

}  // namespace

std::unique_ptr<PartExecutor> make_actor_executor(PartListener& listener, sg::Host* control) {
  return std::make_unique<ActorExecutor>(listener, control);
}

}  // namespace duet::sim
